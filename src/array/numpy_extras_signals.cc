// SPDX-License-Identifier: Apache-2.0
// Interpolation, differences, integrals and one-dimensional filters.
#include <algorithm>

#include "array/numpy_extras.h"
#include "array/recording.h"
#include "array/searching_values.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/complex/complex.h"
#include "ops/convolution/convolution.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

Value at(const Value& x, int64_t i) { return reshape(slice_axis(x, 0, i, i + 1), {}); }

// Elements begin, begin + 1 ... along the axis; `end` counts from the end when it is not positive.
Value part(const Value& x, int64_t axis, int64_t begin, int64_t end) {
  const int64_t n = x.dim(axis);
  return slice_axis(x, axis, begin < 0 ? begin + n : begin, end <= 0 ? end + n : end);
}

struct Samples {
  Value x, places, values;  // [P], [P]: where, and what
};

// One sample more at both ends, a period away.
Samples around(const Samples& s, double period) {
  const Value length = scalar_like(s.places, period);
  const std::vector<Value> sorted = sort_by_keys({mod(s.places, length), s.values}, 0);
  const int64_t n = s.places.dim(0);
  const auto ends = [&](const Value& v, double step) {
    return concatenate({slice_axis(v, 0, n - 1, n) - step, v, slice_axis(v, 0, 0, 1) + step}, 0);
  };
  return {mod(s.x, scalar_like(s.x, period)), ends(sorted[0], period), ends(sorted[1], 0)};
}

Value interpolated(const Samples& s) {
  const int64_t n = s.places.dim(0);
  if (n == 1) return broadcast_to(at(s.values, 0), s.x.dims()) + (s.x - s.x);  // NaN stays
  const Value found = search_sorted(s.places, s.x, true);
  const Value after = clamp(scalar_like(found, 1), found, scalar_like(found, double(n - 1))), before = after - 1;
  const Value x0 = take(s.places, before, 0), y0 = take(s.values, before, 0);
  const Value width = take(s.places, after, 0) - x0, rise = take(s.values, after, 0) - y0;
  const Value flat = compare("EQ", width, scalar_like(width, 0));
  const Value slope = rise / select(flat, scalar_like(width, 1), width);
  return select(flat, y0, y0 + (s.x - x0) * slope);
}

// Weights of three neighbours for the derivative at one of them, from the distances dx1, dx2 between them.
Value three(const Value& f, int64_t axis, int64_t begin, const std::vector<Value>& weights) {
  Value y;
  for (int64_t k = 0; k < 3; ++k) {
    const Value term = slice_axis(f, axis, begin + k, begin + k + weights[0].dim(0)) *
                       broadcast_in_dim(weights[size_t(k)],
                                        slice_axis(f, axis, begin + k, begin + k + weights[0].dim(0)).dims(), {axis});
    y = k == 0 ? term : y + term;
  }
  return y;
}
enum class Side { first, middle, last };
std::vector<Value> weights(const Value& dx1, const Value& dx2, Side side) {
  const Value both = dx1 + dx2;
  if (side == Side::first) return {-(dx1 * 2.0 + dx2) / (dx1 * both), both / (dx1 * dx2), -dx1 / (dx2 * both)};
  if (side == Side::last) return {dx2 / (dx1 * both), -both / (dx1 * dx2), (dx2 * 2.0 + dx1) / (dx2 * both)};
  return {-dx2 / (dx1 * both), (dx2 - dx1) / (dx1 * dx2), dx1 / (dx2 * both)};
}

