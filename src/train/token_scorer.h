// SPDX-License-Identifier: Apache-2.0
#pragma once
// TokenScorer: log-probabilities of chosen tokens of a batch under a model, with or without an adapter.

#include <map>
#include <memory>

#include "train/batches.h"
#include "train/lora.h"

namespace hearth {

class Session;

// One prediction: which token follows the one at place `row` of the batch, [0, B*T).
struct ScoreTarget {
  int32_t row, label;
};
struct TokenScore {
  double log_prob;
  bool top;  // no token is likelier
};

struct ScorerOptions {
  int64_t batch = 8, width = 256;  // B, T of every batch
  bool packed = false;             // several texts in a row: batches have segments and positions
  DType dtype = DType::f32;
};

// Logits are computed at the targets only, in chunks, never whole. Keeps references to the model's weights and a copy
// of the adapter.
class TokenScorer {
 public:
  // Throws Error{value} when rows are longer than the model's context.
  TokenScorer(const LanguageModel& model, const LoraAdapter* adapter, const ScorerOptions& options);
  ~TokenScorer();
  // Scores of the targets, in their order; one place may have several. At most B*T targets.
  std::vector<TokenScore> score(Batch& batch, const std::vector<ScoreTarget>& targets);

 private:
  Session& session_for(int64_t targets);
  const LanguageModel& model_;
  std::unique_ptr<LoraAdapter> adapter_;
  const ScorerOptions options_;
  std::map<int64_t, std::unique_ptr<Session>> sessions_;  // by how many targets they take
  std::vector<int32_t> rows_, labels_;
};

// The labels of a batch that count.
std::vector<ScoreTarget> counted_targets(const Batch& batch);

}  // namespace hearth
