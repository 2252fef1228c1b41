// SPDX-License-Identifier: Apache-2.0
#pragma once
// Attention on the CPU in tiles, forward and backward, without graphs: plain pointers and strides.
//   out[b,t,h,:] = sum_s softmax_s(scale * <q[b,t,h,:], k[b,s,g,:]>) v[b,s,g,:],  g = h * G / H,  over the keys s that
//   t sees.
// Source: Dao et al. 2022, arXiv:2205.14135, alg. 1 and 4; Dao 2023, arXiv:2307.08691. Scores are never stored whole:
// the extra memory is O(B*H*T) plus tiles per thread (backward: and 2*S*D floats per item, 3.5*S*D with AMX). Sums are
// f32 for every dtype. Cost: 4*B*H*T*S*D flops forward, 10*B*H*T*S*D backward; about half of that when causal. The same
// inputs and the same number of threads give the same bits.

#include <cstdint>

#include "base/dtype.h"
#include "base/isa.h"

namespace hearth {

// Strides count elements; those of D and of the mask's last axis are 1. A query with no visible key gets out = 0,
// lse = -inf and gradients of 0. Hidden keys and values are never multiplied: a NaN there reaches nothing.
struct AttentionCall {
  int64_t batch = 0, tokens = 0, keys = 0, heads = 0, kv_heads = 0, head_size = 0;  // B, T, S, H, G, D
  const void *q = nullptr, *k = nullptr, *v = nullptr;                              // [B,T,H,D], [B,S,G,D], [B,S,G,D]
  DType dtype = DType::f32;                                      // f32, bf16 or f16, of q, k, v and out
  int64_t q_stride[3] = {}, k_stride[3] = {}, v_stride[3] = {};  // of the first three axes
  void* out = nullptr;                                           // [B,T,H,D]
  int64_t out_stride[3] = {};
  float* lse = nullptr;  // [B,T,H]: log of the sum of exp of the scaled scores; may be null
  bool causal = true;
  float scale = 1;
  int64_t window = 0;               // causal: a query sees the last so many keys up to its own place; 0: all of them
  float soft_cap = 0;               // scaled scores become cap tanh(score / cap); 0: they stay
  const float* key_bias = nullptr;  // [H,S], added to the scores after that; null: none
  // Causal: query t of row b sees the keys s <= start[b * start_stride] + t, so start is the place of its first query
  // in the key cache. Null: S - T. Keys past the last visible one are never read.
  const int32_t* start = nullptr;
  int64_t start_stride = 0;                                    // 0: all rows have the same
  const int32_t *q_segments = nullptr, *k_segments = nullptr;  // [B,T], [B,S]: a query sees the keys of its own segment
  const uint8_t* mask = nullptr;                               // [.,.,.,S], 0 hides the key
  int64_t mask_stride[3] = {};                                 // of b, h, t; 0 broadcasts
};

// Throws Error{value} for sizes that do not fit, Error{dtype} for other dtypes.
void attention_forward(const AttentionCall& call);

struct AttentionGradCall {
  AttentionCall forward;  // out and lse as attention_forward left them
  const void* dout = nullptr;
  int64_t dout_stride[3] = {};
  void *dq = nullptr, *dk = nullptr, *dv = nullptr;  // dense [B,T,H,D], [B,S,G,D], [B,S,G,D] of the dtype of q
};

void attention_backward(const AttentionGradCall& call);

// The same with the kernels of one instruction set, for tests. Throws Error{value} when the machine lacks it.
void attention_forward_with(Isa isa, const AttentionCall& call);
void attention_backward_with(Isa isa, const AttentionGradCall& call);

}  // namespace hearth
