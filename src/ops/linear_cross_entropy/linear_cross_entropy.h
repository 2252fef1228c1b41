// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/graph.h"

namespace hearth {

// LoRA on the output layer: z += scale u b^T, where u[N,r] = dropout(x) A^T is made before.
struct LowRankLogits {
  Value u, b;  // [N,r] in x's dtype, [V,r]
  double scale = 1;
};

// What is added to the loss of a row of logits z, for training.
struct LossTerms {
  // The label counts 1 - s, every word s / V: + s (z[label] - mean(z)). Szegedy et al. 2016, arXiv:1512.00567.
  double label_smoothing = 0;
  // + c logsumexp(z)^2: keeps the logits from drifting. Chowdhery et al. 2022, arXiv:2204.02311, section 5.
  double z_loss = 0;
};

struct LogitsOptions {
  std::optional<LowRankLogits> low_rank = {};
  std::optional<Value> bias = {};  // [V] of any float dtype, added to the logits
  double soft_cap = 0;             // the logits, bias included, become cap tanh(z / cap); 0: they stay
  LossTerms terms = {};
};

// loss = sum over n of logsumexp(z[n,:]) - z[n, labels[n]] [+ terms],   z[N,V] = x[N,C] weight[V,C]^T [+ scale u[N,r]
// b[V,r]^T]
// [+ bias[V]] [capped]. Rows whose label lies outside [0, V) (-100 by custom) do not count. The result is an f32
// scalar, the sum, not the mean. z never exists whole: rows go through in chunks, and the derivatives of x, u and b are
// made while a chunk is there, so forward and backward cost 4*N*V*C (+ 6*N*V*r) flops together. The weight is read in
// x's dtype, whatever it is stored in. Source: Wijmans et al. 2024, arXiv:2411.09009 and Hsu et al. 2024,
// arXiv:2410.10989; soft cap: Gemma Team 2024, arXiv:2408.00118. Differs: rows are chunked, V is not. Throws
// Error{shape} when the tensors do not fit.
Value linear_cross_entropy(const Value& x, const Value& weight, const Value& labels, const LogitsOptions& options = {});

}  // namespace hearth
