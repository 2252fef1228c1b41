// SPDX-License-Identifier: Apache-2.0
#pragma once
// reduce: sum, max or min over axes, StableHLO's reduce with those three bodies. Sums of f16 and bf16 accumulate in
// f32. An empty sum is 0, an empty max -infinity (the dtype's lowest), an empty min the opposite; NaN wins in max and
// min.

#include "ir/graph.h"

namespace hearth {

Value reduce_sum(const Value& x, const Dims& axes);  // x itself when axes is empty
Value reduce_max(const Value& x, const Dims& axes);
Value reduce_min(const Value& x, const Dims& axes);

// Over the last axis, which stays with size 1.
Value sum_last(const Value& x);
Value max_last(const Value& x);

}  // namespace hearth
