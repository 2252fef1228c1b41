// SPDX-License-Identifier: Apache-2.0
// The functions of manipulation.h that join, split and repeat.

#include <algorithm>
#include <numeric>

#include "array/axes.h"
#include "array/creation.h"
#include "array/indexing.h"
#include "array/lift.h"
#include "array/manipulation.h"
#include "array/searching.h"
#include "array/statistics.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/gather.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

Arrays each(const Arrays& arrays, Array (*f)(const Array&)) {
  Arrays out;
  for (const Array& x : arrays) out.push_back(f(x));
  return out;
}

void check_some(const char* function, const Arrays& arrays) {
  HEARTH_CHECK(!arrays.empty(), value, function, ": needs at least one array");
}

// Parts of x between the cuts.
Arrays cut(const Array& x, int64_t axis, const Dims& cuts) {
  Arrays parts;
  int64_t start = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const int64_t stop = i < cuts.size() ? cuts[i] : x.dim(axis);
    parts.push_back(lift(x, [&](const Value& v) { return slice_axis(v, axis, start, std::max(start, stop)); }));
    start = i < cuts.size() ? cuts[i] : stop;
  }
  return parts;
}

// The elements of x along the axis at places known now.
Array pick(const Array& x, const Dims& places, int64_t axis) {
  const Array at = array(places);
  return lift(x, [&](const Value& v) { return take(v, to_value(at), axis); });
}

// A flat array when no axis is named.
struct AlongAxis {
  Array x;
  int64_t axis;
};
AlongAxis along(const char* function, const Array& x, std::optional<int64_t> axis) {
  if (!axis) return {ravel(x), 0};
  return {x, axis_of(function, x, *axis)};
}

Dims counted_from_start(const char* function, const Dims& places, int64_t size, int64_t last) {
  Dims out;
  for (const int64_t place : places) {
    HEARTH_CHECK(place >= -size && place <= last, value, function, ": index ", place, " is outside of an axis of ",
                 size);
    out.push_back(place < 0 ? place + size : place);
  }
  return out;
}

}  // namespace

Array concat(const Arrays& arrays, std::optional<int64_t> axis) {
  check_some("concat", arrays);
  if (!axis) return concat(each(arrays, ravel), 0);
  const int64_t a = axis_of("concat", arrays[0], *axis);
  const std::lock_guard lock(array_mutex());
  const PromotedType type = promoted(arrays);
  return lifted_result(concatenate(to_values(arrays, type.dtype), a), type.weak);
}

Array stack(const Arrays& arrays, int64_t axis) {
  check_some("stack", arrays);
  axis = axis_of_rank("stack", arrays[0].ndim() + 1, axis);
  Arrays with_axis;
  for (const Array& x : arrays) {
    HEARTH_CHECK(x.shape() == arrays[0].shape(), shape, "stack: shapes differ: ", ShowDims{x.shape()},
                 " != ", ShowDims{arrays[0].shape()}, "\n  array 0 is ", arrays[0].type(), "\n  array ",
                 with_axis.size(), " is ", x.type());
    with_axis.push_back(expand_dims(x, axis));
  }
  return concat(with_axis, axis);
}

Array hstack(const Arrays& arrays) {
  check_some("hstack", arrays);
  const Arrays rows = each(arrays, atleast_1d);
  return concat(rows, rows[0].ndim() == 1 ? 0 : 1);
}
Array vstack(const Arrays& arrays) { return concat(each(arrays, atleast_2d), 0); }
Array dstack(const Arrays& arrays) { return concat(each(arrays, atleast_3d), 2); }
Array column_stack(const Arrays& arrays) {
  Arrays columns;
  for (const Array& x : arrays) columns.push_back(x.ndim() >= 2 ? x : reshape(x, {x.size(), 1}));
  return concat(columns, 1);
}
Array append(const Array& x, const Array& values, std::optional<int64_t> axis) { return concat({x, values}, axis); }

