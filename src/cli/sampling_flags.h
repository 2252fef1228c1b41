// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags that say which text a model writes, and what its generation_config.json says where they do not.

#include <set>

#include "cli/flags.h"
#include "generate/generate_options.h"
#include "models/language_model.h"

namespace hearth {

struct SamplingFlags {
  GenerateOptions options;  // as given; see resolved_options
  std::vector<std::string> logit_bias, bad_words;
  bool model_defaults = true;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("max-tokens", options.max_tokens, "tokens to write at most", {.minimum = 0, .maximum = 1 << 24});
    flag("min-tokens", options.min_tokens, "tokens before the text may end", {.minimum = 0, .maximum = 1 << 24});
    flag("stop", options.stop, "end before this text; may be given several times",
         {.value_name = "TEXT", .separator = 0, .default_text = "none"});
    flag("model-defaults", model_defaults,
         "take what is not given here from the model's generation_config.json, as transformers does");
    flag.group("sampling");
    flag("temperature", options.temperature, "0: always the likeliest token; 1: as the model was trained",
         {.minimum = 0, .maximum = 1000});
    flag("top-k", options.top_k, "draw from the K likeliest tokens only", {.minimum = 0, .default_text = "0 = all"});
    flag("top-p", options.top_p, "draw from the fewest tokens that have this probability together",
         {.maximum = 1, .above = 0});
    flag("min-p", options.min_p, "draw from tokens at least so likely as this share of the likeliest",
         {.minimum = 0, .maximum = 1});
    flag("typical-p", options.typical_p,
         "draw from the tokens of most usual surprise that have this probability together", {.maximum = 1, .above = 0});
    flag("seed", options.seed, "of the draws; the same seed gives the same text");
    flag.group("penalties");
    flag("repetition-penalty", options.repetition_penalty,
         "divides the logits of tokens in the prompt or the answer; above 1: fewer repetitions",
         {.maximum = 1000, .above = 0});
    flag("presence-penalty", options.presence_penalty, "taken from the logits of tokens in the answer",
         {.minimum = -1000, .maximum = 1000});
    flag("frequency-penalty", options.frequency_penalty, "taken from them for each time that they are there",
         {.minimum = -1000, .maximum = 1000});
    flag("no-repeat-ngram", options.no_repeat_ngram, "never the same N tokens in a row twice",
         {.minimum = 0, .maximum = 1 << 24, .default_text = "0 = off"});
    flag("logit-bias", logit_bias, "added to the logits of tokens, by id: 262:-5,11:2; -inf forbids a token",
         {.value_name = "ID:X", .default_text = "none"});
    flag("bad-words", bad_words, "never write this word or text; may be given several times",
         {.value_name = "TEXT", .separator = 0, .default_text = "none"});
  }
};

struct ResolvedOptions {
  GenerateOptions options;
  std::string remark;  // what came from generation_config.json, as flags; and what it asks for in vain
};

// given: the flags that the user set. Throws UsageError for texts that are no bias, Error{value} for tokens that the
// model has not, Error{format} for a generation_config.json that makes no sense.
ResolvedOptions resolved_options(const SamplingFlags& flags, const std::set<std::string>& given,
                                 const LanguageModel& model);

}  // namespace hearth
