// SPDX-License-Identifier: Apache-2.0
#include "array/statistics_order.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "array/recording.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/sort/sort.h"

namespace hearth {
namespace {

// Where a quantile lies among n sorted elements: between number floor(index) and the next, as far as `weight` says.
struct Place {
  Value index, weight;
};

Place between(const Value& index) { return {index, index - floor(index)}; }
Place at(const Value& index) { return {index, scalar_like(index, 0)}; }

// The methods of Hyndman and Fan with parameters alpha and beta.
Place plotting_position(const Value& n, const Value& q, double alpha, double beta) {
  return between(n * q + (q * (1 - alpha - beta) + alpha) - 1);
}

// n and q: f64 of one shape.
Place place_of(const std::string& method, const Value& n, const Value& q) {
  static const std::map<std::string, std::pair<double, double>> positions = {
      {"interpolated_inverted_cdf", {0, 1}},
      {"hazen", {0.5, 0.5}},
      {"weibull", {0, 0}},
      {"median_unbiased", {1 / 3.0, 1 / 3.0}},
      {"normal_unbiased", {3 / 8.0, 3 / 8.0}},
  };
  const auto found = positions.find(method);
  if (found != positions.end()) return plotting_position(n, q, found->second.first, found->second.second);
  const Value even = (n - 1) * q;
  if (method == "linear") return between(even);
  if (method == "lower") return at(floor(even));
  if (method == "higher") return at(ceil(even));
  if (method == "nearest") return at(round_nearest_even(even));
  if (method == "midpoint") return between((floor(even) + ceil(even)) * 0.5);
  if (method == "inverted_cdf") return at(ceil(n * q - 1));
  if (method == "averaged_inverted_cdf") {
    const Place p = between(n * q - 1);
    return {p.index, select(compare("EQ", p.weight, scalar_like(p.weight, 0)), scalar_like(p.weight, 0.5),
                            scalar_like(p.weight, 1))};
  }
  HEARTH_CHECK(method == "closest_observation", value, "quantile: unknown method '", method, "'");
  const Value index = n * q - 1.5, before = floor(index);
  const Value odd = compare("NE", floor(before * 0.5) * 2.0, before);
  return at(select(compare("EQ", index, before) & odd, before, before + 1));
}

Value element(const Value& sorted, const Value& place, const Value& n) {
  const Value inside = maximum(minimum(place, n - 1), scalar_like(n, 0));
  return gather_along_axis(sorted, convert(inside, DType::i32), sorted.rank() - 1);
}

// From the nearer side, as NumPy; equal neighbours, such as infinities, need no arithmetic.
Value interpolated(const Value& a, const Value& b, const Value& weight) {
  const Value t = convert(weight, a.dtype()), step = b - a;
  const Value near_b = compare("GE", t, scalar_like(t, 0.5));
  const Value y = select(near_b, b - step * (1.0 - t), a + step * t);
  return select(compare("EQ", a, b), a, y);
}

struct SortedLanes {
  Value rows;    // [L..., n]
  Value count;   // f64 [L...]: elements to choose from
  Value is_nan;  // [L...]: the result is NaN
};
SortedLanes sorted_lanes(const Value& x, const Dims& axes, bool skip_nan) {
  SortedLanes out;
  out.rows = sort(lanes_last(widened(x), axes));
  const Dims last = {out.rows.rank() - 1};
  const Value numbers = compare("EQ", out.rows, out.rows);
  const Value count = reduce_sum(convert(numbers, DType::f64), last);
  const double n = double(out.rows.dim(-1));
  out.count = skip_nan ? count : scalar_like(count, n);
  out.is_nan = compare("LT", count, scalar_like(count, skip_nan ? 1 : n));
  return out;
}

Value or_nan(const Value& y, const Value& is_nan) {
  return select(is_nan, constant(*y.graph, std::nan(""), y.dtype(), y.dims()), y);
}

DType result_dtype(const Value& x) { return is_inexact(x.dtype()) ? x.dtype() : DType::f32; }

void expect_real(const char* op, const Value& x) {
  HEARTH_CHECK(!is_complex(x.dtype()), dtype, op, ": needs real numbers; x is ", x.type());
}

Array median_of(const char* op, const Array& x, const ReduceOptions& o, bool skip_nan) {
  return record(
      [&](const Value& v) {
        const Dims axes = axes_of(op, v, o.axis);
        expect_real(op, v);
        expect_elements(op, v, axes);
        const SortedLanes lanes = sorted_lanes(v, axes, skip_nan);
        Dims one = lanes.count.dims();
        one.push_back(1);
        const Value n = reshape(lanes.count, one), middle = (n - 1) * 0.5;
        const Value a = element(lanes.rows, floor(middle), n), b = element(lanes.rows, ceil(middle), n);
        const Value y = reshape(select(compare("EQ", a, b), a, (a + b) * 0.5), lanes.count.dims());
        return put_back(convert(or_nan(y, lanes.is_nan), result_dtype(v)), v, axes, o.keepdims);
      },
      x);
}

Array quantile_of(const char* op, const Array& x, const Array& q, const QuantileOptions& o, bool skip_nan,
                  double whole) {
  const std::lock_guard lock(array_mutex());
  const Value v = to_value(x), given = to_value(q, DType::f64);
  const Dims axes = axes_of(op, v, o.axis);
  expect_real(op, v);
  expect_elements(op, v, axes);
  const SortedLanes lanes = sorted_lanes(v, axes, skip_nan);
  Dims each = lanes.count.dims(), lead;  // [L..., Q]
  for (int64_t i = 0; i < lanes.count.rank(); ++i) lead.push_back(i);
  each.push_back(q.size());
  const Value share = broadcast_in_dim(flattened(given) / whole, each, {int64_t(lead.size())});
  const Value n = broadcast_in_dim(lanes.count, each, lead);
  const Place place = place_of(o.method, n, share);
  const Value before = floor(place.index);
  Value y = interpolated(element(lanes.rows, before, n), element(lanes.rows, before + 1, n), place.weight);
  y = or_nan(y, broadcast_in_dim(lanes.is_nan, each, lead) | compare("NE", share, share));
  y = convert(move_axis(y, y.rank() - 1, 0), result_dtype(v));  // [Q, L...]
  Dims shape = q.shape();
  for (int64_t i = 0; i < v.rank(); ++i) {
    const bool gone = std::find(axes.begin(), axes.end(), i) != axes.end();
    if (!gone || o.keepdims) shape.push_back(gone ? 1 : v.dim(i));
  }
  return from_value(reshape(y, shape));
}

}  // namespace

Array median(const Array& x, const ReduceOptions& o) { return median_of("median", x, o, false); }
Array nanmedian(const Array& x, const ReduceOptions& o) { return median_of("nanmedian", x, o, true); }
Array quantile(const Array& x, const Array& q, const QuantileOptions& o) {
  return quantile_of("quantile", x, q, o, false, 1);
}
Array nanquantile(const Array& x, const Array& q, const QuantileOptions& o) {
  return quantile_of("nanquantile", x, q, o, true, 1);
}
Array percentile(const Array& x, const Array& q, const QuantileOptions& o) {
  return quantile_of("percentile", x, q, o, false, 100);
}
Array nanpercentile(const Array& x, const Array& q, const QuantileOptions& o) {
  return quantile_of("nanpercentile", x, q, o, true, 100);
}

}  // namespace hearth
