// SPDX-License-Identifier: Apache-2.0
#include "generate/generate_options.h"

#include <cmath>

#include "base/error.h"

namespace hearth {

const char* stop_reason_name(StopReason reason) {
  switch (reason) {
    case StopReason::end_token: return "end token";
    case StopReason::stop_text: return "stop text";
    case StopReason::cancelled: return "cancelled";
    default: return "max-tokens";
  }
}

double Generation::prefill_tokens_per_second() const {
  return prefill_seconds > 0 ? double(prompt_tokens) / prefill_seconds : 0;
}

double Generation::decode_tokens_per_second() const {
  const double steps = double(ids.size()) - (reason == StopReason::end_token ? 0 : 1);  // the prefill gives the first
  return decode_seconds > 0 && steps > 0 ? steps / decode_seconds : 0;
}

static void check_limits(const GenerateOptions& o) {
  HEARTH_CHECK(o.max_tokens >= 0, value, "max_tokens must be at least 0; it is ", o.max_tokens);
  HEARTH_CHECK(o.min_tokens >= 0, value, "min_tokens must be at least 0; it is ", o.min_tokens);
  HEARTH_CHECK(o.samples >= 1, value, "samples must be at least 1; it is ", o.samples);
  HEARTH_CHECK(o.batch_size >= 1, value, "batch_size must be at least 1; it is ", o.batch_size);
  HEARTH_CHECK(o.logprobs >= -1, value, "logprobs must be at least 0, or -1 for none; it is ", o.logprobs);
  for (const std::string& stop : o.stop) HEARTH_CHECK(!stop.empty(), value, "a stop text may not be empty");
}

static void check_filters(const GenerateOptions& o) {
  HEARTH_CHECK(o.temperature >= 0 && std::isfinite(o.temperature), value, "temperature must be 0 or more; it is ",
               o.temperature);
  HEARTH_CHECK(o.top_k >= 0, value, "top_k must be 0 (all tokens) or more; it is ", o.top_k);
  HEARTH_CHECK(o.top_p > 0 && o.top_p <= 1, value, "top_p must be above 0 and at most 1; it is ", o.top_p);
  HEARTH_CHECK(o.min_p >= 0 && o.min_p <= 1, value, "min_p must be from 0 to 1; it is ", o.min_p);
  HEARTH_CHECK(o.typical_p > 0 && o.typical_p <= 1, value, "typical_p must be above 0 and at most 1; it is ",
               o.typical_p);
}

static void check_penalties(const GenerateOptions& o) {
  HEARTH_CHECK(o.repetition_penalty > 0 && std::isfinite(o.repetition_penalty), value,
               "repetition_penalty must be above 0; it is ", o.repetition_penalty);
  HEARTH_CHECK(std::isfinite(o.presence_penalty), value, "presence_penalty must be a number; it is ",
               o.presence_penalty);
  HEARTH_CHECK(std::isfinite(o.frequency_penalty), value, "frequency_penalty must be a number; it is ",
               o.frequency_penalty);
  HEARTH_CHECK(o.no_repeat_ngram >= 0, value, "no_repeat_ngram must be 0 (off) or more; it is ", o.no_repeat_ngram);
  for (const TokenBias& b : o.bias) {
    HEARTH_CHECK(!b.ids.empty(), value, "a bias needs at least one token");
    HEARTH_CHECK(std::isfinite(b.bias) || b.bias == -INFINITY, value, "the bias of token ", b.ids.back(),
                 " must be a number or -infinity; it is ", b.bias);
  }
}

static void check_beams(const GenerateOptions& o) {
  HEARTH_CHECK(o.beams >= 0, value, "beams must be 0 (no beam search) or more; it is ", o.beams);
  if (o.beams == 0) return;
  HEARTH_CHECK(o.temperature == 0, value, "beam search takes the likeliest tokens: it needs temperature 0, not ",
               o.temperature);
  HEARTH_CHECK(o.samples <= o.beams, value, o.beams, " beams give at most ", o.beams, " answers, not ", o.samples);
  HEARTH_CHECK(std::isfinite(o.length_penalty), value, "length_penalty must be a number; it is ", o.length_penalty);
  HEARTH_CHECK(o.cache, value, "beam search needs the cache");
}

void check_options(const GenerateOptions& options) {
  check_limits(options);
  check_filters(options);
  check_penalties(options);
  check_beams(options);
}

}  // namespace hearth
