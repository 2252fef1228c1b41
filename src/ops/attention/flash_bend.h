// SPDX-License-Identifier: Apache-2.0
#pragma once
// Scores that are more than scale q.k: capped, and biased by key (AttentionCall::soft_cap, key_bias).

#include "ops/attention/flash_rows.h"

namespace hearth {
namespace {

// tanh(x) = sign(x) (1 - e) / (1 + e), e = exp(-2 |x|). Wrong by 2e-7 at most, however small x is.
HEARTH_INLINE F tanh_of(F x) {
  const I sign = I(x) & splat_int(INT32_MIN);
  const F e = exp2_poly(F(I(x) & splat_int(INT32_MAX)) * splat(-2 * kLog2E));
  return x != x ? x : F(I((splat(1) - e) / (splat(1) + e)) | sign);
}

// What key s adds to the scores of the rows in vector v, in units of log 2.
HEARTH_INLINE F bias_of_key(const AttentionCall& call, const Panel& panel, int v, int64_t s) {
  F bias = {};
  for (int i = 0; i < kLanes; ++i) {
    const int64_t row = v * kLanes + i;
    if (row < panel.rows) bias[i] = call.key_bias[panel.head[row] * call.keys + s];
  }
  return bias * splat(kLog2E);
}

// score = log2(e) (cap tanh(scale score / cap) + bias), in place, for the keys [first, first + n); the derivative of
// the cap goes to `slope` when it is there.
void bend(const AttentionCall& call, const Panel& panel, int64_t first, int64_t n, float* score, float* slope,
          int64_t step) {
  const F cap = splat(call.soft_cap * kLog2E);
  const F factor = splat(call.soft_cap != 0 ? call.scale / call.soft_cap : call.scale * kLog2E);
  const bool one_head = call.heads == call.kv_heads;
  for (int64_t s = 0; s < n; ++s) {
    const F shared =
        one_head && call.key_bias ? splat(call.key_bias[panel.head[0] * call.keys + first + s] * kLog2E) : F{};
    for (int v = 0; v < panel.vectors; ++v) {
      float* at = score + s * step + v * kLanes;
      F x = load(at) * factor;
      if (call.soft_cap != 0) {
        const F t = tanh_of(x);
        if (slope) store(slope + s * step + v * kLanes, splat(1) - t * t);
        x = t * cap;
      }
      if (call.key_bias) x += one_head ? shared : bias_of_key(call, panel, v, first + s);
      store(at, x);
    }
  }
}

}  // namespace
}  // namespace hearth
