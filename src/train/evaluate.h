// SPDX-License-Identifier: Apache-2.0
#pragma once
// How well a model predicts tokens: loss, perplexity, accuracy, bits per byte.

#include "text/dataset.h"
#include "train/lora.h"
#include "train/metrics/jsonl_log.h"

namespace hearth {

struct EvalReport {
  int64_t step = 0;  // of a run; 0 outside of one
  double epoch = 0;
  double loss = 0;            // mean per token, or per pair of answers
  double accuracy = 0;        // share of the tokens that were the likeliest, or of the pairs that were put in order
  int64_t tokens = 0;         // that counted
  int64_t bytes = 0;          // of a text: those that the predicted tokens stand for; 0 for examples
  NamedNumbers metrics = {};  // of the objective
  double perplexity() const;
  double bits_per_byte() const;  // of a text
};

// Mean loss per token over the blocks; labels are the next tokens, the last token of a block predicts nothing. Throws
// Error{value} when blocks are longer than the model's context.
EvalReport evaluate(const LanguageModel& model, const LoraAdapter* adapter, const TokenBlocks& blocks, DType dtype,
                    int64_t batch_size);
inline EvalReport evaluate(const LanguageModel& model, const LoraAdapter* adapter, const TokenBlocks& blocks) {
  return evaluate(model, adapter, blocks, DType::f32, 8);
}

}  // namespace hearth
