// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counter-based random numbers: the same state gives the same bits on every device, thread count and split.

#include "ir/graph.h"

namespace hearth {

// 32 random bits per element, Threefry-2x32. state is u64[2]: {key, counter}; `site` (0, 1, ...) separates several uses
// of one state: use number `site` starts at counter + site * 2^40 blocks. Source: Salmon et al. 2011,
// doi:10.1145/2063384.2063405.
Value random_bits(const Value& state, const Dims& dims, int64_t site);

// Zeroes each element with probability `rate` and divides the others by 1 - rate. rate in [0, 1).
Value dropout(const Value& x, double rate, const Value& state, int64_t site);

}  // namespace hearth
