// SPDX-License-Identifier: Apache-2.0
#include "generate/answer.h"

#include <algorithm>

#include "generate/logit_processors.h"
#include "generate/sampler.h"

namespace hearth {

std::vector<int32_t> end_tokens(const LanguageModel& model, const GenerateOptions& options) {
  if (options.ignore_eos) return {};
  std::vector<int32_t> ends = model.spec().eos_ids;
  ends.insert(ends.end(), options.ends.begin(), options.ends.end());
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  return ends;
}

Answer::Answer(const LanguageModel& model, const GenerateOptions& options, std::vector<int32_t> prompt, int64_t sample,
               TextReader reader)
    : options_(options),
      ids_(std::move(prompt)),
      ends_(end_tokens(model, options)),
      sample_(sample),
      reader_(std::move(reader)),
      text_(model.tokenizer(), ids_, options.stop) {
  result_.prompt_tokens = int64_t(ids_.size());
}

bool Answer::emit(const std::string& piece) {
  result_.text += piece;
  return piece.empty() || !reader_ || reader_(piece);
}

bool Answer::push(std::span<const float> logits) {
  std::vector<float> processed(logits.begin(), logits.end());
  process_logits(options_, ends_, ids_, result_.prompt_tokens, processed);
  const int32_t id = sample(processed, options_, uniform(options_.seed, sample_, int64_t(ids_.size())));
  if (std::binary_search(ends_.begin(), ends_.end(), id)) {
    result_.reason = StopReason::end_token;
    return false;
  }
  if (options_.logprobs >= 0) result_.chances.push_back(token_chances(logits, id, options_.logprobs));
  ids_.push_back(id);
  const bool wanted = emit(text_.push(id));
  if (!wanted) result_.reason = StopReason::cancelled;
  return wanted && !text_.stops().found() && int64_t(ids_.size()) < result_.prompt_tokens + options_.max_tokens;
}

Generation Answer::finish() {
  emit(text_.finish());
  if (text_.stops().found()) {
    result_.reason = StopReason::stop_text;
    result_.stop_text = text_.stops().text();
  }
  result_.ids.assign(ids_.begin() + result_.prompt_tokens, ids_.end());
  return std::move(result_);
}

}  // namespace hearth
