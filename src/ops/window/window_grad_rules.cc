// SPDX-License-Identifier: Apache-2.0
// Derivatives of reduce_window.
#include <algorithm>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"
#include "ops/window/window_axes.h"
#include "ops/window/window_rules.h"

namespace hearth {
namespace {

// y[o] = sum_k x at place o s + k w - low, x's elements b apart. So dx at place p is the sum of dy, s apart, at places
// p b + low - k w: windows over dy, whose strides and base dilations are swapped, tap size - 1 - k in place of k.
Value sum_transposed(const Value& dy, const Dims& x, const WindowAxes& a) {
  WindowDims back{
      .size = a.size, .strides = a.base_dilations, .base_dilations = a.strides, .window_dilations = a.window_dilations};
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t window = dilated(a.size[i], a.window_dilations[i]), low = window - 1 - a.low[i];
    back.padding_low.push_back(low);
    back.padding_high.push_back(dilated(x[i], a.base_dilations[i]) + window - 1 - low -
                                dilated(dy.dim(int64_t(i)), a.strides[i]));
  }
  return reduce_window(dy, "sum", back);
}

// Tap number t (row-major over the window) of every window, of x with its padding.
struct Tap {
  Dims start, limit;
};
Tap tap(int64_t t, const WindowAxes& a, const Dims& windows) {
  Tap result{Dims(a.size.size()), Dims(a.size.size())};
  for (size_t i = a.size.size(); i-- > 0;) {
    result.start[i] = t % a.size[i] * a.window_dilations[i];
    result.limit[i] = result.start[i] + dilated(windows[i], a.strides[i]);
    t /= a.size[i];
  }
  return result;
}

Dims negative(Dims list) {
  for (int64_t& n : list) n = -n;
  return list;
}
Dims less_one(Dims list) {
  for (int64_t& n : list) --n;
  return list;
}

// Each tap's cotangent is dy times the product of the other taps: of those before it and of those after it. Exact where
// elements are 0, as y / x would not be.
Value product_transposed(const Value& x, const Value& dy, const WindowAxes& a) {
  constexpr int64_t kMostTaps = 4096;
  const int64_t taps = num_elements(a.size);
  HEARTH_CHECK(taps <= kMostTaps, unsupported, "reduce_window product: the derivative of windows of ", taps,
               " elements needs as many terms; at most ", kMostTaps);
  Graph& g = *x.graph;
  const Value one = constant(g, 1, x.dtype()), zero = constant(g, 0, x.dtype());
  const Value padded = pad(x, one, {a.low, a.high, less_one(a.base_dilations)});
  std::vector<Value> values, after{scalar_like(dy, 1)};
  for (int64_t t = 0; t < taps; ++t) {
    const Tap at = tap(t, a, dy.dims());
    values.push_back(slice(padded, at.start, at.limit, a.strides));
  }
  for (int64_t t = taps - 1; t > 0; --t) after.push_back(after.back() * values[size_t(t)]);
  Value before = dy, sum;
  for (int64_t t = 0; t < taps; ++t) {
    const Tap at = tap(t, a, dy.dims());
    Padding place{.low = at.start, .interior = less_one(a.strides)};
    for (size_t i = 0; i < at.limit.size(); ++i) place.high.push_back(padded.dim(int64_t(i)) - at.limit[i]);
    const Value term = pad(before * after[size_t(taps - 1 - t)], zero, place);
    sum = sum.valid() ? sum + term : term;
    before = before * values[size_t(t)];
  }
  const Value unpadded = pad(sum, zero, {negative(a.low), negative(a.high), Dims(a.low.size(), 0)});
  return slice(unpadded, Dims(a.low.size(), 0), unpadded.dims(), a.base_dilations);
}

}  // namespace

void reduce_window_vjp(VjpArgs& v) {
  const WindowAxes axes = window_axes(v.attrs);
  const std::string& kind = v.attrs.text("kind");
  const Value &x = v.in[0], &dy = v.cotangent[0];
  if (num_elements(x.dims()) == 0 || num_elements(dy.dims()) == 0) {
    v.grad[0] = scalar_like(x, 0);
    return;
  }
  if (kind == "sum") v.grad[0] = sum_transposed(dy, x.dims(), axes);
  if (kind == "product") v.grad[0] = product_transposed(x, dy, axes);
  if (kind == "max") v.grad[0] = select_and_scatter(x, dy, "GE", window_dims(v.attrs));
  if (kind == "min") v.grad[0] = select_and_scatter(x, dy, "LE", window_dims(v.attrs));
}

}  // namespace hearth
