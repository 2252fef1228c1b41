// SPDX-License-Identifier: Apache-2.0
#pragma once
// One answer while it grows: its tokens, its text, and whether it is done.

#include <functional>
#include <span>

#include "generate/answer_text.h"
#include "generate/generate_options.h"
#include "models/language_model.h"

namespace hearth {

// Gets each piece of text as it becomes certain, never half a character or a part of a stop text; false ends the
// answer.
using TextReader = std::function<bool(const std::string&)>;

class Answer {
 public:
  // model and options must outlive this. `sample`: which of the answers to the prompt.
  Answer(const LanguageModel& model, const GenerateOptions& options, std::vector<int32_t> prompt, int64_t sample,
         TextReader reader = {});

  // Chooses the next token from the logits [V] behind the text. False when the answer is done.
  bool push(std::span<const float> logits);
  void cancel() { result_.reason = StopReason::cancelled; }

  const std::vector<int32_t>& ids() const { return ids_; }  // prompt and answer
  int64_t prompt_tokens() const { return result_.prompt_tokens; }
  Generation finish();  // call once

 private:
  bool emit(const std::string& piece);
  const GenerateOptions& options_;
  std::vector<int32_t> ids_;
  std::vector<int32_t> ends_;
  int64_t sample_;
  TextReader reader_;
  AnswerText text_;
  Generation result_;
};

// The tokens that end a text.
std::vector<int32_t> end_tokens(const LanguageModel& model, const GenerateOptions& options);

}  // namespace hearth
