// SPDX-License-Identifier: Apache-2.0
#include "ops/rope/rope.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

static Value add_rope(const Value& x, const Value& positions, Attrs attrs) {
  return x.graph->add("rope", {x, positions}, std::move(attrs));
}

Value rope(const Value& x, const Value& positions, const RopeOptions& options) {
  return add_rope(
      x, positions,
      {{"frequencies", options.frequencies}, {"scale", options.scale}, {"inverse", int64_t(options.inverse)}});
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &x = args.in[0], &positions = args.in[1];
  HEARTH_CHECK(x.rank() == 4 && is_float(x.dtype()) && x.dim(3) % 2 == 0, shape,
               "rope: x must be a float [B,T,H,D] with even D; it is ", x);
  const Dims shared = {x.dim(1)}, each = {x.dim(0), x.dim(1)};
  HEARTH_CHECK(positions.dtype() == DType::i32 && (positions.dims() == shared || positions.dims() == each), shape,
               "rope: positions must be i32 [T] or [B,T]\n  x is ", x, "\n  positions is ", positions);
  HEARTH_CHECK(int64_t(args.attrs.reals("frequencies").size()) * 2 == x.dim(3), shape,
               "rope: ", args.attrs.reals("frequencies").size(), " frequencies for head size ", x.dim(3));
  return {x.type()};
}

// x as [B,T,H,2,h]: the half p is turned by adding the other half, read backwards along that axis, times -sin for the
// first and +sin for the second. So one pass reads x twice through strides; nothing is cut or joined.
static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const Value &x = in[0], &positions = in[1];
  const int64_t B = x.dim(0), T = x.dim(1), H = x.dim(2), h = x.dim(3) / 2;
  const DType t = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const bool each = positions.rank() == 2;
  const int64_t rows = each ? B * T : T;
  const Value frequencies = constant_list(graph, attrs.reals("frequencies"), t, {h});
  const Value angle = broadcast_in_dim(convert(reshape(positions, {rows}), t), {rows, h}, {0}) *
                      broadcast_in_dim(frequencies, {rows, h}, {1});
  const double scale = attrs.real("scale"), turn = attrs.integer("inverse") ? -scale : scale;
  const Value sign = iota(graph, t, {rows, 2, h}, 1) * 2.0 - 1.0;                        // -1 for the first half
  const Value sines = broadcast_in_dim(sin(angle), {rows, 2, h}, {0, 2}) * sign * turn;  // [rows,2,h]
  const Value cosines = cos(angle) * scale;                                              // [rows,h]
  const Dims whole = {B, T, H, 2, h};
  const Value halves = convert(reshape(x, whole), t);
  const Value c =
      each ? broadcast_in_dim(reshape(cosines, {B, T, h}), whole, {0, 1, 4}) : broadcast_in_dim(cosines, whole, {1, 4});
  const Value s = each ? broadcast_in_dim(reshape(sines, {B, T, 2, h}), whole, {0, 1, 3, 4})
                       : broadcast_in_dim(sines, whole, {1, 3, 4});
  const Value y = halves * c + convert(reverse(reshape(x, whole), {3}), t) * s;
  return {reshape(convert(y, x.dtype()), x.dims())};
}

// A rotation's transpose is the rotation backwards.
static void grad(VjpArgs& v) {
  Attrs attrs = v.attrs;
  attrs.set("inverse", int64_t(!v.attrs.integer("inverse")));
  v.grad[0] = add_rope(v.cotangent[0], v.in[1], attrs);
}

// Examples are more rows of the batch it has. Positions that all rows share stay shared.
static void batch(BatchArgs& b) {
  const bool shared = !b.batched[1] && b.node.inputs[1].rank() == 1;
  Value positions = shared ? b.in[1] : b.with_batch(1);  // [T], [N,T] or [N,B,T]
  if (!shared && b.node.inputs[1].rank() == 1) {
    const Value& x = b.node.inputs[0];
    positions = broadcast_in_dim(positions, {b.size, x.dim(0), x.dim(1)}, {0, 2});
  }
  const Value x = fold_batch(b.with_batch(0));
  b.out = {unfold_batch(add_rope(x, shared ? positions : fold_batch(positions), b.node.attrs), b.size)};
}

std::vector<OpInfo> rope_ops() {
  return {{.name = "rope",
           .doc = "rotary position embedding",
           .infer = infer,
           .vjp = grad,
           .decompose = decompose,
           .batch = batch}};
}

}  // namespace hearth