// dx: distances [N-1]. `even`: all equal, so that the middle one of three neighbours plays no part.
Value derivative(const Value& f, int64_t axis, const Value& dx, bool even, int64_t edge_order) {
  const int64_t n = f.dim(axis);
  HEARTH_CHECK(n > edge_order, shape, "gradient: needs at least ", edge_order + 1, " elements along axis ", axis,
               "; f is ", f.type());
  const auto distance = [&](int64_t begin, int64_t end) { return slice_axis(dx, 0, begin, end); };
  const auto along = [&](const Value& v, const Value& like) { return broadcast_in_dim(v, like.dims(), {axis}); };
  Value first, last;
  if (edge_order == 2) {
    first = three(f, axis, 0, weights(distance(0, 1), distance(1, 2), Side::first));
    last = three(f, axis, n - 3, weights(distance(n - 3, n - 2), distance(n - 2, n - 1), Side::last));
  } else {
    first = part(f, axis, 1, 2) - part(f, axis, 0, 1);
    last = part(f, axis, -1, 0) - part(f, axis, n - 2, -1);
    first = first / along(distance(0, 1), first);
    last = last / along(distance(n - 2, n - 1), last);
  }
  if (n == 2) return concatenate({first, last}, axis);
  Value middle;
  if (even) {
    middle = part(f, axis, 2, 0) - part(f, axis, 0, -2);
    middle = middle / along(distance(0, n - 2) * 2.0, middle);
  } else {
    middle = three(f, axis, 0, weights(distance(0, n - 2), distance(1, n - 1), Side::middle));
  }
  return concatenate({first, middle, last}, axis);
}

// a [N], v [M] -> [N + M - 1]: sum of a[k - n] v[n]
Value full_convolution(const Value& a, const Value& v) {
  const int64_t n = a.dim(0), m = v.dim(0);
  const Value y = conv_general_dilated(reshape(a, {1, 1, n}), reshape(reverse(v, {0}), {1, 1, m}),
                                       {.low = {m - 1}, .high = {m - 1}});
  return reshape(y, {n + m - 1});
}

Array filtered(const char* op, const Array& a, const Array& v, const std::string& mode, bool correlates) {
  HEARTH_CHECK(a.ndim() == 1 && v.ndim() == 1, shape, op, ": needs one axis\n  a is ", a.type(), "\n  v is ", v.type());
  HEARTH_CHECK(a.size() > 0 && v.size() > 0, value, op, ": an operand is empty\n  a is ", a.type(), "\n  v is ",
               v.type());
  HEARTH_CHECK(mode == "full" || mode == "same" || mode == "valid", value, op, ": mode '", mode,
               "' is none of full, same, valid");
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted({a, v}).dtype;
  const bool is_bool = dtype == DType::boolean, swapped = v.size() > a.size();
  const Values in = to_values({swapped ? v : a, swapped ? a : v}, is_bool ? DType::i32 : dtype);
  const Value window = correlates ? reverse(is_complex(dtype) ? conj(in[1]) : in[1], {0}) : in[1];
  const int64_t n = in[0].dim(0), m = in[1].dim(0);
  Value y = full_convolution(in[0], window);
  if (mode == "same") y = slice_axis(y, 0, (m - 1) / 2, (m - 1) / 2 + n);
  if (mode == "valid") y = slice_axis(y, 0, m - 1, n);
  if (correlates && swapped) {  // as if the operands had not been exchanged
    y = reverse(y, {0});
    if (is_complex(dtype)) y = conj(y);
  }
  return from_value(is_bool ? convert(y, DType::boolean) : y);
}

}  // namespace

Array convolve(const Array& a, const Array& v, const std::string& mode) {
  return filtered("convolve", a, v, mode, false);
}
Array correlate(const Array& a, const Array& v, const std::string& mode) {
  return filtered("correlate", a, v, mode, true);
}

