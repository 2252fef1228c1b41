// SPDX-License-Identifier: Apache-2.0
#include "ops/embedding/embedding.h"

#include "base/error.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"
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

std::vector<OpInfo> embedding_ops() {
  OpInfo op{.name = "embedding", .doc = "rows of a table by number", .infer = infer, .decompose = decompose};
  op.offers = {{"cpu", "embedding", nullptr}};
  return {op};
}

}  // namespace hearth
