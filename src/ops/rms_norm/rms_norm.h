// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[..., c] = w[c] x[..., c] / sqrt(mean_c(x^2) + eps)     x [..., C], weight [C] of any float dtype; y has x's dtype.
// Computed in f32 for 16-bit floats. Source: Zhang & Sennrich 2019, arXiv:1910.07467. Differs: eps, as in Llama.
Value rms_norm(const Value& x, const Value& weight, double eps);

}  // namespace hearth
