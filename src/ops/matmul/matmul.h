// SPDX-License-Identifier: Apache-2.0
#pragma once
// dot_general and matmul: C[M,N] = A[M,K] B[K,N]. M, N, K keep these meanings in every file of this folder.
// Cost: 2*M*N*K flops (times the batch). Sums accumulate in f32 for f16 and bf16.

#include "ir/graph.h"

namespace hearth {

// StableHLO's dot_general: batch axes pair up, contracted axes pair up; result axes: batch, a's free axes, b's free
// axes.
struct DotAxes {
  Dims a_batch = {}, b_batch = {}, a_contract = {}, b_contract = {};
};
Value dot_general(const Value& a, const Value& b, const DotAxes& axes);

struct MatmulOptions {
  bool transpose_a = false;  // read A[K,M] as A[M,K]
  bool transpose_b = false;  // read B[N,K] as B[K,N]; a Linear layer stores its weight this way
};
// Both of rank 2. Throws Error{shape} when the two K differ, with a hint when a transposed b would fit.
Value matmul(const Value& a, const Value& b, MatmulOptions options = {});

// x [..., K], weight [N,K] -> [..., N]. The weight is read in x's dtype, whatever it is stored in.
Value linear(const Value& x, const Value& weight);

}  // namespace hearth
