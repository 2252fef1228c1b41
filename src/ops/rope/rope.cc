// SPDX-License-Identifier: Apache-2.0
#include "ops/rope/rope.h"

#include <algorithm>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

static Value add_rope(std::vector<Value> in, Attrs attrs) { return in[0].graph->add("rope", in, std::move(attrs)); }

Value rope(const Value& x, const Value& positions, const RopeOptions& options) {
  std::vector<Value> in = {x, positions};
  if (options.known_later) in.push_back(*options.known_later);
  Attrs attrs{{"frequencies", options.frequencies}, {"scale", options.scale}, {"inverse", int64_t(options.inverse)}};
  if (options.interleaved) attrs.set("interleaved", int64_t(1));
  return add_rope(in, std::move(attrs));
}

// R/2 of a call.
static int64_t pairs_of(const std::vector<Value>& in, const Attrs& attrs) {
  return in.size() > 2 ? in[2].dim(0) : int64_t(attrs.reals("frequencies").size());
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const Value &x = args.in[0], &positions = args.in[1];
  HEARTH_CHECK(x.rank() == 4 && is_float(x.dtype()), shape, "rope: x must be a float [B,T,H,D]; it is ", x);
  const Dims shared = {x.dim(1)}, each = {x.dim(0), x.dim(1)};
  HEARTH_CHECK(positions.dtype() == DType::i32 && (positions.dims() == shared || positions.dims() == each), shape,
               "rope: positions must be i32 [T] or [B,T]\n  x is ", x, "\n  positions is ", positions);
  HEARTH_CHECK(args.in.size() == 2 || (args.in[2].dtype() == DType::f32 && args.in[2].rank() == 1), shape,
               "rope: frequencies must be f32 [R/2]; it is ", args.in.back());
  const int64_t pairs = pairs_of(args.in, args.attrs);
  HEARTH_CHECK(pairs * 2 <= x.dim(3), shape, "rope: ", pairs, " frequencies for head size ", x.dim(3));
  return {x.type()};
}

struct Turn {
  Value cosines, sines;  // [rows,h], [rows,2,h] with the sign of each half; rows are T, or B*T when each has its own
  bool each;
  int64_t pair_axis;  // of x as [B,T,H,2,h], or as [B,T,H,h,2] when interleaved
};

static Turn turn_of(Graph& graph, const std::vector<Value>& in, const Attrs& attrs, DType t) {
  const Value &x = in[0], &positions = in[1];
  const int64_t h = pairs_of(in, attrs);
  const bool each = positions.rank() == 2;
  const int64_t rows = each ? x.dim(0) * x.dim(1) : x.dim(1);
  const Value frequencies =
      in.size() > 2 ? convert(in[2], t) : constant_list(graph, attrs.reals("frequencies"), t, {h});
  const Value angle = broadcast_in_dim(convert(reshape(positions, {rows}), t), {rows, h}, {0}) *
                      broadcast_in_dim(frequencies, {rows, h}, {1});
  const double scale = attrs.real("scale"), turn = attrs.integer("inverse") ? -scale : scale;
  const Value sign = iota(graph, t, {rows, 2, h}, 1) * 2.0 - 1.0;  // -1 for the first of a pair
  return {cos(angle) * scale, broadcast_in_dim(sin(angle), {rows, 2, h}, {0, 2}) * sign * turn, each,
          attrs.integer_or("interleaved", 0) ? 4 : 3};
}

// x as [B,T,H,2,h] (or [B,T,H,h,2]): one of a pair is turned by adding the other, read backwards along that axis, times
// -sin for the first and +sin for the second. So one pass reads x twice through strides; nothing is cut or joined.
static Value rotate(const Value& x, const Turn& turn, DType t) {
  const int64_t B = x.dim(0), T = x.dim(1), H = x.dim(2), h = x.dim(3) / 2;
  Dims whole = {B, T, H, 2, h};
  if (turn.pair_axis == 4) std::swap(whole[3], whole[4]);
  const int64_t in_pair = turn.pair_axis, pair = 7 - turn.pair_axis;
  const Value halves = convert(reshape(x, whole), t);
  const Value c = turn.each ? broadcast_in_dim(reshape(turn.cosines, {B, T, h}), whole, {0, 1, pair})
                            : broadcast_in_dim(turn.cosines, whole, {1, pair});
  // Its axes must come in the order of x's.
  const Value sines = in_pair == 3 ? turn.sines : transpose(turn.sines, {0, 2, 1});
  Dims tail(sines.dims().begin() + 1, sines.dims().end());
  const Value s = turn.each ? broadcast_in_dim(reshape(sines, {B, T, tail[0], tail[1]}), whole, {0, 1, 3, 4})
                            : broadcast_in_dim(sines, whole, {1, 3, 4});
  const Value y = halves * c + convert(reverse(reshape(x, whole), {in_pair}), t) * s;
  return reshape(convert(y, x.dtype()), x.dims());
}

static std::vector<Value> decompose(Graph& graph, const std::vector<Value>& in, const Attrs& attrs) {
  const Value& x = in[0];
  const DType t = x.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const int64_t D = x.dim(3), R = 2 * pairs_of(in, attrs);
  const Turn turn = turn_of(graph, in, attrs, t);
  if (R == D) return {rotate(x, turn, t)};
  return {concatenate({rotate(slice_axis(x, 3, 0, R), turn, t), slice_axis(x, 3, R, D)}, 3)};
}

// A rotation's transpose is the rotation backwards.
static void grad(VjpArgs& v) {
  Attrs attrs = v.attrs;
  attrs.set("inverse", int64_t(!v.attrs.integer("inverse")));
  std::vector<Value> in = v.in;
  in[0] = v.cotangent[0];
  v.grad[0] = add_rope(in, attrs);
}

// Examples are more rows of the batch it has. Positions that all rows share stay shared.
static void batch(BatchArgs& b) {
  if (b.in.size() > 2 && b.batched[2]) return batch_decomposition(b);
  const bool shared = !b.batched[1] && b.node.inputs[1].rank() == 1;
  Value positions = shared ? b.in[1] : b.with_batch(1);  // [T], [N,T] or [N,B,T]
  if (!shared && b.node.inputs[1].rank() == 1) {
    const Value& x = b.node.inputs[0];
    positions = broadcast_in_dim(positions, {b.size, x.dim(0), x.dim(1)}, {0, 2});
  }
  const Value x = fold_batch(b.with_batch(0));
  std::vector<Value> in = {x, shared ? positions : fold_batch(positions)};
  if (b.in.size() > 2) in.push_back(b.in[2]);
  b.out = {unfold_batch(add_rope(in, b.node.attrs), b.size)};
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
