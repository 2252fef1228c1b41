// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shape of a window operation as its kernels want it: axes that windows do not touch are joined.

#include "ops/window/window_axes.h"
#include "ops/window/window_rows.h"

namespace hearth {

struct WindowPlane {
  struct Axis {
    int64_t elements, windows;
    int64_t size = 1, stride = 1, base = 1, dilation = 1, low = 0;
    bool plain = true;
  };
  int64_t planes = 1;      // leading axes that windows do not touch
  std::vector<Axis> axes;  // the others, at least one

  int64_t elements(size_t from = 0) const;  // product over axes `from` and on
  int64_t windows(size_t from = 0) const;
};
WindowPlane window_plane(const Dims& x, const WindowAxes& axes);
TapRun tap_run(const WindowPlane::Axis& axis, int64_t tap);

WindowFunction window_function(WindowKind kind, DType dtype);
SelectFunction select_function(DType dtype, bool large_plane);

}  // namespace hearth
