// SPDX-License-Identifier: Apache-2.0
#pragma once
// A row-major tensor seen from one axis: [outer, n, inner], element (o, i, c) at (o * n + i) * inner + c.

#include "base/error.h"
#include "base/shape.h"

namespace hearth {

struct AxisView {
  int64_t outer = 1, n = 1, inner = 1;

  AxisView(const Dims& dims, int64_t axis) : n(dims[size_t(axis)]) {
    for (int64_t i = 0; i < axis; ++i) outer *= dims[size_t(i)];
    for (size_t i = size_t(axis) + 1; i < dims.size(); ++i) inner *= dims[i];
  }
};

// For checks of instructions: `dimension` is an axis of x.
inline int64_t expect_axis(const TensorType& x, int64_t axis) {
  HEARTH_CHECK(axis >= 0 && axis < x.rank(), format, "dimension ", axis, " is no axis of ", x);
  return axis;
}
inline TensorType with_size(TensorType x, int64_t axis, int64_t size) {
  x.dims[size_t(axis)] = size;
  return x;
}

}  // namespace hearth
