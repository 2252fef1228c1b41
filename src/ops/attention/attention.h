// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>

#include "ir/graph.h"

namespace hearth {

struct AttentionOptions {
  bool causal = true;
  double scale = 0;                 // 0: 1/sqrt(D)
  std::optional<Value> start = {};  // i32 scalar or [B], causal only: place of a row's first query among the keys,
                                    // known at run time only; default S - T. Keys past the last query are not read.
  std::optional<Value> q_segments = {}, k_segments = {};  // i32 [B,T] and [B,S]: a query sees keys of its own segment
  std::optional<Value> mask = {};                         // bool, broadcasts to [B,H,T,S]; false hides
  int64_t window = 0;                  // causal only: a query sees the last so many keys, its own place included
  double soft_cap = 0;                 // scores become cap tanh(score / cap)
  std::optional<Value> key_bias = {};  // f32 [H,S], added to the scores: ALiBi
};

// out[b,t,h,:] = sum_s softmax_s(scale q[b,t,h,:].k[b,s,g,:]) v[b,s,g,:],  g = h * G / H
// q [B,T,H,D]  k,v [B,S,G,D]  out [B,T,H,D]; causal: token t sees s <= start + t. A query that sees no key gives 0.
// Never stores the [T,S] scores: memory B*T*H floats for the row sums. 4*B*H*T*S*D flops (half when causal).
// Differs from most papers in the order of axes: tokens stand outside heads, as linear layers leave them.
// Source: Dao et al. 2022, arXiv:2205.14135, alg. 1 (forward), alg. 4 (backward). Throws Error{shape} if H % G != 0.
// The scores are scale q.k, then capped, then biased. key_bias is differentiated through the definition.
// Windows: Beltagy et al. 2020, arXiv:2004.05150; soft caps: Gemma Team 2024, arXiv:2408.00118.
Value attention(const Value& q, const Value& k, const Value& v, const AttentionOptions& options = {});

}  // namespace hearth
