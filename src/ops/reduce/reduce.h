// SPDX-License-Identifier: Apache-2.0
#pragma once
// reduce: sum, product, max, min, and, or over axes, StableHLO's reduce with those bodies. Sums of f16 and bf16
// accumulate in f32; integers wrap around. Of nothing: sum 0, product 1, max -infinity (the dtype's lowest), min the
// opposite, and all bits, or none. NaN wins in max and min; +0 is above -0. bool has max, min, and, or.
// Cost: reads x once.
// Throws Error{dtype} where the kind has no meaning for the dtype, Error{value} for axes that do not exist.

#include "ir/graph.h"

namespace hearth {

Value reduce_sum(const Value& x, const Dims& axes);  // x itself when axes is empty
Value reduce_max(const Value& x, const Dims& axes);
Value reduce_min(const Value& x, const Dims& axes);
Value reduce_product(const Value& x, const Dims& axes);  // its derivative needs no division: zeros are as any number
Value reduce_and(const Value& x, const Dims& axes);      // bool (all), or the bits of integers
Value reduce_or(const Value& x, const Dims& axes);       // bool (any), or the bits of integers

// Over the last axis, which stays with size 1.
Value sum_last(const Value& x);
Value max_last(const Value& x);

}  // namespace hearth
