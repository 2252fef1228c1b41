// SPDX-License-Identifier: Apache-2.0
#include "array/padding.h"

#include <algorithm>

#include "array/axes.h"
#include "array/creation.h"
#include "array/elementwise_functions.h"
#include "array/lift.h"
#include "array/manipulation.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

using Pair = std::pair<int64_t, int64_t>;

Array part(const Array& x, int64_t axis, int64_t start, int64_t stop) {
  return lift(x, [&](const Value& v) { return slice_axis(v, axis, start, stop); });
}
Array pick(const Array& x, int64_t axis, const Dims& places) {
  const Array at = array(places);
  return lift(x, [&](const Value& v) { return take(v, to_value(at), axis); });
}
Array widened(const Array& x, int64_t axis, int64_t size) {  // from size 1
  Dims shape = x.shape();
  shape[size_t(axis)] = size;
  return broadcast_to(x, shape);
}
// A number per element of the axis, of x's type.
Array along(const Array& x, int64_t axis, const Dims& numbers) {
  Dims shape(size_t(x.ndim()), 1);
  shape[size_t(axis)] = int64_t(numbers.size());
  return array(numbers, shape).astype(x.dtype());
}

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// Where the element at place p (below 0 or past the end) of the extended axis comes from. q counts mirrored copies.
struct Source {
  int64_t index, q;
};
Source source_of(PadMode mode, int64_t p, int64_t n) {
  if (mode == PadMode::edge) return {std::clamp<int64_t>(p, 0, n - 1), 0};
  const int64_t period = mode == PadMode::reflect ? std::max<int64_t>(n - 1, 1) : n, q = floor_div(p, period),
                r = p - q * period;
  if (n == 1) return {0, q};
  if (mode == PadMode::wrap || q % 2 == 0) return {r, q};
  return {period - r - (mode == PadMode::symmetric ? 1 : 0), q};
}

// Mirrored again and again at both ends, each time 2 edge - mirrored. With f the first and l the last element, copy q
// is
//   even: x + q (l - f)        odd: 2 l - x + (q - 1) (l - f)
Array odd_copies(const Array& x, int64_t axis, const Dims& places, PadMode mode) {
  const int64_t n = x.dim(axis);
  Dims index, of_first, of_last, flips;
  for (const int64_t p : places) {
    const auto [i, q] = source_of(mode, p, n);
    const bool odd = q % 2 != 0;
    index.push_back(i);
    flips.push_back(odd);
    of_first.push_back(odd ? 1 - q : -q);
    of_last.push_back(odd ? 1 + q : q);
  }
  // What is not wanted is left out rather than multiplied by 0: it may be infinite.
  const auto times = [&](const Array& edge, const Dims& factors) {
    const Array f = along(x, axis, factors);
    return where(f == 0, 0, f * edge);
  };
  const Array copy = pick(x, axis, index);
  const Array turned = where(along(x, axis, flips) == 1, 0 - copy, copy);
  return turned + times(part(x, axis, 0, 1), of_first) + times(part(x, axis, n - 1, n), of_last);
}

Array copies(const Array& x, int64_t axis, int64_t first, int64_t last, const PadOptions& options) {
  Dims places, index;
  for (int64_t p = first; p < last; ++p) places.push_back(p);
  const bool mirrors = options.mode == PadMode::reflect || options.mode == PadMode::symmetric;
  if (options.odd && mirrors && x.dim(axis) > 1) return odd_copies(x, axis, places, options.mode);
  for (const int64_t p : places) index.push_back(source_of(options.mode, p, x.dim(axis)).index);
  return pick(x, axis, index);
}

// `count` elements from `outer` towards the edge, which is not among them; integers are rounded down.
Array ramp(const Array& x, int64_t axis, int64_t count, const Array& outer, bool before) {
  const int64_t n = x.dim(axis);
  const Array edge = before ? part(x, axis, 0, 1) : part(x, axis, n - 1, n);
  Dims steps;
  for (int64_t i = 0; i < count; ++i) steps.push_back(before ? i : count - 1 - i);
  const DType exact = is_inexact(x.dtype()) ? x.dtype() : DType::f64;
  const Array end = outer.astype(exact), step = along(x.astype(exact), axis, steps);
  const Array points = end + (edge.astype(exact) - end) / double(count) * step;
  return (is_inexact(x.dtype()) ? points : floor(points)).astype(x.dtype());
}