Arrays unstack(const Array& x, int64_t axis) {
  axis = axis_of("unstack", x, axis);
  const Dims shape = without_axes(x.shape(), {axis});
  Arrays parts;
  for (int64_t i = 0; i < x.dim(axis); ++i)
    parts.push_back(lift(x, [&](const Value& v) { return reshape(slice_axis(v, axis, i, i + 1), shape); }));
  return parts;
}

Arrays array_split(const Array& x, int64_t sections, int64_t axis) {
  axis = axis_of("array_split", x, axis);
  HEARTH_CHECK(sections > 0, value, "array_split: there cannot be ", sections, " sections");
  const int64_t size = x.dim(axis) / sections, longer = x.dim(axis) % sections;
  Dims cuts;
  for (int64_t i = 1; i < sections; ++i) cuts.push_back(i * size + std::min(i, longer));
  return cut(x, axis, cuts);
}

static Arrays split_evenly(const char* function, const Array& x, int64_t sections, int64_t axis) {
  const int64_t a = axis_of(function, x, axis);
  HEARTH_CHECK(sections > 0, value, function, ": there cannot be ", sections, " sections");
  HEARTH_CHECK(x.dim(a) % sections == 0, shape, function, ": axis ", axis, " of ", x.type(), " does not divide into ",
               sections, " equal sections\n  hint: array_split");
  return array_split(x, sections, a);
}
Arrays split(const Array& x, int64_t sections, int64_t axis) { return split_evenly("split", x, sections, axis); }

Arrays split(const Array& x, const Dims& places, int64_t axis) {
  axis = axis_of("split", x, axis);
  const int64_t size = x.dim(axis);
  Dims cuts;  // as slices: negative from the end, no further than the ends
  for (const int64_t place : places) cuts.push_back(std::clamp<int64_t>(place < 0 ? place + size : place, 0, size));
  return cut(x, axis, cuts);
}

Arrays hsplit(const Array& x, int64_t sections) { return split_evenly("hsplit", x, sections, x.ndim() == 1 ? 0 : 1); }
Arrays vsplit(const Array& x, int64_t sections) { return split_evenly("vsplit", x, sections, 0); }
Arrays dsplit(const Array& x, int64_t sections) { return split_evenly("dsplit", x, sections, 2); }

// x [..,N,..] -> [..,N,times,..] -> [..,N times,..]
Array repeat(const Array& x, int64_t times, std::optional<int64_t> axis) {
  HEARTH_CHECK(times >= 0, value, "repeat: cannot repeat ", times, " times");
  const auto [from, a] = along("repeat", x, axis);
  Dims shape = from.shape();
  int64_t size = 0;
  HEARTH_CHECK(!__builtin_mul_overflow(shape[size_t(a)], times, &size), shape, "repeat: ", from.type(), " repeated ",
               times, " times has more elements than can be counted");
  shape[size_t(a)] = size;
  check_sizes("repeat", shape);
  Dims spread = from.shape(), places;
  spread.insert(spread.begin() + a + 1, times);
  for (int64_t i = 0; i < from.ndim(); ++i) places.push_back(i <= a ? i : i + 1);
  return lift(from, [&](const Value& v) { return reshape(broadcast_in_dim(v, spread, places), shape); });
}

Array repeat(const Array& x, const Dims& times, std::optional<int64_t> axis) {
  const auto [from, a] = along("repeat", x, axis);
  if (times.size() == 1) return repeat(x, times[0], axis);
  HEARTH_CHECK(int64_t(times.size()) == from.dim(a), shape, "repeat: ", times.size(), " counts for ", from.dim(a),
               " elements");
  Dims places;
  for (size_t i = 0; i < times.size(); ++i) {
    HEARTH_CHECK(times[i] >= 0, value, "repeat: cannot repeat ", times[i], " times");
    places.insert(places.end(), size_t(times[i]), int64_t(i));
  }
  return pick(from, places, a);
}

