// SPDX-License-Identifier: Apache-2.0
#pragma once
// Choosing a token from logits. Temperature, then the filters in the order of transformers 5: top_k, top_p, min_p,
// typical_p, each on what the one before left. Ties go to the lower id; transformers keeps all that tie with the last.
// Source: top-p: Holtzman et al. 2020, arXiv:1904.09751; min-p: Nguyen et al. 2024, arXiv:2407.01082; typical: Meister
// et al. 2023, arXiv:2202.00666.

#include <span>
#include <vector>

#include "generate/generate_options.h"

namespace hearth {

struct Candidate {
  int32_t id;
  double weight;  // not normalised; 1 for the likeliest
};

// What may be drawn, by id; never empty. Needs a temperature above 0. Throws Error{numeric} where all logits are NaN,
// Error{value} where every token is forbidden (-infinity); so does sample.
std::vector<Candidate> candidates(const std::vector<float>& logits, const GenerateOptions& options);

// `random` is uniform in [0, 1).
int32_t sample(const std::vector<float>& logits, const GenerateOptions& options, double random);

// Uniform in [0, 1), the same for the same seed, sample and position in the text, whatever was drawn before or beside.
double uniform(uint64_t seed, int64_t sample, int64_t position);

// Natural logarithms of softmax(logits): of the `taken` token and of the `count` likeliest.
TokenChances token_chances(std::span<const float> logits, int32_t taken, int64_t count);
double log_sum_exp(std::span<const float> logits);  // in f64

}  // namespace hearth
