// SPDX-License-Identifier: Apache-2.0
#include "array/statistics_nan.h"

#include <cmath>
#include <limits>

#include "array/recording.h"
#include "base/error.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();

Array is_number(const Array& x) { return x == x; }

// x with `stand_in` for NaN.
Array without_nan(const Array& x, double stand_in) {
  if (!is_inexact(x.dtype())) return x;
  return select({is_number(x)}, {x}, array(std::vector<double>{stand_in}).astype(x.dtype()).reshape({}));
}

Array nan_where_empty(const Array& y, const Array& count) {
  return select({count > 0}, {y}, array(std::vector<double>{kNaN}).astype(y.dtype()).reshape({}));
}

Array extreme(const Array& x, const ReduceOptions& o, Array (*f)(const Array&, const ReduceOptions&), double stand_in) {
  if (!is_inexact(x.dtype())) return f(x, o);
  return nan_where_empty(f(without_nan(x, stand_in), o), count_nonzero(is_number(x), o));
}

Array place_of_extreme(const Array& x, const ArgOptions& o, Array (*f)(const Array&, const ArgOptions&),
                       double stand_in) {
  if (!is_inexact(x.dtype())) return f(x, o);
  // Looks for the first element that is as large: an infinite one may stand after a NaN that was taken for infinite.
  const Array plain = without_nan(x, stand_in);
  const Axes axis = o.axis;
  const Array found =
      stand_in < 0 ? max(plain, {.axis = axis, .keepdims = true}) : min(plain, {.axis = axis, .keepdims = true});
  const Array first = argmax(is_number(x) & (x == found), o);
  return select({any(is_number(x), {.axis = axis, .keepdims = o.keepdims})}, {first}, -1);
}

// In f32 at least.
struct Moments {
  Array count, variance;
};
Moments moments(const Array& x, const VarianceOptions& o) {
  const Array wide = record(widened, x), there = is_number(wide);
  const Array count = sum(there, {.axis = o.axis, .keepdims = true}).astype(real_part(wide.dtype()));
  const Array centre = sum(without_nan(wide, 0), {.axis = o.axis, .keepdims = true}) / count;
  const Array off = without_nan(wide - centre, 0);
  const Array square = record(
      [](const Value& v) {
        if (!is_complex(v.dtype())) return v * v;
        return real(v) * real(v) + imag(v) * imag(v);
      },
      off);
  const Array left = sum(there, {.axis = o.axis, .keepdims = o.keepdims}).astype(count.dtype());
  return {left, sum(square, {.axis = o.axis, .keepdims = o.keepdims}) / (left - o.correction)};
}

DType result_dtype(const Array& x) { return is_inexact(x.dtype()) ? real_part(x.dtype()) : DType::f32; }

}  // namespace

Array nansum(const Array& x, const SumOptions& o) { return sum(without_nan(x, 0), o); }
Array nanprod(const Array& x, const SumOptions& o) { return prod(without_nan(x, 1), o); }
Array nancumsum(const Array& x, const CumulativeOptions& o) { return cumulative_sum(without_nan(x, 0), o); }
Array nancumprod(const Array& x, const CumulativeOptions& o) { return cumulative_prod(without_nan(x, 1), o); }

Array nanmean(const Array& x, const ReduceOptions& o) {
  if (!is_inexact(x.dtype())) return mean(x, {.axis = o.axis, .keepdims = o.keepdims});
  const Array wide = record(widened, x);
  const Array total = sum(without_nan(wide, 0), {.axis = o.axis, .keepdims = o.keepdims});
  return (total / count_nonzero(is_number(x), o).astype(real_part(wide.dtype()))).astype(x.dtype());
}

Array nanvar(const Array& x, const VarianceOptions& o) {
  const Moments m = moments(x, o);
  return nan_where_empty(m.variance, m.count - o.correction).astype(result_dtype(x));
}
Array nanstd(const Array& x, const VarianceOptions& o) {
  const Moments m = moments(x, o);
  const Array root = record([](const Value& v) { return sqrt(v); }, m.variance);
  return nan_where_empty(root, m.count - o.correction).astype(result_dtype(x));
}

Array nanmax(const Array& x, const ReduceOptions& o) { return extreme(x, o, max, -kInfinity); }
Array nanmin(const Array& x, const ReduceOptions& o) { return extreme(x, o, min, kInfinity); }
Array nanargmax(const Array& x, const ArgOptions& o) { return place_of_extreme(x, o, argmax, -kInfinity); }
Array nanargmin(const Array& x, const ArgOptions& o) { return place_of_extreme(x, o, argmin, kInfinity); }

}  // namespace hearth
