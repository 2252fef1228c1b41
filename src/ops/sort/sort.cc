// SPDX-License-Identifier: Apache-2.0
#include "ops/sort/sort.h"

#include <numeric>

#include "base/error.h"
#include "ir/op.h"
#include "ops/along_axis/along_axis.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort_workspace.h"

namespace hearth {

// --- functions ------------------------------------------------------------------------------------------------------

static Attrs sort_attrs(int64_t axis, int64_t num_keys, SortOptions options) {
  return {{"dimension", axis}, {"num_keys", num_keys}, {"descending", int64_t(options.descending)}};
}

Value sort(const Value& x, int64_t axis, SortOptions options) {
  return x.graph->add("sort_keys", {x}, sort_attrs(checked_axis("sort", x, axis), 1, options));
}

Sorted sort_with_indices(const Value& x, int64_t axis, SortOptions options) {
  const std::vector<Value> y =
      x.graph->add_all("sort_keys_indices", {x}, sort_attrs(checked_axis("sort", x, axis), 1, options));
  return {y[0], y[1]};
}

Value argsort(const Value& x, int64_t axis, SortOptions options) {
  return sort_with_indices(x, checked_axis("argsort", x, axis), options).indices;
}

std::vector<Value> sort_by_keys(const std::vector<Value>& operands, int64_t axis, int64_t num_keys,
                                SortOptions options) {
  HEARTH_CHECK(!operands.empty(), value, "sort_by_keys: no operands given");
  const Value& x = operands[0];
  return x.graph->add_all("sort_keys", operands, sort_attrs(checked_axis("sort_by_keys", x, axis), num_keys, options));
}

Sorted top_k(const Value& x, int64_t k, int64_t axis) {
  const int64_t at = checked_axis("top_k", x, axis), last = x.rank() - 1;
  Dims order(size_t(x.rank()));  // swaps `at` and the last axis: its own inverse
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[size_t(at)], order[size_t(last)]);
  const bool turned = at != last;
  const std::vector<Value> y = x.graph->add_all("top_k", {turned ? transpose(x, order) : x}, {{"k", k}});
  return turned ? Sorted{transpose(y[0], order), transpose(y[1], order)} : Sorted{y[0], y[1]};
}

// --- sort_keys {dimension, num_keys, descending}: operands in, sorted operands out ----------------------------------
// --- sort_keys_indices: the same, followed by the permutation -------------------------------------------------------

static std::vector<TensorType> infer_sort(const InferArgs& args) {
  HEARTH_CHECK(!args.in.empty(), value, args.op, ": no operands given");
  const Value& x = args.in[0];
  const int64_t axis = args.attrs.integer("dimension"), keys = args.attrs.integer("num_keys");
  const int64_t descending = args.attrs.integer("descending");
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), value, args.op, ": axis ", axis, " does not exist in x ", x);
  HEARTH_CHECK(keys >= 1 && keys <= int64_t(args.in.size()), value, args.op, ": ", keys, " keys among ", args.in.size(),
               " operands; operand 0 is ", x);
  HEARTH_CHECK(descending == 0 || descending == 1, value, args.op, ": descending is ", descending, ", not 0 or 1");
  HEARTH_CHECK(x.dim(axis) <= kMostSorted, unsupported, args.op, ": at most ", kMostSorted,
               " elements can be sorted, axis ", axis, " has ", x.dim(axis), "; x is ", x);
  std::vector<TensorType> out;
  for (size_t i = 0; i < args.in.size(); ++i) {
    HEARTH_CHECK(args.in[i].dims() == x.dims(), shape, args.op, ": shapes differ\n  operand 0 is ", x, "\n  operand ",
                 i, " is ", args.in[i]);
    out.push_back(args.in[i].type());
  }
  return out;
}

static std::vector<TensorType> infer_sort_indices(const InferArgs& args) {
  std::vector<TensorType> out = infer_sort(args);
  out.push_back({sort_index_dtype(out[0].dims[size_t(args.attrs.integer("dimension"))]), out[0].dims});
  return out;
}

// Element p[j] went to place j, so dx[p[j]] = dy[j]: the numbers are distinct, each sum has one term.
static void grad_sort(VjpArgs& v) {
  const int64_t axis = v.attrs.integer("dimension"), n = v.in[0].dim(axis);
  Value indices;
  for (size_t i = 0; i < v.in.size(); ++i) {
    if (!v.wanted[i] || !v.cotangent[i].valid()) continue;
    if (!indices.valid()) {
      indices = v.out.size() > v.in.size() ? v.out.back() : v.graph.add_all("sort_keys_indices", v.in, v.attrs).back();
    }
    v.grad[i] = scatter_add_along_axis(v.cotangent[i], indices, axis, n);
  }
}

static int64_t workspace(const Node& node) {
  std::vector<TensorType> in;
  for (const Value& value : node.inputs) in.push_back(value.type());
  return sort_workspace(in, node.attrs.integer("dimension"));
}

// --- top_k {k}: along the last axis ---------------------------------------------------------------------------------

static std::vector<TensorType> infer_top_k(const InferArgs& args) {
  const Value& x = args.in[0];
  const int64_t k = args.attrs.integer("k");
  HEARTH_CHECK(x.rank() > 0, shape, "top_k: x must have an axis; x is ", x);
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, "top_k: needs real numbers; x is ", x);
  HEARTH_CHECK(k >= 0 && k <= x.dim(-1), value, "top_k: k is ", k, ", the axis has ", x.dim(-1), " elements; x is ", x);
  HEARTH_CHECK(x.dim(-1) <= INT32_MAX, unsupported, "top_k: at most 2147483647 elements along the axis; x is ", x);
  Dims dims = x.dims();
  dims.back() = k;
  return {{x.dtype(), dims}, {DType::i32, dims}};
}

static void grad_top_k(VjpArgs& v) {
  if (v.wanted[0] && v.cotangent[0].valid())
    v.grad[0] = scatter_add_along_axis(v.cotangent[0], v.out[1], v.in[0].rank() - 1, v.in[0].dim(-1));
}

static void batch_top_k(BatchArgs& batch) { batch.out = batch.graph.add_all("top_k", {batch.in[0]}, batch.node.attrs); }

std::vector<OpInfo> sort_ops() {
  OpInfo keys{.name = "sort_keys",
              .doc = "operands in the order of the first of them along an axis, stable",
              .infer = infer_sort,
              .vjp = grad_sort,
              .batch = batch_along_axis};
  keys.offers = {{"cpu", "sort_keys", nullptr, workspace}};
  keys.subsumed_by = "sort_keys_indices";
  OpInfo indices{.name = "sort_keys_indices",
                 .doc = "sort_keys, and the numbers of the elements in their new order",
                 .infer = infer_sort_indices,
                 .vjp = grad_sort,
                 .batch = batch_along_axis};
  indices.offers = {{"cpu", "sort_keys_indices", nullptr, workspace}};
  OpInfo top{.name = "top_k",
             .doc = "the k largest along the last axis, and their numbers",
             .infer = infer_top_k,
             .vjp = grad_top_k,
             .batch = batch_top_k};
  top.offers = {{"cpu", "top_k", nullptr}};
  return {keys, indices, top};
}

}  // namespace hearth