// Place p of the result holds the element whose counts, added up to and with it, first exceed p.
Array repeat(const Array& x, const Array& times, std::optional<int64_t> axis, std::optional<int64_t> total) {
  const auto [from, a] = along("repeat", x, axis);
  const int64_t n = from.dim(a);
  HEARTH_CHECK(is_int(times.dtype()), dtype, "repeat: counts must be integers; they are ", times.type());
  HEARTH_CHECK(times.ndim() == 0 || (times.ndim() == 1 && times.size() == n), shape, "repeat: counts ", times.type(),
               " for ", n, " elements");
  const Array counts = broadcast_to(times.astype(DType::i64), {n});
  const Array ends = cumulative_sum(counts, {.axis = 0});
  if (!total && n > 0) {
    const int64_t least = min(counts).item<int64_t>();
    HEARTH_CHECK(least >= 0, value, "repeat: cannot repeat ", least, " times");
  }
  const int64_t size = total ? *total : n > 0 ? ends(-1).item<int64_t>() : 0;
  HEARTH_CHECK(size >= 0, value, "repeat: a total of ", size);
  HEARTH_CHECK(n > 0 || size == 0, value, "repeat: a total of ", size, " of no elements");
  const Array places = searchsorted(ends, arange(size, DType::i64), {.side = "right"});
  return take(from, places, {.axis = a, .mode = TakeMode::clip});
}

// x [M,N] -> [a,M,b,N] -> [aM,bN]
Array tile(const Array& x, const Dims& times) {
  const size_t rank = std::max(times.size(), size_t(x.ndim()));
  Dims count(rank, 1), size(rank, 1), spread, places, shape;
  std::copy_backward(times.begin(), times.end(), count.end());
  std::copy_backward(x.shape().begin(), x.shape().end(), size.end());
  for (size_t i = 0; i < rank; ++i) {
    HEARTH_CHECK(count[i] >= 0, value, "tile: cannot repeat ", count[i], " times");
    spread.push_back(count[i]);
    spread.push_back(size[i]);
    places.push_back(int64_t(2 * i + 1));
  }
  check_sizes("tile", spread);
  for (size_t i = 0; i < rank; ++i) shape.push_back(count[i] * size[i]);
  return lift(x, [&](const Value& v) { return reshape(broadcast_in_dim(reshape(v, size), spread, places), shape); });
}

Array delete_at(const Array& x, const Dims& places, std::optional<int64_t> axis) {
  const auto [from, a] = along("delete_at", x, axis);
  const int64_t size = from.dim(a);
  std::vector<bool> gone(size_t(size), false);
  for (const int64_t place : counted_from_start("delete_at", places, size, size - 1)) gone[size_t(place)] = true;
  Dims kept;
  for (int64_t i = 0; i < size; ++i) {
    if (!gone[size_t(i)]) kept.push_back(i);
  }
  return pick(from, kept, a);
}

Array insert_at(const Array& x, const Dims& places, const Array& values, std::optional<int64_t> axis) {
  const auto [from, a] = along("insert_at", x, axis);
  const int64_t size = from.dim(a), added = int64_t(places.size());
  const Dims before = counted_from_start("insert_at", places, size, size);
  Dims shape = from.shape();
  shape[size_t(a)] = added;
  check_broadcasts("insert_at", "values", values, shape);
  Dims order(places.size());  // of the new elements, by place
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t k) { return before[size_t(i)] < before[size_t(k)]; });
  Dims from_both;  // the result's elements, in x followed by values
  int64_t next = 0;
  for (const int64_t i : order) {
    while (next < before[size_t(i)]) from_both.push_back(next++);
    from_both.push_back(size + i);
  }
  while (next < size) from_both.push_back(next++);
  const Array new_ones = broadcast_to(values, shape).astype(from.dtype());
  return pick(concat({from, new_ones}, a), from_both, a);
}

}  // namespace hearth
