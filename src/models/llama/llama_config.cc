// SPDX-License-Identifier: Apache-2.0
#include "models/llama/llama_config.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace hearth {
namespace {

constexpr IntegerRange kSize{.min = 1, .max = int64_t(1) << 32};

// Frequencies of Llama 3.1's long context: long waves are slowed by `factor`, short ones stay, between them a ramp.
// Source: transformers 5.17, modeling_rope_utils.py, rope type "llama3".
void scale_llama3(const JsonView& rope, std::vector<double>& frequencies) {
  const double factor = rope.number("factor", {.min = 1}), low = rope.number_or("low_freq_factor", 1),
               high = rope.number_or("high_freq_factor", 4);
  const double original = double(rope.integer("original_max_position_embeddings", kSize));
  HEARTH_CHECK(high > low, format, rope.file(), ": high_freq_factor ", high, " must be larger than low_freq_factor ",
               low);
  for (double& f : frequencies) {
    const double wavelength = 2 * std::numbers::pi / f;
    if (wavelength > original / low) {
      f /= factor;
    } else if (wavelength >= original / high) {
      const double s = (original / wavelength - low) / (high - low);
      f = (1 - s) * f / factor + s * f;
    }
  }
}

void read_rope(const JsonView& config, LlamaConfig& out) {
  double theta = config.number_or("rope_theta", 10000, {.min = 1});
  std::string type = "default";
  const char* key = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";  // version 5, version 4
  const bool scaled = config.has(key);
  if (scaled) {
    const JsonView rope = config.object(key);
    theta = rope.number_or("rope_theta", theta, {.min = 1});
    type = rope.text_or("rope_type", rope.text_or("type", "default"));
  }
  const double part = config.number_or("partial_rotary_factor", 1);
  HEARTH_CHECK(part == 1, unsupported, config.file(), ": partial_rotary_factor ", part, " is not supported for Llama");
  for (int64_t i = 0; i < out.head_size / 2; ++i)
    out.rope_frequencies.push_back(std::pow(theta, -2.0 * double(i) / double(out.head_size)));
  if (type == "default") return;
  const JsonView rope = config.object(key);
  if (type == "linear") {
    const double factor = rope.number("factor", {.min = 1});
    for (double& f : out.rope_frequencies) f /= factor;
  } else if (type == "llama3") {
    scale_llama3(rope, out.rope_frequencies);
  } else {
    HEARTH_FAIL(unsupported, config.file(), ": rope type '", type,
                "' is not supported; Hearth has default, linear and llama3");
  }
}

}  // namespace

LlamaConfig parse_llama_config(const JsonView& config) {
  const std::string type = config.text_or("model_type", "");
  HEARTH_CHECK(type == "llama", unsupported, "load: model_type '", type, "' is not supported; Hearth has llama\n  in ",
               config.file());
  LlamaConfig c;
  c.hidden = config.integer("hidden_size", kSize);
  c.ffn = config.integer("intermediate_size", kSize);
  c.layers = config.integer("num_hidden_layers", {.min = 1, .max = 100000});
  c.heads = config.integer("num_attention_heads", {.min = 1, .max = 1 << 20});
  c.kv_heads = config.integer_or("num_key_value_heads", c.heads, {.min = 1, .max = 1 << 20});
  c.head_size = config.integer_or("head_dim", c.hidden / c.heads, {.min = 2, .max = 1 << 16});
  c.vocab = config.integer("vocab_size", {.min = 1, .max = int64_t(1) << 31});
  c.max_positions = config.integer_or("max_position_embeddings", 2048, kSize);
  if (config.json().contains("rms_norm_eps") && !config.has("rms_norm_eps")) config.refuse("rms_norm_eps", "a number");
  c.rms_eps = config.number_or("rms_norm_eps", 1e-6, {.min = 0});
  c.tied = config.boolean_or("tie_word_embeddings", false);
  c.attention_bias = config.boolean_or("attention_bias", false);
  c.mlp_bias = config.boolean_or("mlp_bias", false);
  HEARTH_CHECK(c.heads % c.kv_heads == 0, format, config.file(), ": num_attention_heads ", c.heads,
               " is no multiple of num_key_value_heads ", c.kv_heads);
  HEARTH_CHECK(c.head_size % 2 == 0, format, config.file(), ": head_dim ", c.head_size,
               " is odd; rotary embeddings need pairs");
  const std::string activation = config.text_or("hidden_act", "silu");
  HEARTH_CHECK(activation == "silu", unsupported, config.file(), ": hidden_act '", activation,
               "' is not supported; Hearth has silu");
  read_rope(config, c);
  c.bos_id = int32_t(config.integer_or("bos_token_id", -1, {.min = -1, .max = c.vocab - 1}));
  if (config.has("eos_token_id")) {
    for (int64_t id : config.integers("eos_token_id", {.min = -1, .max = c.vocab - 1}))
      c.eos_ids.push_back(int32_t(id));
  }
  return c;
}

std::vector<LinearModule> llama_linear_modules(const LlamaConfig& c) {
  std::vector<LinearModule> modules;
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i);
    const int64_t q = c.heads * c.head_size, kv = c.kv_heads * c.head_size;
    modules.push_back({layer + ".self_attn.q_proj", q, c.hidden});
    modules.push_back({layer + ".self_attn.k_proj", kv, c.hidden});
    modules.push_back({layer + ".self_attn.v_proj", kv, c.hidden});
    modules.push_back({layer + ".self_attn.o_proj", c.hidden, q});
    modules.push_back({layer + ".mlp.gate_proj", c.ffn, c.hidden});
    modules.push_back({layer + ".mlp.up_proj", c.ffn, c.hidden});
    modules.push_back({layer + ".mlp.down_proj", c.hidden, c.ffn});
  }
  modules.push_back({"lm_head", c.vocab, c.hidden, true});
  return modules;
}

std::vector<WeightSpec> llama_weights(const LlamaConfig& c) {
  std::vector<WeightSpec> weights = {{"model.embed_tokens.weight", {c.vocab, c.hidden}},
                                     {"model.norm.weight", {c.hidden}}};
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i);
    weights.push_back({layer + ".input_layernorm.weight", {c.hidden}});
    weights.push_back({layer + ".post_attention_layernorm.weight", {c.hidden}});
  }
  for (const LinearModule& m : llama_linear_modules(c)) {
    if (m.is_output_embedding && c.tied) continue;
    weights.push_back({m.name + ".weight", {m.out, m.in}});
    const bool attention = m.name.find("self_attn") != std::string::npos,
               mlp = m.name.find(".mlp.") != std::string::npos;
    if ((attention && c.attention_bias) || (mlp && c.mlp_bias)) weights.push_back({m.name + ".bias", {m.out}});
  }
  return weights;
}

}  // namespace hearth
