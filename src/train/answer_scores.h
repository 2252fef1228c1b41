// SPDX-License-Identifier: Apache-2.0
#pragma once
// Log-probabilities of examples under a model: what it says to the answers of preference pairs before training.

#include "text/dataset.h"
#include "train/lora.h"

namespace hearth {

struct AnswerScoreOptions {
  int64_t batch = 8;  // rows computed together
  DType dtype = DType::f32;
  bool mean = false;  // over an example's tokens, instead of the sum
};

// Of each example: the sum of the log-probabilities of its tokens that count. Examples share rows while it computes.
std::vector<float> answer_scores(const LanguageModel& model, const LoraAdapter& adapter, const TokenBlocks& examples,
                                 const AnswerScoreOptions& options);

}  // namespace hearth
