// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reductions over sliding windows, StableHLO's reduce_window and select_and_scatter with a few bodies, and the poolings
// made of them. A window's places outside the tensor and between its dilated elements hold the start value of the kind
// (sum 0, product 1, max -infinity or the lowest, min the opposite, and all ones, or zero). Sums of f16 and bf16
// accumulate in f32. Errors: Error{shape} naming the attribute, Error{dtype}, Error{value}.
// Source: openxla.org/stablehlo/spec, reduce_window and select_and_scatter.

#include <string>

#include "ir/graph.h"

namespace hearth {

// One number an axis of the tensor; an empty list is 1 everywhere (padding: 0).
struct WindowDims {
  Dims size = {}, strides = {}, base_dilations = {}, window_dilations = {}, padding_low = {}, padding_high = {};
};

// y[o] = the reduction of x over window o. kind: sum product max min, and, or. NaN wins in max and min.
// Cost: windows of several axes are reduced one axis after the other; sizes that are large for their strides cost three
// operations an element whatever the size.
Value reduce_window(const Value& x, const std::string& kind, const WindowDims& window);

// y [sizes of x]: source[o] is added where window o has its largest ("GE") or smallest ("LE") element of x, the first
// of equal ones; nothing is selected outside x. source has reduce_window's shape. The derivative of max pooling.
Value select_and_scatter(const Value& x, const Value& source, const std::string& select, const WindowDims& window);
// y[o] = values at the element of x that window o selects, 0 for a window without elements. values has x's shape.
Value select_and_gather(const Value& x, const Value& values, const std::string& select, const WindowDims& window);

// Pooling over the last spatial axes of x: [..., spatial] or, with channels_last, [..., spatial, C].
struct PoolOptions {
  Dims window = {};                          // one number a spatial axis in each list
  Dims strides = {};                         // empty: the window
  Dims padding_low = {}, padding_high = {};  // empty: 0
  Dims dilations = {};                       // empty: 1
  bool channels_last = false;
  bool count_padding = true;  // avg_pool divides by the window's size, else by its elements inside x
};
Value max_pool(const Value& x, const PoolOptions& options);
Value avg_pool(const Value& x, const PoolOptions& options);

}  // namespace hearth
