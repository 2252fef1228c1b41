// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counter-based random numbers: the same state gives the same bits on every device, thread count and split.

#include <optional>

#include "ir/graph.h"

namespace hearth {

// 32 random bits per element, Threefry-2x32. state is u64[2]: {key, counter}; `site` (0, 1, ...) separates several uses
// of one state: use number `site` starts at counter + site * 2^40 blocks. Source: Salmon et al. 2011,
// doi:10.1145/2063384.2063405.
Value random_bits(const Value& state, const Dims& dims, int64_t site);

// threefry_bits: element i (row-major) of each `dims` is made of the two words of Threefry-2x32 for key and counter +
// i: of u64 they are the high and the low half, of narrower dtypes the low bits of their exclusive or. These are the
// bits of JAX with jax_threefry_partitionable (its default): they depend on an element's place only, not on how many
// there are. key u32[K...,2] (word 0 first), counter u64[K...], 0 when not given; gives dtype[K...,dims...], dtype
// unsigned. Cost: about 75 integer operations an element. Not differentiable. Throws Error{shape, dtype}.
Value threefry_bits(const Value& key, const Dims& dims, DType dtype = DType::u32, std::optional<Value> counter = {});
// The two words themselves: u32[K...,dims...,2].
Value threefry_words(const Value& key, const Dims& dims, std::optional<Value> counter = {});

// Uniform in [-1, 1), f32: multiples of 2^-23.
Value uniform_noise(const Value& state, const Dims& dims, int64_t site);

// Zeroes each element with probability `rate` and divides the others by 1 - rate. rate in [0, 1).
Value dropout(const Value& x, double rate, const Value& state, int64_t site);

}  // namespace hearth
