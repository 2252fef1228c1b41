// SPDX-License-Identifier: Apache-2.0
#pragma once
// Normalisations that take out the mean: y = w (x - mean) / sqrt(variance + eps) + b. The variance is the mean of
// (x - mean)^2, computed in a second pass over the row, so that a large mean costs no digits. weight and bias may be of
// another float dtype than x; y has x's. Computed in f32 for 16-bit floats. Memory-bound: one pass of a row program.
// Throw Error{shape}, Error{dtype}, Error{value}.

#include "ir/graph.h"

namespace hearth {

// Over the last axis: x [..., C], weight and bias [C]. Source: Ba et al. 2016, arXiv:1607.06450.
Value layer_norm(const Value& x, const Value& weight, const Value& bias, double eps = 1e-5);

// Over the positions and the C / groups channels of each group: x [B, C, ...], weight and bias [C]. groups = 1 takes
// the whole example, groups = C each channel alone (instance norm). Source: Wu & He 2018, arXiv:1803.08494.
Value group_norm(const Value& x, const Value& weight, const Value& bias, int64_t groups, double eps = 1e-5);

}  // namespace hearth