Array statistic(const Array& x, int64_t axis, Pair range, PadMode mode) {
  const Array of = part(x, axis, range.first, range.second);
  const bool rounds = mode == PadMode::mean && !is_inexact(x.dtype());
  const Array y = lift(rounds ? of.astype(DType::f64) : of, [&](const Value& v) {
    const Value r = mode == PadMode::maximum   ? reduce_max(v, {axis})
                    : mode == PadMode::minimum ? reduce_min(v, {axis})
                                               : reduce_sum(v, {axis}) / double(range.second - range.first);
    Dims shape = v.dims();
    shape[size_t(axis)] = 1;
    return reshape(r, shape);
  });
  return rounds ? round(y).astype(x.dtype()) : y;
}

template <class T>
const T& of_axis(const std::vector<T>& all, int64_t axis) {
  return all[all.size() == 1 ? 0 : size_t(axis)];
}

// The new elements on one side.
Array side(const Array& x, int64_t axis, int64_t count, bool before, const PadOptions& options) {
  const int64_t n = x.dim(axis);
  Dims shape = x.shape();
  shape[size_t(axis)] = count;
  Array value = 0;
  if (!options.values.empty()) {
    const auto& pair = of_axis(options.values, axis);
    value = before ? pair.first : pair.second;
    check_broadcasts("pad", "value", value, shape);
  }
  switch (options.mode) {
    case PadMode::constant: return full(shape, value, x.dtype());
    case PadMode::empty: return full(shape, 0, x.dtype());
    case PadMode::linear_ramp: return ramp(x, axis, count, value, before);
    case PadMode::maximum:
    case PadMode::mean:
    case PadMode::minimum: {
      int64_t length = n;
      if (options.stat_length) {
        const Pair lengths = of_axis(*options.stat_length, axis);
        length = std::min(n, before ? lengths.first : lengths.second);
      }
      HEARTH_CHECK(length > 0, value, "pad: stat_length must be positive; it is ", length);
      return widened(statistic(x, axis, before ? Pair{0, length} : Pair{n - length, n}, options.mode), axis, count);
    }
    default: return before ? copies(x, axis, -count, 0, options) : copies(x, axis, n, n + count, options);
  }
}

void check_per_axis(const char* what, size_t given, const Array& x) {
  HEARTH_CHECK(given == 1 || int64_t(given) == x.ndim(), value, "pad: ", given, " ", what, " for ", x.type());
}

void check_pad(const Array& x, const PadWidths& widths, const PadOptions& options) {
  check_per_axis("widths", widths.size(), x);
  if (!options.values.empty()) check_per_axis("values", options.values.size(), x);
  if (options.stat_length) check_per_axis("stat_lengths", options.stat_length->size(), x);
  Dims shape = x.shape();
  for (int64_t axis = 0; axis < x.ndim(); ++axis) {
    const auto [low, high] = of_axis(widths, axis);
    HEARTH_CHECK(low >= 0 && high >= 0, value, "pad: a width is negative: ", low < 0 ? low : high,
                 "\n  hint: pad(x, fill, Padding) cuts");
    const bool reads = options.mode != PadMode::constant && options.mode != PadMode::empty;
    HEARTH_CHECK(!reads || x.dim(axis) > 0 || low + high == 0, value, "pad: axis ", axis, " of ", x.type(),
                 " is empty, so only modes constant and empty can extend it");
    HEARTH_CHECK(low < (int64_t{1} << 48) && high < (int64_t{1} << 48), shape, "pad: a width of ", std::max(low, high),
                 " has more elements than can be counted");
    shape[size_t(axis)] += low + high;
  }
  check_sizes("pad", shape);
}

}  // namespace

Array pad(const Array& x, const PadWidths& widths, const PadOptions& options) {
  check_pad(x, widths, options);
  Array y = x;
  for (int64_t axis = 0; axis < x.ndim(); ++axis) {
    const auto [low, high] = of_axis(widths, axis);
    Arrays parts{y};
    if (low > 0) parts.insert(parts.begin(), side(y, axis, low, true, options));
    if (high > 0) parts.push_back(side(y, axis, high, false, options));
    if (parts.size() > 1) y = concat(parts, axis);
  }
  return y;
}

Array pad(const Array& x, const Array& fill, const Padding& padding) {
  return lift(x, [&](const Value& v) { return hearth::pad(v, to_value(fill, v.dtype()), padding); });
}

}  // namespace hearth
