// SPDX-License-Identifier: Apache-2.0
#include "train/evaluate.h"

#include <algorithm>
#include <cmath>

#include "train/token_scorer.h"

namespace hearth {

double EvalReport::perplexity() const { return std::exp(loss); }
double EvalReport::bits_per_byte() const {
  return bytes > 0 ? loss * double(tokens) / std::log(2.0) / double(bytes) : 0;
}

// Bytes of a block's text behind those of its first token, which nothing predicts.
static int64_t predicted_bytes(const Tokenizer& tokenizer, const std::vector<int32_t>& block) {
  const auto size = [&](size_t tokens) { return int64_t(tokenizer.decode({block.data(), tokens}).size()); };
  return size(block.size()) - size(1);
}

EvalReport evaluate(const LanguageModel& model, const LoraAdapter* adapter, const TokenBlocks& blocks, DType dtype,
                    int64_t batch_size) {
  const ScorerOptions options{.batch = std::min(batch_size, blocks.count()),
                              .width = blocks.block_size,
                              .packed = blocks.packed(),
                              .dtype = dtype};
  TokenScorer scorer(model, adapter, options);
  Batches order(blocks, {.batch_size = options.batch});
  Batch batch;
  EvalReport report;
  double sum = 0;
  int64_t hits = 0;
  for (int64_t i = 0; i < order.per_epoch(); ++i) {
    order.fill(0, i, batch);
    for (const TokenScore& score : scorer.score(batch, counted_targets(batch))) {
      sum -= score.log_prob;
      hits += score.top;
    }
    report.tokens += batch.counted;
  }
  for (int64_t i = 0; i < blocks.count() && !blocks.has_examples(); ++i)
    report.bytes += predicted_bytes(model.tokenizer(), blocks.block(i));
  const double counted = double(std::max<int64_t>(1, report.tokens));
  report.loss = sum / counted;
  report.accuracy = double(hits) / counted;
  return report;
}

}  // namespace hearth
