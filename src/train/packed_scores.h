// SPDX-License-Identifier: Apache-2.0
#pragma once
// Log-likelihoods of many short texts, several to a row.

#include <map>

#include "text/questions.h"
#include "train/token_scorer.h"

namespace hearth {

struct TextScore {
  double log_prob = 0;  // of the continuation: the sum over its tokens
  bool greedy = true;   // each of them is the likeliest
};

class PackedScores {
 public:
  explicit PackedScores(int64_t context) : context_(context) {}

  // Texts get numbers from 0. True when the text's begin was cut off to fit the context, as lm-evaluation-harness does.
  // Throws Error{value} when nothing is to be scored, or the continuation alone does not fit.
  bool add(const ScoredText& text);
  std::vector<TextScore> score(const LanguageModel& model, const LoraAdapter* adapter, int64_t batch,
                               DType dtype) const;

 private:
  struct Wanted {
    size_t text;
    int32_t place, label;  // the label follows the input's token at this place
  };
  struct Input {  // a text without its last token; several texts may share one
    std::vector<int32_t> tokens;
    std::vector<Wanted> wanted;
  };
  struct Rows {
    int64_t width = 0;
    std::vector<std::vector<int64_t>> members;  // inputs of each row
  };
  struct Filled {
    Batch batch;
    std::vector<ScoreTarget> targets;
    std::vector<size_t> owners;  // the text that each target is of
  };
  Rows pack() const;
  Filled fill(const Rows& rows, int64_t first, int64_t batch) const;

  int64_t context_;
  size_t texts_ = 0;
  std::vector<Input> inputs_;
  std::map<std::vector<int32_t>, size_t> places_;  // of recent inputs, by their tokens
};

}  // namespace hearth
