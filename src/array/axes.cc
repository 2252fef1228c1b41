// SPDX-License-Identifier: Apache-2.0
#include "array/axes.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

int64_t axis_of(const char* function, const Array& x, int64_t axis) {
  const int64_t from_start = axis < 0 ? axis + x.ndim() : axis;
  HEARTH_CHECK(from_start >= 0 && from_start < x.ndim(), value, function, ": there is no axis ", axis, " in ",
               x.type());
  return from_start;
}

int64_t axis_of_rank(const char* function, int64_t rank, int64_t axis) {
  const int64_t from_start = axis < 0 ? axis + rank : axis;
  HEARTH_CHECK(from_start >= 0 && from_start < rank, value, function, ": axis ", axis, " is not in [", -rank, ", ",
               rank - 1, "]");
  return from_start;
}

Dims axes_of(const char* function, const Array& x, const Dims& axes) {
  Dims found;
  for (const int64_t axis : axes) {
    const int64_t a = axis_of(function, x, axis);
    HEARTH_CHECK(std::find(found.begin(), found.end(), a) == found.end(), value, function, ": axis ", axis,
                 " is given twice in ", ShowDims{axes});
    found.push_back(a);
  }
  return found;
}

Dims all_axes(const Array& x) {
  Dims axes(size_t(x.ndim()));
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = int64_t(i);
  return axes;
}

Dims without_axes(const Dims& shape, const Dims& axes) {
  Dims left;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (std::find(axes.begin(), axes.end(), int64_t(i)) == axes.end()) left.push_back(shape[i]);
  }
  return left;
}

void check_sizes(const char* function, const Dims& shape) {
  int64_t bytes = 16;  // of the widest element
  for (const int64_t size : shape) {
    HEARTH_CHECK(size >= 0, shape, function, ": a size is negative: ", ShowDims{shape});
    HEARTH_CHECK(!__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes), shape, function, ": ",
                 ShowDims{shape}, " has more elements than can be counted");
  }
}

}  // namespace hearth
