// SPDX-License-Identifier: Apache-2.0
#include "generate/generation_config.h"

#include <cmath>
#include <limits>
#include <set>

namespace hearth {
namespace {

constexpr int64_t kMostId = std::numeric_limits<int32_t>::max();

// Keys that change no text, or that are read elsewhere.
const std::set<std::string> kHarmless = {"_from_model_config",
                                         "bos_token_id",
                                         "eos_token_id",
                                         "pad_token_id",
                                         "decoder_start_token_id",
                                         "output_attentions",
                                         "output_hidden_states",
                                         "output_scores",
                                         "output_logits",
                                         "return_dict_in_generate",
                                         "use_cache",
                                         "cache_implementation",
                                         "cache_config",
                                         "return_legacy_cache",
                                         "transformers_version",
                                         "max_length",
                                         "max_new_tokens",
                                         "min_new_tokens",
                                         "do_sample",
                                         "temperature",
                                         "top_k",
                                         "top_p",
                                         "min_p",
                                         "typical_p",
                                         "repetition_penalty",
                                         "no_repeat_ngram_size",
                                         "bad_words_ids",
                                         "suppress_tokens",
                                         "begin_suppress_tokens",
                                         "sequence_bias",
                                         "stop_strings",
                                         "num_beams",
                                         "num_return_sequences",
                                         "length_penalty",
                                         "early_stopping",
                                         "trust_remote_code",
                                         "disable_compile",
                                         "low_memory",
                                         "prefill_chunk_size",
                                         "chat_format"};

// Values that switch a feature off.
bool is_off(const Json& value) {
  if (value.is_null() || value == false || value == 0 || value == 1) return true;
  return (value.is_array() || value.is_object() || value.is_string()) && value.empty();
}

std::vector<int32_t> ids_of(const JsonView& config, const std::string& key, const Json& list) {
  if (!list.is_array() || list.empty()) config.refuse(key, "a list of lists of token ids");
  std::vector<int32_t> ids;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0 || id > kMostId) config.refuse(key, "a list of lists of token ids");
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

std::vector<int32_t> token_list(const JsonView& config, const std::string& key) {
  std::vector<int32_t> ids;
  if (!config.has(key)) return ids;
  for (const int64_t id : config.integers(key, {.min = 0, .max = kMostId})) ids.push_back(int32_t(id));
  return ids;
}

void read_bias(const JsonView& config, std::vector<TokenBias>* bias) {
  if (config.has("sequence_bias")) {
    const Json& rows = config.get("sequence_bias");
    if (!rows.is_array()) config.refuse("sequence_bias", "a list of [[token ids], bias]");
    for (const Json& row : rows) {
      const bool fits = row.is_array() && row.size() == 2 && row[1].is_number();
      if (!fits) config.refuse("sequence_bias", "a list of [[token ids], bias]");
      bias->push_back({ids_of(config, "sequence_bias", row[0]), row[1].get<double>()});
    }
  }
  if (config.has("bad_words_ids")) {
    if (!config.get("bad_words_ids").is_array()) config.refuse("bad_words_ids", "a list of lists of token ids");
    for (const Json& ids : config.get("bad_words_ids"))
      bias->push_back({ids_of(config, "bad_words_ids", ids), -INFINITY});
  }
  for (const int32_t id : token_list(config, "suppress_tokens")) bias->push_back({{id}, -INFINITY});
}

void read_sampling(const JsonView& config, GenerateOptions* o) {
  if (!config.boolean_or("do_sample", false)) return;
  o->temperature = config.number_or("temperature", 1, {.min = 0, .max = 1000});
  o->top_k = config.integer_or("top_k", 50, {.min = 0});
  o->top_p = config.number_or("top_p", 1, {.min = 1e-12, .max = 1});
  o->min_p = config.number_or("min_p", 0, {.min = 0, .max = 1});
  o->typical_p = config.number_or("typical_p", 1, {.min = 1e-12, .max = 1});
}

void read_beams(const JsonView& config, GenerateOptions* o) {
  const int64_t beams = config.integer_or("num_beams", 1, {.min = 1, .max = 1 << 16});
  o->beams = beams > 1 ? beams : 0;
  o->length_penalty = config.number_or("length_penalty", 1);
  if (!config.has("early_stopping")) return;
  const Json& early = config.get("early_stopping");
  if (early == "never") {
    o->early_stopping = EarlyStopping::never;
  } else if (config.boolean_or("early_stopping", false)) {
    o->early_stopping = EarlyStopping::full;
  }
}

}  // namespace

ModelDefaults read_generation_config(const JsonView& config, int64_t max_tokens) {
  ModelDefaults defaults;
  GenerateOptions& o = defaults.options;
  read_sampling(config, &o);
  read_beams(config, &o);
  read_bias(config, &o.bias);
  o.max_tokens = config.integer_or("max_new_tokens", max_tokens, {.min = 0, .max = 1 << 24});
  o.min_tokens = config.integer_or("min_new_tokens", 0, {.min = 0, .max = 1 << 24});
  o.samples = config.integer_or("num_return_sequences", 1, {.min = 1, .max = 1 << 16});
  o.repetition_penalty = config.number_or("repetition_penalty", 1, {.min = 1e-6});
  o.no_repeat_ngram = config.integer_or("no_repeat_ngram_size", 0, {.min = 0, .max = 1 << 24});
  o.never_first = token_list(config, "begin_suppress_tokens");
  if (config.has("stop_strings")) {
    const bool one = config.get("stop_strings").is_string();
    o.stop = one ? std::vector{config.text("stop_strings")} : config.texts("stop_strings");
    std::erase(o.stop, "");
  }
  if (o.beams > 0 && o.temperature > 0) {  // drawing beams is not offered
    defaults.ignored.push_back("num_beams");
    o.beams = 0;
  }
  for (const std::string& key : config.keys())
    if (!kHarmless.count(key) && !is_off(config.json()[key])) defaults.ignored.push_back(key);
  return defaults;
}

}  // namespace hearth
