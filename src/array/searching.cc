// SPDX-License-Identifier: Apache-2.0
#include "array/searching.h"

#include <algorithm>

#include "array/recording.h"
#include "array/searching_values.h"
#include "array/statistics_axes.h"
#include "base/error.h"
#include "ops/along_axis/along_axis.h"
#include "ops/arg_reduce/arg_reduce.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

Array arg_reduced(const Array& x, const ArgOptions& o, Value (*f)(const Value&, int64_t, DType), const char* op) {
  return record(
      [&](const Value& v) {
        if (o.axis) {
          const int64_t axis = checked_axis(op, v, *o.axis);
          return put_back(f(v, axis, o.index), v, {axis}, o.keepdims);
        }
        return put_back(f(flattened(v), 0, o.index), v, axes_of(op, v, {}), o.keepdims);
      },
      x);
}

// Indices below 0 count from the end; others stay.
Value from_the_end(const Value& indices, int64_t n) {
  if (is_unsigned_int(indices.dtype())) return indices;
  const Value wide = size_bytes(indices.dtype()) < 4 ? convert(indices, DType::i32) : indices;
  return select(compare("LT", wide, scalar_like(wide, 0)), wide + double(n), wide);
}

// Row-major numbers of the elements that are not 0.
std::vector<int64_t> places(const Array& x) {
  const Array truth = (x.dtype() == DType::boolean ? x : x != 0).eval();
  const bool* bits = truth.data_as<bool>();
  std::vector<int64_t> out;
  for (int64_t i = 0; i < truth.size(); ++i)
    if (bits[i]) out.push_back(i);
  return out;
}

Array index_array(const std::vector<int64_t>& numbers, const Dims& shape, int64_t most) {
  if (most > INT32_MAX) return array(numbers, shape);
  return array(std::vector<int32_t>(numbers.begin(), numbers.end()), shape);
}

}  // namespace

Array argmax(const Array& x, const ArgOptions& o) { return arg_reduced(x, o, argmax, "argmax"); }
Array argmin(const Array& x, const ArgOptions& o) { return arg_reduced(x, o, argmin, "argmin"); }

Arrays nonzero(const Array& x) {
  HEARTH_CHECK(x.ndim() > 0, shape, "nonzero: needs at least 1 axis; x is ", x.type());
  const std::vector<int64_t> found = places(x);
  const Dims strides = row_major_strides(x.shape());
  Arrays out;
  for (int64_t axis = 0; axis < x.ndim(); ++axis) {
    std::vector<int64_t> numbers;
    for (const int64_t i : found) numbers.push_back(i / strides[size_t(axis)] % x.dim(axis));
    out.push_back(index_array(numbers, {int64_t(found.size())}, x.dim(axis)));
  }
  return out;
}

Array flatnonzero(const Array& x) {
  const std::vector<int64_t> found = places(x);
  return index_array(found, {int64_t(found.size())}, x.size());
}

Array argwhere(const Array& x) {
  const std::vector<int64_t> found = places(x);
  const Dims strides = row_major_strides(x.shape());
  std::vector<int64_t> numbers;
  int64_t most = 0;
  for (const int64_t size : x.shape()) most = std::max(most, size);
  for (const int64_t i : found)
    for (int64_t axis = 0; axis < x.ndim(); ++axis) numbers.push_back(i / strides[size_t(axis)] % x.dim(axis));
  return index_array(numbers, {int64_t(found.size()), x.ndim()}, most);
}

// a < b, NaN above every number; complex numbers by real part, then imaginary part.
static Value sorts_before(const Value& a, const Value& b) {
  if (is_complex(a.dtype())) {
    const Value below = sorts_before(real(a), real(b)), above = sorts_before(real(b), real(a));
    return below | (~above & sorts_before(imag(a), imag(b)));
  }
  const Value below = compare("LT", a, b);
  if (!is_float(a.dtype())) return below;
  return below | (compare("NE", b, b) & compare("EQ", a, a));
}

