// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

struct AdamWOptions {
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
};
struct AdamWState {
  Value parameter, m, v;  // f32, one shape
};

// One AdamW step; all f32. learning_rate, correction1 = 1 - beta1^t and correction2 = 1 - beta2^t are scalars.
//   m' = beta1 m + (1-beta1) g,  v' = beta2 v + (1-beta2) g^2
//   p' = p (1 - lr wd) - lr/correction1 m' / (sqrt(v' / correction2) + eps)
// Source: Loshchilov & Hutter 2019, arXiv:1711.05101, alg. 2.
AdamWState adamw(const AdamWState& state, const Value& gradient, const Value& learning_rate, const Value& correction1,
                 const Value& correction2, const AdamWOptions& options);

}  // namespace hearth
