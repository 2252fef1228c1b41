// SPDX-License-Identifier: Apache-2.0
#include "train/answer_scores.h"

#include <algorithm>

#include "text/examples.h"
#include "train/token_scorer.h"

namespace hearth {

// The same tokens in rows that are full.
static TokenBlocks packed(const TokenBlocks& examples) {
  TokenBlocks rows = examples;
  rows.together = 1;
  int64_t longest = 2;
  for (int64_t i = 0; i < rows.examples(); ++i) longest = std::max(longest, rows.length(i));
  rows.block_size = std::min(rows.block_size, std::max<int64_t>(longest, 256));
  pack_examples(rows);
  return rows;
}

std::vector<float> answer_scores(const LanguageModel& model, const LoraAdapter& adapter, const TokenBlocks& examples,
                                 const AnswerScoreOptions& o) {
  const TokenBlocks rows = packed(examples);
  const int64_t batch_size = std::min(o.batch, rows.count()), width = rows.block_size;
  TokenScorer scorer(model, &adapter, {.batch = batch_size, .width = width, .packed = true, .dtype = o.dtype});
  Batches batches(rows, {.batch_size = batch_size});
  Batch batch;
  std::vector<double> sums(size_t(rows.examples()), 0), counts(sums.size(), 0);
  for (int64_t i = 0; i < batches.per_epoch(); ++i) {
    batches.fill(0, i, batch);
    const std::vector<ScoreTarget> targets = counted_targets(batch);
    const std::vector<TokenScore> scores = scorer.score(batch, targets);
    for (size_t t = 0; t < targets.size(); ++t) {
      const int64_t row = batch.rows[size_t(targets[t].row / width)];
      const size_t example = size_t(rows.members(row)[size_t(batch.segments[size_t(targets[t].row)])]);
      sums[example] += scores[t].log_prob;
      counts[example] += 1;
    }
  }
  std::vector<float> result;
  for (size_t i = 0; i < sums.size(); ++i)
    result.push_back(float(o.mean ? sums[i] / std::max(1.0, counts[i]) : sums[i]));
  return result;
}

}  // namespace hearth
