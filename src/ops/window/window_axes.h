// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sliding windows over every axis of a tensor, as reduce_window, select_and_scatter and select_and_gather see them.
// Along one axis tap k of window o stands at place p = o * stride + k * window_dilation - low of the tensor whose
// elements are base_dilation apart: at element p / base_dilation where that is whole and lies inside, else nowhere.

#include <string>

#include "base/attrs.h"
#include "base/shape.h"

namespace hearth {

struct WindowAxes {  // one number an axis in each
  Dims size, strides, base_dilations, window_dilations, low, high;
};

WindowAxes window_axes(const Attrs& attrs);
// What does not fit a tensor of these sizes, in words, or nothing.
std::string window_problem(const Dims& x, const WindowAxes& axes);
Dims window_counts(const Dims& x, const WindowAxes& axes);  // sizes of the result: windows along each axis

// Windows of one element that cover an axis as it is.
bool is_plain(const WindowAxes& axes, size_t axis);
inline int64_t dilated(int64_t size, int64_t dilation) { return size == 0 ? 0 : (size - 1) * dilation + 1; }

enum class WindowKind { sum, product, max, min, bitwise_and, bitwise_or };
bool parse_window_kind(const std::string& name, WindowKind* kind);
bool takes(WindowKind kind, DType dtype);

// select_and_scatter's choice: true for "GE" (a window's largest element), false for "LE". Error{value} for others.
bool selects_largest(const Attrs& attrs);

// The taps of one axis, for kernels: windows first, first + step, ... (count of them) have tap k at elements
// element, element + element_step, ...
struct TapRun {
  int64_t first, count, step, element, element_step;
};
TapRun tap_run(const WindowAxes& axes, size_t axis, int64_t tap, int64_t elements, int64_t windows);

}  // namespace hearth
