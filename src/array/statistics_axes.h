// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which axes a function works over: all of them, or those named. Negative ones count from the end.
//   sum(x)   sum(x, {.axis = 0})   sum(x, {.axis = {0, -1}})   sum(x, {.axis = Dims{}}), which sums over none

#include <initializer_list>
#include <optional>

#include "base/shape.h"

namespace hearth {

struct Value;

struct Axes {
  Axes() = default;                                                 // all
  Axes(int64_t axis) : named(Dims{axis}) {}                         // NOLINT: implicit
  Axes(std::initializer_list<int64_t> axes) : named(Dims(axes)) {}  // NOLINT: implicit
  Axes(Dims axes) : named(std::move(axes)) {}                       // NOLINT: implicit
  Axes(const std::optional<int64_t>& axis) {
    if (axis) named = Dims{*axis};
  }  // NOLINT: implicit
  std::optional<Dims> named = {};
};

// --- for the files of this folder ---

// Rising numbers of the axes of x. Error{value} for one that does not exist or is named twice.
Dims axes_of(const char* op, const Value& x, const Axes& axes);
// The result y of a reduction of x over rising axes, with these as axes of size 1 when keepdims.
Value put_back(const Value& y, const Value& x, const Dims& axes, bool keepdims);
// y, without the axes, stretched to x's shape.
Value stretch_back(const Value& y, const Value& x, const Dims& axes);
// x with those axes as one at the end: [..., n].
Value lanes_last(const Value& x, const Dims& axes);
int64_t product_of(const Value& x, const Dims& axes);
// The dtype that a sum or product of x has: bool and small integers count in 32 bits.
DType sum_dtype(DType x);
// Error{value} when x has no element along the axes but the result has some.
void expect_elements(const char* op, const Value& x, const Dims& axes);
// i32 numbers 0 .. n-1 as [n].
Value numbers_to(const Value& like, int64_t n);
// x as f32 at least: integers and 16-bit floats become f32.
Value widened(const Value& x);
Value flattened(const Value& x);
Value move_axis(const Value& x, int64_t from, int64_t to);

}  // namespace hearth
