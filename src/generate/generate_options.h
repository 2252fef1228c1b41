// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a caller asks of generation, and what comes back.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/dtype.h"

namespace hearth {

// Added to the logit of the last of `ids` wherever the others stand right before it. One id: wherever. -infinity:
// never.
struct TokenBias {
  std::vector<int32_t> ids;
  double bias = 0;
};

enum class EarlyStopping {
  heuristic,  // stop when the best running beam, ended now, is worse than every finished one
  full,       // stop when there are as many finished ones as beams
  never,      // stop when no running beam can become better than a finished one
};

struct GenerateOptions {
  int64_t max_tokens = 128;  // new tokens at most
  double temperature = 0;    // 0: always the likeliest token
  int64_t top_k = 0;         // 0: all
  double top_p = 1;
  double min_p = 0;      // keep tokens at least so likely as this share of the likeliest
  double typical_p = 1;  // keep the tokens nearest to the expected surprise that have this probability together
  double repetition_penalty = 1;                       // of tokens in the prompt and the answer
  double presence_penalty = 0, frequency_penalty = 0;  // taken from the logit: once, and per time in the answer
  int64_t no_repeat_ngram = 0;                         // so many tokens never come in the same order twice; 0: they may
  int64_t min_tokens = 0;                              // new tokens before an end token may come
  std::vector<TokenBias> bias = {};
  std::vector<int32_t> never_first = {};  // not as the first new token
  std::vector<std::string> stop = {};     // texts that end the answer and are no part of it
  uint64_t seed = 0;
  std::vector<int32_t> ends = {};  // tokens that end the text, besides the model's
  bool ignore_eos = false;         // none does
  int64_t samples = 1;             // answers to every prompt
  int64_t beams = 0;               // 0: no beam search
  double length_penalty = 1;       // a finished beam's score is its log-probability / (new tokens)^this
  EarlyStopping early_stopping = EarlyStopping::heuristic;
  int64_t logprobs = -1;                 // of every new token, and of so many of the likeliest; -1: none
  int64_t batch_size = 8;                // answers computed together at most
  bool cache = true;                     // false: run the whole text again for every token (to check the cache)
  std::function<bool()> cancelled = {};  // asked before each token; true ends every answer where it is
};

struct TokenChance {
  int32_t id = 0;
  double logprob = 0;  // natural logarithm of what the model itself gives, before penalties, temperature and filters
};

struct TokenChances {
  double logprob = 0;            // of the token that was taken
  std::vector<TokenChance> top;  // the likeliest first
};

enum class StopReason { max_tokens, end_token, stop_text, cancelled };
const char* stop_reason_name(StopReason reason);  // "max-tokens", "end token", "stop text", "cancelled"

// One answer.
struct Generation {
  std::vector<int32_t> ids;  // new tokens, without the end token; those of a stop text included
  std::string text;          // of the new tokens, up to the stop text
  int64_t prompt_tokens = 0;
  StopReason reason = StopReason::max_tokens;
  std::string stop_text = {};                      // the one that was found
  std::optional<double> score = {};                // of a beam
  std::vector<TokenChances> chances = {};          // per id, where asked for
  double prefill_seconds = 0, decode_seconds = 0;  // of an answer that was computed alone
  bool stopped() const { return reason == StopReason::end_token || reason == StopReason::stop_text; }
  double prefill_tokens_per_second() const;
  double decode_tokens_per_second() const;
};

// Answers to several prompts.
struct Generations {
  std::vector<std::vector<Generation>> answers;  // [prompt][sample], beams best first
  int64_t prefilled_tokens = 0, decoded_tokens = 0;
  double prefill_seconds = 0, decode_seconds = 0;
  double decode_tokens_per_second() const { return decode_seconds > 0 ? double(decoded_tokens) / decode_seconds : 0; }
};

// Throws Error{value} naming the option that makes no sense.
void check_options(const GenerateOptions& options);

}  // namespace hearth
