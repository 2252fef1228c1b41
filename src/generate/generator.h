// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text generation: prefill in chunks, a KV cache in memory of fixed size, samplers, streaming.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "train/lora.h"

namespace hearth {

struct GenerateOptions {
  int64_t max_tokens = 128;  // new tokens at most
  double temperature = 0;    // 0: always the likeliest token
  int64_t top_k = 0;         // 0: all
  double top_p = 1;
  uint64_t seed = 0;
  DType dtype = DType::f32;  // of activations
  bool cache = true;         // false: run the whole text again for every token (to check the cache)
  bool ignore_eos = false;
};

struct Generation {
  std::vector<int32_t> ids;  // new tokens, without the end token
  std::string text;          // of the new tokens
  int64_t prompt_tokens = 0;
  bool stopped = false;  // by an end token
  double prefill_seconds = 0, decode_seconds = 0;
  double prefill_tokens_per_second() const;
  double decode_tokens_per_second() const;
};

class Generator {
 public:
  // Compiles for prompts and answers of up to `context` tokens together (0: what the first call needs, grown as
  // needed).
  Generator(const LanguageModel& model, const LoraAdapter* adapter = nullptr, DType dtype = DType::f32);
  ~Generator();

  // Calls `on_text` with each piece of text as it becomes certain (never half a character); return false to stop.
  // Throws Error{value} when prompt and max_tokens do not fit in the model's context.
  Generation generate(const std::string& prompt, const GenerateOptions& options = {},
                      const std::function<bool(const std::string&)>& on_text = {});
  std::vector<float> logits(const std::vector<int32_t>& ids);  // [V], of the token after these

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Picks a token. Temperature, then the top_k likeliest, then the fewest whose probabilities sum to top_p; ties go to
// the lower id. `random` is uniform in [0, 1).
int32_t sample(const std::vector<float>& logits, const GenerateOptions& options, double random);

}  // namespace hearth
