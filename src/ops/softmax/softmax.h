// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[..., i] = exp(x[..., i] - max) / sum_j exp(x[..., j] - max), over the last axis; sums in f32 for 16-bit floats.
// A row of only -infinity gives NaN, as in NumPy and JAX.
Value softmax(const Value& x);

// y[..., i] = x[..., i] - logsumexp(x)[...]: log(softmax(x)) without its overflow and underflow. dtypes and the row of
// only -infinity as there.
Value log_softmax(const Value& x);

// y[...] = log(sum_j exp(x[..., j])), the last axis gone; the maximum is taken out first, so that nothing overflows. A
// row of only -infinity, and an empty one, give -infinity.
Value logsumexp(const Value& x);

}  // namespace hearth
