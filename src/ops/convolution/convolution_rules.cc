// SPDX-License-Identifier: Apache-2.0
// Derivatives, batching, complex numbers of convolution. Source: the transpose and batching rules of JAX's
// conv_general_dilated (jax/_src/lax/convolution.py). Differs: window reversal is an attribute and stays one.
#include <algorithm>
#include <numeric>

#include "ops/complex/complex.h"
#include "ops/convolution/convolution_rule.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"

namespace hearth {

Value axis_into(const Value& x, int64_t axis, int64_t into) {
  Dims order;
  for (int64_t i = 0; i < x.rank(); ++i) {
    if (i != axis) order.push_back(i);
  }
  order.insert(order.begin() + into, axis);
  const bool same = std::is_sorted(order.begin(), order.end());
  const Value moved = same ? x : transpose(x, order);
  Dims shape = moved.dims();
  shape[size_t(into)] *= shape[size_t(into) + 1];
  shape.erase(shape.begin() + into + 1);
  return moved.graph->add("reshape", {moved}, {{"shape", shape}});
}

Value axis_out_of(const Value& x, int64_t axis, int64_t outer) {
  Dims shape = x.dims();
  const int64_t inner = outer == 0 ? 0 : shape[size_t(axis)] / outer;
  shape[size_t(axis)] = inner;
  shape.insert(shape.begin() + axis, outer);
  return x.graph->add("reshape", {x}, {{"shape", shape}});
}

Value transposed_rhs(const Value& rhs, const Dims& axes, int64_t groups) {
  return groups == 1 ? rhs : axis_into(axis_out_of(rhs, axes[0], groups), axes[0], axes[1]);
}

namespace {

Dims swapped(Dims axes) {
  std::swap(axes[0], axes[1]);
  return axes;
}

// dlhs: the cotangent, with holes for strides, under the window read backwards.
Value grad_by_lhs(const Value& dy, const Value& rhs, const ConvShape& s, const ConvolutionOptions& o) {
  ConvolutionOptions t{.strides = o.lhs_dilation, .lhs_dilation = o.strides, .rhs_dilation = o.rhs_dilation};
  t.axes = {o.axes.out, swapped(o.axes.rhs), o.axes.lhs};
  t.feature_groups = s.groups();
  for (const ConvAxis& a : s.axes) {
    const int64_t reach = dilated(a.window, a.rhs_dilation);
    t.low.push_back(reach - 1 - a.low);
    t.high.push_back(dilated(a.lhs, a.lhs_dilation) - dilated(a.out, a.stride) + a.low);
    t.reversal.push_back(!a.reversed);
  }
  const Value grad = conv_general_dilated(dy, transposed_rhs(rhs, o.axes.rhs, s.groups()), t);
  if (s.batch_groups == 1) return grad;
  return axis_into(axis_out_of(grad, o.axes.lhs[1], s.batch_groups), o.axes.lhs[1], o.axes.lhs[0]);
}

// drhs: lhs under the cotangent as the window; batch elements are what is summed over.
Value grad_by_rhs(const Value& dy, const Value& lhs, const ConvShape& s, const ConvolutionOptions& o) {
  ConvolutionOptions t{
      .strides = o.rhs_dilation, .low = o.low, .lhs_dilation = o.lhs_dilation, .rhs_dilation = o.strides};
  t.axes = {swapped(o.axes.lhs), swapped(o.axes.out), swapped(o.axes.rhs)};
  t.feature_groups = s.batch_groups;
  t.batch_groups = s.feature_groups;
  Dims backwards;
  for (size_t i = 0; i < s.axes.size(); ++i) {
    const ConvAxis& a = s.axes[i];
    t.high.push_back(dilated(a.out, a.stride) - dilated(a.lhs, a.lhs_dilation) + dilated(a.window, a.rhs_dilation) -
                     a.low - 1);
    if (a.reversed) backwards.push_back(o.axes.rhs[i + 2]);
  }
  const Value grad = conv_general_dilated(lhs, dy, t);
  return backwards.empty() ? grad : reverse(grad, backwards);
}

}  // namespace

void conv_vjp(VjpArgs& v) {
  const ConvShape s = conv_shape_of(v.in[0], v.in[1], v.attrs);
  const ConvolutionOptions options = conv_options(v.attrs);
  const Value& dy = v.cotangent[0];
  const bool empty =
      v.out[0].type().elements() == 0 || v.in[0].type().elements() == 0 || v.in[1].type().elements() == 0;
  if (v.wanted[0]) v.grad[0] = empty ? scalar_like(v.in[0], 0) : grad_by_lhs(dy, v.in[1], s, options);
  if (v.wanted[1]) v.grad[1] = empty ? scalar_like(v.in[1], 0) : grad_by_rhs(dy, v.in[0], s, options);
}

// --- batching -------------------------------------------------------------------------------------------------------

namespace {

// Both batched: examples are groups of features (of the batch, where there are batch groups).
Value batch_both(const BatchArgs& b, ConvolutionOptions o) {
  const bool by_batch = o.batch_groups > 1;
  const Value lhs = axis_into(b.in[0], 0, o.axes.lhs[by_batch ? 0 : 1]);
  (by_batch ? o.batch_groups : o.feature_groups) *= b.size;
  const Value out = conv_general_dilated(lhs, axis_into(b.in[1], 0, o.axes.rhs[0]), o);
  return axis_out_of(out, o.axes.out[1], b.size);  // the batch is at axes.out[1]
}

// The examples join an axis whose groups must stay outermost.
Value inside_groups(const Value& x, int64_t axis, int64_t groups) {
  const Value cut = axis_out_of(x, axis + 1, groups);  // [size, ..., groups, rest, ...]
  return axis_into(axis_into(cut, 0, axis + 1), axis, axis);
}

Value batch_lhs(const BatchArgs& b, const ConvolutionOptions& o) {
  const int64_t axis = o.axes.lhs[0];
  const Value lhs = o.batch_groups == 1 ? axis_into(b.in[0], 0, axis) : inside_groups(b.in[0], axis, o.batch_groups);
  return axis_out_of(conv_general_dilated(lhs, b.in[1], o), o.axes.out[0], b.size);  // the batch is at axes.out[0]
}

Value batch_rhs(const BatchArgs& b, const ConvolutionOptions& o) {
  const int64_t axis = o.axes.rhs[0], to = o.axes.out[1], groups = o.feature_groups * o.batch_groups;
  if (groups == 1) return axis_out_of(conv_general_dilated(b.in[0], axis_into(b.in[1], 0, axis), o), to, b.size);
  const Value out = conv_general_dilated(b.in[0], inside_groups(b.in[1], axis, groups), o);
  const Value cut = axis_out_of(axis_out_of(out, to, groups), to + 1, b.size);  // [..., groups, size, rest, ...]
  return axis_into(cut, to, to + 1);
}

Value moved_to_front(const Value& x, int64_t axis) {
  if (axis == 0) return x;
  Dims order(size_t(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + axis);
  order.insert(order.begin(), axis);
  return transpose(x, order);
}

}  // namespace

void conv_batch(BatchArgs& b) {
  const ConvolutionOptions o = conv_options(b.node.attrs);
  const bool lhs_only = !b.batched[1];
  const Value out = lhs_only ? batch_lhs(b, o) : b.batched[0] ? batch_both(b, o) : batch_rhs(b, o);
  b.out = {moved_to_front(out, o.axes.out[lhs_only ? 0 : 1])};
}

// --- complex numbers ------------------------------------------------------------------------------------------------

// (a + bi)(c + di) by four real convolutions. Three would do, but lose small parts to cancellation.
std::vector<Value> conv_expand(Graph&, const Node& node, const std::vector<Value>& in) {
  if (!is_complex(node.types[0].dtype)) return {};
  const ConvolutionOptions o = conv_options(node.attrs);
  const Value a = real(in[0]), b = imag(in[0]), c = real(in[1]), d = imag(in[1]);
  const auto conv = [&](const Value& lhs, const Value& rhs) { return conv_general_dilated(lhs, rhs, o); };
  return {complex(conv(a, c) - conv(b, d), conv(a, d) + conv(b, c))};
}

}  // namespace hearth
