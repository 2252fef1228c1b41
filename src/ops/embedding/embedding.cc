// SPDX-License-Identifier: Apache-2.0
#include "ops/embedding/embedding.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding_workspace.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

Value embedding(const Value& table, const Value& ids) { return table.graph->add("embedding", {table, ids}); }

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &table = args.in[0], &ids = args.in[1];
  HEARTH_CHECK(table.rank() == 2 && ids.dtype() == DType::i32, shape,
               "embedding: table must be [V,C] and ids i32\n  table is ", table, "\n  ids is ", ids);
  Dims dims = ids.dims();
  dims.push_back(table.dim(1));
  return {{table.dtype(), dims}};
}

// Row v of the table where ids = v, else 0; summed over v. select, not a product: 0 * NaN of another row must not
// enter.
static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs&) {
  const Value &table = in[0], &ids = in[1];
  const int64_t n = ids.type().elements(), V = table.dim(0), C = table.dim(1);
  const Dims whole = {n, C, V};
  const Value hit = compare("EQ", broadcast_in_dim(reshape(ids, {n}), whole, {0}), iota(graph, DType::i32, whole, 2));
  const Value rows = broadcast_in_dim(transpose(table, {1, 0}), whole, {1, 2});  // [n,C,V]
  const Value picked = reduce_sum(select(hit, rows, scalar_like(rows, 0)), {2});
  Dims dims = ids.dims();
  dims.push_back(C);
  return {reshape(picked, dims)};
}

static void grad(VjpArgs& v) {
  if (v.wanted[0]) v.grad[0] = v.graph.add("embedding_grad", {v.cotangent[0], v.in[1]}, {{"rows", v.in[0].dim(0)}});
}

// --- embedding_grad: dtable[v,:] = sum over n with ids[n] = v of dy[n,:]
// ----------------------------------------------------------------------------------------------------------------------

static std::vector<TensorType> infer_grad(const InferArgs& args) {
  const Value &dy = args.in[0], &ids = args.in[1];
  const int64_t rows = args.attrs.integer("rows");
  Dims rows_of_ids = ids.dims();
  if (dy.rank() > 0) rows_of_ids.push_back(dy.dim(-1));
  HEARTH_CHECK(
      dy.rank() > 0 && is_float(dy.dtype()) && ids.dtype() == DType::i32 && dy.dims() == rows_of_ids && rows >= 0,
      shape, args.op, ": needs dy [...,C] and ids i32 [...]\n  dy is ", dy, "\n  ids is ", ids);
  return {{dy.dtype(), {rows, dy.dim(-1)}}};
}

static std::vector<Value> decompose_grad(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const int64_t n = in[1].type().elements(), V = attrs.integer("rows"), C = in[0].dim(-1);
  const Dims whole = {V, C, n};
  const Value hit = compare("EQ", broadcast_in_dim(reshape(in[1], {n}), whole, {2}), iota(graph, DType::i32, whole, 0));
  const Value dy = broadcast_in_dim(transpose(reshape(in[0], {n, C}), {1, 0}), whole, {1, 2});  // [V,C,n]
  return {reduce_sum(select(hit, dy, scalar_like(dy, 0)), {2})};
}

// --- batches: the tables of all examples stacked are one table of N*V rows, in which example n has the ids n*V ..
// n*V+V-1

static Value ids_of_stack(const BatchArgs& b, size_t i, int64_t rows) {
  const Value ids = b.with_batch(i);  // [N,...]
  const Value example = iota(b.graph, DType::i32, ids.dims(), 0) * double(rows);
  const Value inside =
      binary("and", compare("GE", ids, scalar_like(ids, 0)), compare("LT", ids, scalar_like(ids, double(rows))));
  return select(inside, ids + example, scalar_like(ids, -1));
}

static bool stack_is_countable(const BatchArgs& b, int64_t rows) { return b.size * rows <= INT32_MAX; }

static void batch(BatchArgs& b) {
  const int64_t V = b.node.inputs[0].dim(0);
  if (!b.batched[0]) {
    b.out = {embedding(b.in[0], b.in[1])};
  } else if (stack_is_countable(b, V)) {
    b.out = {embedding(fold_batch(b.in[0]), ids_of_stack(b, 1, V))};
  } else {
    batch_one_by_one(b);
  }
}

static void batch_grad(BatchArgs& b) {
  const int64_t V = b.node.attrs.integer("rows");
  if (!stack_is_countable(b, V)) return batch_one_by_one(b);
  const Value sums =
      b.graph.add("embedding_grad", {b.with_batch(0), ids_of_stack(b, 1, V)}, {{"rows", b.size * V}});  // [N*V,C]
  b.out = {unfold_batch(sums, b.size)};
}

static std::string refuse_grad(const Graph&, const Node& n) {
  return n.types[0].dtype == DType::f64 ? "no kernel for f64; has f32, bf16, f16" : "";
}

static int64_t workspace(const Node& n) {
  return embedding_grad_workspace(n.types[0].dims[0], n.inputs[1].type().elements());
}

std::vector<OpInfo> embedding_ops() {
  OpInfo op{.name = "embedding",
            .doc = "rows of a table by number",
            .infer = infer,
            .vjp = grad,
            .decompose = decompose,
            .batch = batch};
  op.offers = {{"cpu", "embedding", nullptr}};
  OpInfo backward{.name = "embedding_grad",
                  .doc = "sums of rows by number",
                  .infer = infer_grad,
                  .vjp = [](VjpArgs& v) { v.grad[0] = embedding(v.cotangent[0], v.in[1]); },
                  .decompose = decompose_grad,
                  .batch = batch_grad};
  backward.offers = {{"cpu", "embedding_grad", refuse_grad, workspace}};
  return {op, backward};
}

}  // namespace hearth
