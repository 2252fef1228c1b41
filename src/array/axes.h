// SPDX-License-Identifier: Apache-2.0
#pragma once
// Axes and shapes as the functions of this folder take them: negative axes count from the end.

#include "array/array.h"

namespace hearth {

// 0 <= axis < rank; Error{value} naming the function.
int64_t axis_of(const char* function, const Array& x, int64_t axis);
// The axis of an array with `rank` axes: for functions that make a new one.
int64_t axis_of_rank(const char* function, int64_t rank, int64_t axis);
// Each once, in the order given; Error{value} for those that do not exist or come twice.
Dims axes_of(const char* function, const Array& x, const Dims& axes);
Dims all_axes(const Array& x);
Dims without_axes(const Dims& shape, const Dims& axes);  // sorted or not
// The shape to which all broadcast; Error{shape} naming the function.
Dims broadcast_of(const char* function, const std::vector<Dims>& shapes);
// Error{shape} when x, which the message calls `what`, does not broadcast to the shape.
void check_broadcasts(const char* function, const char* what, const Array& x, const Dims& shape);
// Error{shape} for negative sizes and more elements than can be counted.
void check_sizes(const char* function, const Dims& shape);

}  // namespace hearth
