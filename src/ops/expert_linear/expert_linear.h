// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[n,:] = x[n,:] W_e^T with e = ids[n]: each row goes through the linear layer that it is sent to.
// x [N,K], ids i32 [N], weights E times [M,K] of one float dtype -> [N,M]; `transposed`: weights [K,M], y = x W_e. An
// id outside [0, E) gives a row of zeros. The weights are read in x's dtype, whatever they are stored in. Cost: 2*N*K*M
// flops, however many experts there are: rows are sorted by expert, one matrix product for each that any row goes to.
// Derivatives by the weights go through the definition. Throws Error{shape}. Source: Gale et al. 2022,
// arXiv:2211.15841. Differs: no blocks; the products follow one another.
Value expert_linear(const Value& x, const Value& ids, const std::vector<Value>& weights, bool transposed = false);

}  // namespace hearth
