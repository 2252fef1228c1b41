// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce/reduce.h"

#include <algorithm>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

static Value reduce(const Value& x, const Dims& axes, const char* kind) {
  if (axes.empty()) return x;
  Dims sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  return x.graph->add("reduce", {x}, {{"dims", sorted}, {"kind", std::string(kind)}});
}

Value reduce_sum(const Value& x, const Dims& axes) { return reduce(x, axes, "sum"); }
Value reduce_max(const Value& x, const Dims& axes) { return reduce(x, axes, "max"); }
Value reduce_min(const Value& x, const Dims& axes) { return reduce(x, axes, "min"); }

static Value keep_last(const Value& reduced) {
  Dims dims = reduced.dims();
  dims.push_back(1);
  return reshape(reduced, dims);
}
Value sum_last(const Value& x) { return keep_last(reduce_sum(x, {x.rank() - 1})); }
Value max_last(const Value& x) { return keep_last(reduce_max(x, {x.rank() - 1})); }

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value& x = args.in[0];
  const Dims& axes = args.attrs.list("dims");
  const std::string& kind = args.attrs.text("kind");
  HEARTH_CHECK(kind == "sum" || kind == "max" || kind == "min", value, "reduce: unknown kind '", kind, "'");
  HEARTH_CHECK(x.dtype() != DType::boolean, dtype, "reduce ", kind, ": needs numbers; x is ", x);
  for (size_t i = 0; i < axes.size(); ++i) {
    HEARTH_CHECK(axes[i] >= 0 && axes[i] < x.rank() && (i == 0 || axes[i] > axes[i - 1]), value, "reduce ", kind,
                 ": axes ", ShowDims{axes}, " must rise and exist in x ", x);
  }
  Dims dims;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) dims.push_back(x.dim(i));
  }
  return {{x.dtype(), dims}};
}

// Puts the reduced axes back: [B,C] reduced from [B,T,C] over 1 reads as [B,T,C].
static Value stretch(const Value& reduced, const Dims& shape, const Dims& axes) {
  Dims kept;
  for (int64_t i = 0; i < int64_t(shape.size()); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), i)) kept.push_back(i);
  }
  return broadcast_in_dim(reduced, shape, kept);
}

// sum: dy everywhere. max, min: dy shared by the elements that equal the result.
static void grad(VjpArgs& v) {
  const Dims &axes = v.attrs.list("dims"), &shape = v.in[0].dims();
  const Value dy = stretch(v.cotangent[0], shape, axes);
  if (v.attrs.text("kind") == "sum") {
    v.grad[0] = dy;
    return;
  }
  const Value hit = convert(compare("EQ", v.in[0], stretch(v.out[0], shape, axes)), v.in[0].dtype());
  v.grad[0] = dy * hit / stretch(reduce_sum(hit, axes), shape, axes);
}

static void batch(BatchArgs& b) {
  Attrs attrs = b.node.attrs;
  attrs.set("dims", axes_after_batch(attrs.list("dims")));
  b.out = {b.graph.add("reduce", {b.in[0]}, attrs)};
}

static RowOp row_op(const Node& n) {
  const DType t = n.types[0].dtype;
  const std::string& kind = n.attrs.text("kind");
  if (t == DType::f32 || t == DType::bf16 || t == DType::f16) {
    return kind == "sum" ? RowOp::sum_f32 : kind == "max" ? RowOp::max_row_f32 : RowOp::min_row_f32;
  }
  if (t == DType::i32) return kind == "sum" ? RowOp::sum_i32 : kind == "max" ? RowOp::max_row_i32 : RowOp::min_row_i32;
  return RowOp::none;
}

std::vector<OpInfo> reduce_ops() {
  return {{.name = "reduce",
           .doc = "sum, max or min over axes",
           .infer = infer,
           .vjp = grad,
           .expand = expand_complex_reduce,
           .batch = batch,
           .row_kind = RowKind::reduce,
           .row_op = row_op}};
}

}  // namespace hearth
