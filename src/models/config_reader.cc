// SPDX-License-Identifier: Apache-2.0
#include "models/config_reader.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"

namespace hearth {

static constexpr IntegerRange kSize{.min = 1, .max = int64_t(1) << 32};
static constexpr IntegerRange kHeads{.min = 1, .max = 1 << 20};

int64_t integer_of(const JsonView& config, std::initializer_list<const char*> names, IntegerRange range) {
  for (const char* name : names) {
    if (config.has(name)) return config.integer(name, range);
  }
  return config.integer(*names.begin(), range);
}

static void read_end_tokens(const JsonView& config, ModelSpec* spec) {
  spec->bos_id = int32_t(config.integer_or("bos_token_id", -1, {.min = -1, .max = spec->vocab - 1}));
  if (!config.has("eos_token_id")) return;
  for (const int64_t id : config.integers("eos_token_id", {.min = -1, .max = spec->vocab - 1}))
    spec->eos_ids.push_back(int32_t(id));
}

ModelSpec read_sizes(const JsonView& config, const SizeDefaults& d, const std::string& layers_stem) {
  ModelSpec s;
  s.family = config.text_or("model_type", "");
  s.hidden = integer_of(config, {d.hidden_key, "hidden_size"}, kSize);
  if (d.ffn == 0 || config.has(d.ffn_key)) s.ffn = config.integer(d.ffn_key, kSize);
  const int64_t layers = integer_of(config, {d.layers_key, "num_hidden_layers"}, {.min = 1, .max = 10000});
  s.heads = integer_of(config, {d.heads_key, "num_attention_heads"}, kHeads);
  s.kv_heads = config.integer_or(d.kv_heads_key, s.heads, kHeads);
  if (d.kv_heads != 0 && !config.json().contains(d.kv_heads_key)) s.kv_heads = d.kv_heads;
  HEARTH_CHECK(d.head_size != 0 || config.has("head_dim") || s.hidden % s.heads == 0, format, config.file(), ": ",
               d.hidden_key, " ", s.hidden, " is no multiple of ", d.heads_key, " ", s.heads);
  s.head_size =
      config.integer_or("head_dim", d.head_size ? d.head_size : s.hidden / s.heads, {.min = 1, .max = 1 << 16});
  s.vocab = config.integer("vocab_size", {.min = 1, .max = int64_t(1) << 31});
  s.max_positions = d.max_positions;
  for (const char* key : {d.positions_key, "max_position_embeddings"}) {
    if (!config.has(key)) continue;
    s.max_positions = config.integer(key, kSize);
    break;
  }
  s.tied = config.boolean_or("tie_word_embeddings", d.tied);
  HEARTH_CHECK(s.heads % s.kv_heads == 0, format, config.file(), ": ", d.heads_key, " ", s.heads, " is no multiple of ",
               d.kv_heads_key, " ", s.kv_heads);
  s.embedding_size = s.hidden;
  read_end_tokens(config, &s);
  for (int64_t i = 0; i < layers; ++i) s.layers.push_back({.name = layers_stem + "." + std::to_string(i)});
  return s;
}

Activation read_activation(const JsonView& config, const char* key, const char* usual) {
  static constexpr std::pair<const char*, Activation> kNames[] = {{"silu", Activation::silu},
                                                                  {"swish", Activation::silu},
                                                                  {"gelu", Activation::gelu},
                                                                  {"gelu_python", Activation::gelu},
                                                                  {"gelu_new", Activation::gelu_tanh},
                                                                  {"gelu_pytorch_tanh", Activation::gelu_tanh},
                                                                  {"gelu_fast", Activation::gelu_tanh},
                                                                  {"gelu_accurate", Activation::gelu_tanh},
                                                                  {"relu", Activation::relu}};
  const std::string name = config.text_or(key, usual);
  for (const auto& [known, activation] : kNames) {
    if (name == known) return activation;
  }
  HEARTH_FAIL(unsupported, config.file(), ": ", key, " '", name,
              "' is not supported; Hearth has silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
}

std::vector<bool> read_sliding_layers(const JsonView& config, size_t layers, const std::function<bool(size_t)>& usual) {
  std::vector<bool> sliding;
  if (!config.has("layer_types")) {
    for (size_t i = 0; i < layers; ++i) sliding.push_back(usual(i));
    return sliding;
  }
  for (const std::string& type : config.texts("layer_types")) {
    HEARTH_CHECK(type == "sliding_attention" || type == "full_attention", unsupported, config.file(),
                 ": layer_types has '", printable(type), "'; Hearth has full_attention and sliding_attention");
    sliding.push_back(type == "sliding_attention");
  }
  HEARTH_CHECK(sliding.size() == layers, format, config.file(), ": layer_types has ", sliding.size(),
               " entries, but the model has ", layers, " layers");
  return sliding;
}

int64_t read_window(const JsonView& config, int64_t usual) {
  if (!config.json().contains("sliding_window")) return usual;
  return config.integer_or("sliding_window", 0, {.min = 0, .max = int64_t(1) << 32});
}

void refuse_setting(const JsonView& config, const char* key, bool used) {
  HEARTH_CHECK(!used, unsupported, config.file(), ": '", key, "' is ", config.get(key).dump(),
               ", which Hearth does not support");
}

NormSpec rms_norm_of(const std::string& name, int64_t size, double eps) {
  return {.kind = NormKind::rms, .name = name, .dims = {size}, .eps = eps};
}

NormSpec layer_norm_of(const std::string& name, int64_t size, double eps, bool bias) {
  return {.kind = NormKind::layer, .name = name, .dims = {size}, .eps = eps, .bias = bias};
}

}  // namespace hearth
