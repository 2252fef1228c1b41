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

Dims broadcast_of(const char* function, const std::vector<Dims>& shapes) {
  size_t rank = 0;
  for (const Dims& shape : shapes) rank = std::max(rank, shape.size());
  Dims all(rank, 1);
  for (const Dims& shape : shapes) {
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t& size = all[rank - shape.size() + i];
      HEARTH_CHECK(size == 1 || shape[i] == 1 || size == shape[i], shape, function, ": ", ShowDims{shape},
                   " does not fit ", ShowDims{all}, ": ", shape[i], " != ", size);
      if (size == 1) size = shape[i];
    }
  }
  return all;
}

void check_broadcasts(const char* function, const char* what, const Array& x, const Dims& shape) {
  const int64_t more = int64_t(shape.size()) - x.ndim();
  HEARTH_CHECK(more >= 0, shape, function, ": ", what, " has more axes than ", ShowDims{shape}, ": ", x.ndim(), " > ",
               shape.size(), "\n  ", what, " is ", x.type());
  for (int64_t i = 0; i < x.ndim(); ++i) {
    const int64_t size = shape[size_t(i + more)];
    HEARTH_CHECK(x.dim(i) == 1 || x.dim(i) == size, shape, function, ": ", "cannot broadcast ", what, " to ",
                 ShowDims{shape}, ": ", x.dim(i), " != ", size, " along axis ", i + more, "\n  ", what, " is ",
                 x.type());
  }
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
