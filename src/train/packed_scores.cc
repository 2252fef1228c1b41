// SPDX-License-Identifier: Apache-2.0
#include "train/packed_scores.h"

#include <algorithm>

#include "base/error.h"
#include "text/examples.h"

namespace hearth {

constexpr size_t kRemembered = 64;           // inputs that a text may share: those of one question lie close together
constexpr int64_t kWidth = 256, kUnit = 16;  // rows are this wide unless a text is longer

bool PackedScores::add(const ScoredText& text) {
  const size_t most = size_t(context_) + 1;
  HEARTH_CHECK(text.continuation > 0, value, "there is nothing to score: the tokenizer makes no token of the choice");
  HEARTH_CHECK(text.continuation < text.tokens.size(), value, "nothing stands before the choice to predict it from");
  HEARTH_CHECK(text.continuation < most, value, "a choice of ", text.continuation,
               " tokens is longer than the model's context of ", context_);
  const bool cut = text.tokens.size() > most;
  const std::vector<int32_t> tokens(cut ? text.tokens.end() - std::ptrdiff_t(most) : text.tokens.begin(),
                                    text.tokens.end());
  const std::vector<int32_t> input(tokens.begin(), tokens.end() - 1);
  if (places_.size() > kRemembered) places_.clear();
  const auto [found, is_new] = places_.emplace(input, inputs_.size());
  if (is_new) inputs_.push_back({input, {}});
  for (size_t i = tokens.size() - text.continuation; i < tokens.size(); ++i)
    inputs_[found->second].wanted.push_back({texts_, int32_t(i - 1), tokens[i]});
  ++texts_;
  return cut;
}

PackedScores::Rows PackedScores::pack() const {
  std::vector<int64_t> lengths;
  int64_t longest = 1, all = 0;
  for (const Input& input : inputs_) {
    lengths.push_back(int64_t(input.tokens.size()));
    longest = std::max(longest, lengths.back());
    all += lengths.back();
  }
  const int64_t wide = std::max(longest, std::min(kWidth, all));
  Rows rows{.width = std::min(context_, (wide + kUnit - 1) / kUnit * kUnit), .members = {}};
  rows.members = pack_rows(lengths, rows.width);
  return rows;
}

PackedScores::Filled PackedScores::fill(const Rows& rows, int64_t first, int64_t batch) const {
  Filled filled;
  const size_t places = size_t(batch * rows.width);
  filled.batch.tokens.assign(places, 0);
  filled.batch.segments.assign(places, -1);
  filled.batch.positions.assign(places, 0);
  const int64_t end = std::min(first + batch, int64_t(rows.members.size()));
  for (int64_t r = first; r < end; ++r) {
    size_t at = size_t((r - first) * rows.width);
    int32_t segment = 0;
    for (const int64_t member : rows.members[size_t(r)]) {
      const Input& input = inputs_[size_t(member)];
      for (const Wanted& wanted : input.wanted) {
        filled.targets.push_back({int32_t(at) + wanted.place, wanted.label});
        filled.owners.push_back(wanted.text);
      }
      for (size_t i = 0; i < input.tokens.size(); ++i, ++at) {
        filled.batch.tokens[at] = input.tokens[i];
        filled.batch.segments[at] = segment;
        filled.batch.positions[at] = int32_t(i);
      }
      ++segment;
    }
  }
  return filled;
}

std::vector<TextScore> PackedScores::score(const LanguageModel& model, const LoraAdapter* adapter, int64_t batch_size,
                                           DType dtype) const {
  std::vector<TextScore> scores(texts_);
  if (texts_ == 0) return scores;
  const Rows rows = pack();
  const int64_t count = int64_t(rows.members.size()), batch = std::min(batch_size, count);
  TokenScorer scorer(model, adapter, {.batch = batch, .width = rows.width, .packed = true, .dtype = dtype});
  for (int64_t first = 0; first < count; first += batch) {
    Filled filled = fill(rows, first, batch);
    // Texts that share an input may want more than there are places: then in several calls.
    const size_t most = filled.batch.tokens.size(), all = filled.targets.size();
    for (size_t begin = 0; begin < all; begin += most) {
      const auto from = filled.targets.begin() + std::ptrdiff_t(begin);
      const std::vector<TokenScore> part =
          scorer.score(filled.batch, {from, from + std::ptrdiff_t(std::min(most, all - begin))});
      for (size_t i = 0; i < part.size(); ++i) {
        TextScore& score = scores[filled.owners[begin + i]];
        score.log_prob += part[i].log_prob;
        score.greedy = score.greedy && part[i].top;
      }
    }
  }
  return scores;
}

}  // namespace hearth
