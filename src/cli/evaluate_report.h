// SPDX-License-Identifier: Apache-2.0
#pragma once
// What evaluate prints: numbers of one model, or a table of several with the differences to the first.

#include "cli/text_format.h"
#include "train/evaluate.h"
#include "train/multiple_choice.h"

namespace hearth {

struct EvaluatedModel {
  std::string model, adapter = {};                   // folders; no adapter: the model alone
  std::optional<EvalReport> data = {};               // of --data
  std::optional<MultipleChoiceReport> answers = {};  // of --questions
  int64_t blocks = 0, dropped_tokens = 0, examples = 0, truncated = 0, truncated_tokens = 0;
  double data_seconds = 0, seconds = 0;
};

// One model: its numbers. Several: {"models": [those], "differences": [each less the first]}.
Json evaluation_json(const std::vector<EvaluatedModel>& models);
std::string evaluation_text(const std::vector<EvaluatedModel>& models);
std::string evaluation_remarks(const std::vector<EvaluatedModel>& models);  // what was left out
// A line of JSON for each model and question.
std::string details_text(const std::vector<EvaluatedModel>& models, const std::vector<Question>& questions);

}  // namespace hearth
