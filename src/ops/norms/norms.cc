// SPDX-License-Identifier: Apache-2.0
#include "ops/norms/norms.h"

#include <numeric>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

Value layer_norm(const Value& x, const Value& weight, const Value& bias, double eps) {
  return graph_of({x, weight, bias}).add("layer_norm", {x, weight, bias}, {{"eps", eps}});
}
Value group_norm(const Value& x, const Value& weight, const Value& bias, int64_t groups, double eps) {
  return graph_of({x, weight, bias}).add("group_norm", {x, weight, bias}, {{"eps", eps}, {"groups", groups}});
}

namespace {

void check(const InferArgs& args, int64_t channels) {
  const Value &x = args.in[0], &w = args.in[1], &b = args.in[2];
  HEARTH_CHECK(is_float(x.dtype()) && is_float(w.dtype()) && is_float(b.dtype()), dtype, args.op,
               ": needs floats\n  x is ", x, "\n  weight is ", w, "\n  bias is ", b);
  HEARTH_CHECK(w.dims() == Dims{channels} && b.dims() == Dims{channels}, shape, args.op, ": weight and bias must be [",
               channels, "]\n  x is ", x, "\n  weight is ", w, "\n  bias is ", b);
}

std::vector<TensorType> infer_layer(const InferArgs& args) {
  const Value& x = args.in[0];
  HEARTH_CHECK(x.rank() >= 1, shape, "layer_norm: x needs an axis; it is ", x);
  check(args, x.dim(-1));
  return {x.type()};
}
std::vector<TensorType> infer_group(const InferArgs& args) {
  const Value& x = args.in[0];
  const int64_t groups = args.attrs.integer("groups");
  HEARTH_CHECK(x.rank() >= 2, shape, "group_norm: x needs axes [B, C, ...]; it is ", x);
  HEARTH_CHECK(groups >= 1 && x.dim(1) % groups == 0, value, "group_norm: ", x.dim(1), " channels do not make ", groups,
               " groups\n  x is ", x);
  check(args, x.dim(1));
  return {x.type()};
}

DType sums(const Value& x) { return x.dtype() == DType::f64 ? DType::f64 : DType::f32; }

Value mean_last(const Value& x) { return sum_last(x) * (1.0 / double(x.dim(-1))); }

// Of rows: (x - mean) / sqrt(variance + eps), and the factor.
struct Normalized {
  Value x, scale;
};
Normalized normalized(const Value& rows, double eps) {
  const Value centred = rows - mean_last(rows);
  const Value scale = rsqrt(mean_last(centred * centred) + eps);
  return {centred * scale, scale};
}
// With g the cotangent of n.x: scale (g - mean(g) - n.x mean(g n.x)).
Value normalized_grad(const Normalized& n, const Value& g) {
  return n.scale * (g - mean_last(g) - n.x * mean_last(g * n.x));
}

// --- how a norm lays x out as rows, and [C] beside x
struct Layout {
  Dims rows, beside;  // shapes
  Dims summed;        // axes of x that weight and bias are shared along
};
Layout layout_of(const Value& x, const Attrs& attrs) {
  Layout layout{x.dims(), Dims(size_t(x.rank()), 1), Dims(size_t(x.rank()))};
  std::iota(layout.summed.begin(), layout.summed.end(), 0);
  const size_t channels = attrs.has("groups") ? 1 : size_t(x.rank() - 1);
  layout.beside[channels] = x.dims()[channels];
  layout.summed.erase(layout.summed.begin() + int64_t(channels));
  if (!attrs.has("groups")) return layout;
  const int64_t groups = attrs.integer("groups");
  int64_t width = x.dim(1) / groups;
  for (int64_t axis = 2; axis < x.rank(); ++axis) width *= x.dim(axis);
  layout.rows = {x.dim(0), groups, width};
  return layout;
}

std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const DType t = sums(in[0]);
  const Layout layout = layout_of(in[0], attrs);
  const Value n = normalized(reshape(convert(in[0], t), layout.rows), attrs.real("eps")).x;
  const Value w = reshape(convert(in[1], t), layout.beside), b = reshape(convert(in[2], t), layout.beside);
  return {convert(reshape(n, in[0].dims()) * w + b, in[0].dtype())};
}

void grad(VjpArgs& v) {
  const DType t = sums(v.in[0]);
  const Layout layout = layout_of(v.in[0], v.attrs);
  const Dims& dims = v.in[0].dims();
  const Normalized n = normalized(reshape(convert(v.in[0], t), layout.rows), v.attrs.real("eps"));
  const Value dy = convert(v.cotangent[0], t), w = reshape(convert(v.in[1], t), layout.beside);
  if (v.wanted[0])
    v.grad[0] = convert(reshape(normalized_grad(n, reshape(dy * w, layout.rows)), dims), v.in[0].dtype());
  if (v.wanted[1]) v.grad[1] = convert(reduce_sum(dy * reshape(n.x, dims), layout.summed), v.in[1].dtype());
  if (v.wanted[2]) v.grad[2] = convert(reduce_sum(dy, layout.summed), v.in[2].dtype());
}

void batch_layer(BatchArgs& b) {
  if (b.batched[1] || b.batched[2]) return batch_decomposition(b);
  b.out = {layer_norm(b.in[0], b.in[1], b.in[2], b.node.attrs.real("eps"))};
}
void batch_group(BatchArgs& b) {
  if (b.batched[1] || b.batched[2]) return batch_decomposition(b);
  const Attrs& attrs = b.node.attrs;
  b.out = {unfold_batch(group_norm(fold_batch(b.in[0]), b.in[1], b.in[2], attrs.integer("groups"), attrs.real("eps")),
                        b.size)};
}

}  // namespace

std::vector<OpInfo> norms_ops() {
  return {{.name = "layer_norm",
           .doc = "layer normalisation of the last axis",
           .infer = infer_layer,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch_layer},
          {.name = "group_norm",
           .doc = "normalisation of groups of channels",
           .infer = infer_group,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch_group}};
}

}  // namespace hearth
