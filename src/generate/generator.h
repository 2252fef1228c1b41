// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text generation with a model: one answer, several, answers to several prompts, beams.

#include <memory>

#include "generate/batch_run.h"

namespace hearth {

class Generator {
 public:
  // Both must outlive this. dtype: of the arithmetic and the cache, f32, bf16 or f16. Compiles when first needed, for as
  // many tokens and rows as are needed.
  Generator(const LanguageModel& model, const LoraAdapter* adapter = nullptr, DType dtype = DType::f32);
  ~Generator();

  // One answer; `on_text` gets its text as it comes. Throws Error{value} for options that make no sense, and when
  // prompt and max_tokens do not fit in the model's context.
  Generation generate(const std::string& prompt, const GenerateOptions& options = {}, const TextReader& on_text = {});

  // options.samples answers to each prompt, given as tokens; `on_answer` gets each as it is done. With beams the
  // prompts come one after the other.
  Generations generate_all(const std::vector<std::vector<int32_t>>& prompts, const GenerateOptions& options = {},
                           const TextReader& on_text = {}, const AnswerReader& on_answer = {});

  // One answer to a text that goes on one of before: what both begin with is not computed again. `reused`: its tokens.
  Generation generate_on(const std::vector<int32_t>& prompt, const GenerateOptions& options,
                         const TextReader& on_text = {}, int64_t* reused = nullptr);

  std::vector<float> logits(const std::vector<int32_t>& ids);  // [V], of the token after these
  const LanguageModel& model() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth
