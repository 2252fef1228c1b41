// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[..., i] = exp(x[..., i] - max) / sum_j exp(x[..., j] - max), over the last axis; sums in f32 for 16-bit floats.
// A row of only -infinity gives NaN, as in NumPy and JAX.
Value softmax(const Value& x);

}  // namespace hearth