Array interp(const Array& x, const Array& xp, const Array& fp, const InterpOptions& o) {
  HEARTH_CHECK(xp.ndim() == 1 && xp.shape() == fp.shape() && xp.size() > 0, shape,
               "interp: xp and fp need one axis of the same size, not 0\n  xp is ", xp.type(), "\n  fp is ", fp.type());
  HEARTH_CHECK(!o.period || *o.period != 0, value, "interp: the period is 0");
  const std::lock_guard lock(array_mutex());
  const DType dtype = promote_to_inexact(promoted({x, xp, fp})).dtype;
  HEARTH_CHECK(!is_complex(dtype), dtype, "interp: needs real numbers; fp is ", fp.type());
  Samples s{to_value(x, dtype), to_value(xp, dtype), to_value(fp, dtype)};
  if (o.period) return from_value(interpolated(around(s, std::abs(*o.period))));
  const Value left = o.left ? to_value(*o.left, dtype) : at(s.values, 0);
  const Value right = o.right ? to_value(*o.right, dtype) : at(s.values, xp.size() - 1);
  Value y = interpolated(s);
  y = select(compare("LT", s.x, at(s.places, 0)), left, y);
  return from_value(select(compare("GT", s.x, at(s.places, xp.size() - 1)), right, y));
}

Array trapezoid(const Array& y, const TrapezoidOptions& o) {
  const std::lock_guard lock(array_mutex());
  Arrays in = {y};
  if (o.x) in.push_back(*o.x);
  const DType dtype = promote_to_inexact(promoted(in)).dtype;
  const Value v = to_value(y, dtype);
  const int64_t axis = checked_axis("trapezoid", v, o.axis), n = v.dim(axis);
  if (n == 0) return from_value(reduce_sum(v, {axis}));
  const Value pairs = slice_axis(v, axis, 1, n) + slice_axis(v, axis, 0, n - 1);
  Value width = scalar_like(pairs, o.dx);
  if (o.x) {
    Value places = to_value(*o.x, dtype);
    HEARTH_CHECK(places.dims() == v.dims() || places.dims() == Dims{n}, shape, "trapezoid: x needs ", n,
                 " elements, or y's shape\n  y is ", y.type(), "\n  x is ", o.x->type());
    if (places.dims() != v.dims()) places = broadcast_in_dim(places, v.dims(), {axis});
    width = slice_axis(places, axis, 1, n) - slice_axis(places, axis, 0, n - 1);
  }
  return from_value(reduce_sum(pairs * width * 0.5, {axis}));
}

Arrays gradient(const Array& f, const GradientOptions& o) {
  const std::lock_guard lock(array_mutex());
  HEARTH_CHECK(o.edge_order == 1 || o.edge_order == 2, value, "gradient: edge_order is ", o.edge_order, ", not 1 or 2");
  const DType dtype = promote_to_inexact(promoted({f})).dtype;
  const Value v = to_value(f, dtype);
  const Dims axes = axes_of("gradient", v, o.axis);
  HEARTH_CHECK(o.spacing.size() <= 1 || o.spacing.size() == axes.size(), value, "gradient: ", o.spacing.size(),
               " spacings for ", axes.size(), " axes");
  Arrays out;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t n = v.dim(axes[i]);
    const Array given = o.spacing.empty() ? Array(1.0) : o.spacing[o.spacing.size() == 1 ? 0 : i];
    const Value h = to_value(given, dtype);
    HEARTH_CHECK(h.rank() == 0 || h.dims() == Dims{n}, shape, "gradient: places along axis ", axes[i], " must be [", n,
                 "]; they are ", given.type());
    const bool even = h.rank() == 0;
    const Value dx = even ? broadcast_to(h, {std::max<int64_t>(0, n - 1)}) : part(h, 0, 1, 0) - part(h, 0, 0, -1);
    out.push_back(from_value(derivative(v, axes[i], dx, even, o.edge_order)));
  }
  return out;
}

Array ediff1d(const Array& x, const std::optional<Array>& to_end, const std::optional<Array>& to_begin) {
  const std::lock_guard lock(array_mutex());
  const Value steps = flattened(to_value(diff(x.reshape({x.size()}))));
  Values parts;
  if (to_begin) parts.push_back(flattened(to_value(*to_begin, steps.dtype())));
  parts.push_back(steps);
  if (to_end) parts.push_back(flattened(to_value(*to_end, steps.dtype())));
  return from_value(parts.size() == 1 ? steps : concatenate(parts, 0));
}

}  // namespace hearth
