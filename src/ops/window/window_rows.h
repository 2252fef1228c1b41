// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inner loops of the window operations, compiled once for each instruction set by the files that include
// window_rows.inc and select_rows.inc.

#include <cstdint>

#include "base/dtype.h"
#include "ops/window/window_axes.h"

namespace hearth {

// Windows along one axis: x [outer,elements,inner] -> y [outer,windows,inner].
struct WindowPass {
  int64_t outer, elements, inner, windows;
  int64_t size, stride, base, dilation, low;
  const void* x;
  void* y;

  TapRun tap(int64_t k) const;  // of tap k
};
using WindowFunction = void (*)(const WindowPass&);
// For dtypes that sums are kept in: no 16-bit floats. Null: this instruction set has none of its own.
WindowFunction window_function_scalar(WindowKind kind, DType dtype);
WindowFunction window_function_avx2(WindowKind kind, DType dtype);
WindowFunction window_function_avx512(WindowKind kind, DType dtype);

// f16 and bf16 to f32 and back.
void widen(DType from, const void* x, float* y, int64_t count);
void narrow(DType to, const float* x, void* y, int64_t count);

// One tap of a row of windows: where it beats (largest: is not <=) what was chosen before, it is chosen.
struct SelectTap {
  const void* x;  // the plane
  void* best;     // per window of the row: the chosen element; f32 for 16-bit floats
  void* where;    // and its place in the plane, -1 at first: i32, or i64 for large planes
  int64_t at;     // the row's place in the plane
  TapRun run;
  bool largest;
};
using SelectFunction = void (*)(const SelectTap&);
SelectFunction select_function_scalar(DType dtype, bool large_plane);
SelectFunction select_function_avx2(DType dtype, bool large_plane);
SelectFunction select_function_avx512(DType dtype, bool large_plane);

}  // namespace hearth
