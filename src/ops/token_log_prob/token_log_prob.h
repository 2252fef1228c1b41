// SPDX-License-Identifier: Apache-2.0
#pragma once
// token_log_prob: how likely each row's own label is, and whether it is the likeliest token.

#include "ops/linear_cross_entropy/linear_cross_entropy.h"

namespace hearth {

struct TokenLogProbs {
  Value log_prob;  // [N] f32: z[n, labels[n]] - logsumexp(z[n,:])
  Value top;       // [N] i32: 1 where no other token is likelier and no equal one comes before it, else 0
};

// z[N,V] = x[N,C] weight[V,C]^T with `options` as of linear_cross_entropy. Rows whose label lies outside [0, V) give
// 0 and 0. z never exists whole: rows go through in chunks. 2*N*V*C flops; the derivative computes the logits of a
// chunk again, 4*N*V*C more. Sums in f32. Throws Error{shape} when the tensors do not fit.
TokenLogProbs token_log_prob(const Value& x, const Value& weight, const Value& labels,
                             const LogitsOptions& options = {});

}  // namespace hearth
