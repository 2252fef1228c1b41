// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the matrices of a new adapter begin.

#include "train/lora.h"

namespace hearth {

// "default":       A uniform in +-1/sqrt(in), B zero.
// "gaussian":      A normal of deviation 1/r, B zero.
// "orthogonal":    A and B of orthogonal rows and columns, so that B A = 0; the rank is even.
// "pissa":         W = U S V^T, A = sqrt(S_r / scale) V_r^T, B = U_r sqrt(S_r / scale).
//                  Source: Meng et al. 2024, arXiv:2404.02948.
// "pissa_niter_N": the same from a randomised decomposition with N rounds, much faster for large weights.
//                  Source: Halko et al. 2009, arXiv:0909.4061, alg. 4.4 and 5.1.
// "olora":         W = Q R, A = R_r, B = Q_r. Source: Buyukakyuz 2024, arXiv:2406.01775.
// "mica":          A zero, B = U_m of W = U S V^T, the rank's smallest singular values; training leaves B as it is.
//                  Source: PEFT's reading of arXiv:2604.01694.
// The three before it begin where the base weight is less B A * scale (a0, b0), so that nothing changes at first. An
// embedding begins with A zero and B normal, whatever is asked but MiCA. `number` tells the layers random numbers
// apart. Throws Error{value} for another word and for a rank that the weight or the kind cannot have.
void initialise(LoraMatrices* matrices, const LoraConfig& config, const TensorRef& weight, const LinearModule& module,
                uint64_t seed, uint32_t number);

// Throws Error{value} for a word that is none of these.
void check_init(const std::string& init);
bool takes_from_base(const std::string& init);
bool keeps_b(const std::string& init);  // training leaves B as it is

}  // namespace hearth