// Halves [low, high) for all elements at once; ends after as many steps as n has bits.
Value search_sorted(const Value& sorted, const Value& v, bool right) {
  const int64_t n = sorted.dim(0);
  Graph& graph = graph_of({sorted, v});
  Value low = constant(graph, 0, DType::i32, v.dims()), high = constant(graph, double(n), DType::i32, v.dims());
  if (n == 0) return low;
  for (int64_t left = n; left > 0; left /= 2) {
    const Value middle = low + shift_right_logical(high - low, scalar_like(low, 1));
    const Value at = take(sorted, middle, 0);  // where low = high = n, the last one; then nothing moves any more
    const Value above = right ? ~sorts_before(v, at) : sorts_before(at, v);
    const Value open = compare("LT", low, high);
    low = select(open & above, middle + 1, low);
    high = select(open & ~above, middle, high);
  }
  return low;
}

Array searchsorted(const Array& sorted, const Array& v, const SearchOptions& o) {
  HEARTH_CHECK(sorted.ndim() == 1, shape, "searchsorted: sorted needs one axis; it is ", sorted.type());
  HEARTH_CHECK(o.side == "left" || o.side == "right", value, "searchsorted: side '", o.side,
               "' is neither left nor right");
  HEARTH_CHECK(sorted.size() <= INT32_MAX, unsupported, "searchsorted: more than 2^31 - 1 elements: ", sorted.type());
  HEARTH_CHECK(!o.sorter || o.sorter->shape() == sorted.shape(), shape, "searchsorted: shapes differ\n  sorted is ",
               sorted.type(), "\n  sorter is ", o.sorter ? o.sorter->type() : TensorType{});
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted({sorted, v}).dtype;
  Value in_order = to_value(sorted, dtype);
  if (o.sorter) in_order = take(in_order, to_value(*o.sorter), 0);
  return from_value(search_sorted(in_order, to_value(v, dtype), o.side == "right"));
}

Array take(const Array& x, const Array& indices, const TakeAxisOptions& o) {
  return record(
      [&](const Value& given, const Value& i) {
        const Value v = o.axis ? given : flattened(given);
        const int64_t axis = checked_axis("take", v, o.axis.value_or(0));
        HEARTH_CHECK(is_int(i.dtype()), dtype, "take: indices must be integers; they are ", i.type());
        return take(v, o.mode == TakeMode::fill ? from_the_end(i, v.dim(axis)) : i, axis, {.mode = o.mode});
      },
      x, indices);
}

Array take_along_axis(const Array& x, const Array& indices, int64_t axis) {
  return record(
      [&](const Value& v, const Value& i) {
        const int64_t along = checked_axis("take_along_axis", v, axis);
        HEARTH_CHECK(is_int(i.dtype()), dtype, "take_along_axis: indices must be integers; they are ", i.type());
        return take_along_axis(v, from_the_end(i, v.dim(along)), along);
      },
      x, indices);
}

Array compress(const Array& condition, const Array& x, std::optional<int64_t> axis) {
  HEARTH_CHECK(condition.ndim() == 1, shape, "compress: condition needs one axis; it is ", condition.type());
  const int64_t n = axis ? x.dim(*axis) : x.size();
  HEARTH_CHECK(condition.size() <= n, shape, "compress: condition has ", condition.size(), " elements, the axis of x ",
               n, "\n  x is ", x.type());
  return take(x, flatnonzero(condition), {.axis = axis});
}

Array select(const Arrays& conditions, const Arrays& choices, const Array& otherwise) {
  HEARTH_CHECK(conditions.size() == choices.size() && !choices.empty(), value, "select: ", conditions.size(),
               " conditions and ", choices.size(), " choices");
  const std::lock_guard lock(array_mutex());
  Arrays results = choices;
  results.push_back(otherwise);
  const PromotedType type = promoted(results);
  const Values values = to_values(results, type.dtype);
  Value y = values.back();
  for (size_t i = choices.size(); i-- > 0;) {
    const Value condition = to_value(conditions[i]);
    HEARTH_CHECK(condition.dtype() == DType::boolean, dtype, "select: condition ", i, " must be bool; it is ",
                 condition.type());
    y = select(condition, values[i], y);
  }
  return from_value(y, type.weak);
}

}  // namespace hearth
