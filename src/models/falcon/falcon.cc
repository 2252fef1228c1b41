// SPDX-License-Identifier: Apache-2.0
// Source: Almazrouei et al. 2023, arXiv:2311.16867. Three forms: 7B (heads share one key, attention and mlp side by
// side behind one norm), 40B and 180B ("new decoder": groups of heads, a norm each), RW (as Bloom, with ALiBi).
#include <cmath>

#include "base/error.h"
#include "models/config_reader.h"

namespace hearth {
namespace {

struct Form {
  bool grouped, shared_key, parallel;
  int64_t norms;  // in front of attention and mlp side by side
};

Form read_form(const JsonView& config) {
  Form form{config.boolean_or("new_decoder_architecture", false), config.boolean_or("multi_query", true),
            config.boolean_or("parallel_attn", true), 1};
  form.norms = config.integer_or("num_ln_in_parallel_attn", form.grouped ? 2 : 1, {.min = 1, .max = 2});
  HEARTH_CHECK(form.parallel || !form.grouped, unsupported, config.file(),
               ": new_decoder_architecture without parallel_attn is not supported");
  HEARTH_CHECK(form.norms == 1 || form.grouped, unsupported, config.file(),
               ": num_ln_in_parallel_attn 2 without new_decoder_architecture is not supported");
  return form;
}

void add_norms(const Form& form, int64_t size, double eps, LayerSpec* layer) {
  const auto norm = [&](const char* name) { return layer_norm_of(layer->name + name, size, eps); };
  layer->parallel = form.parallel;
  layer->attention_norms.before = norm(form.norms == 2 ? ".ln_attn" : ".input_layernorm");
  if (form.norms == 2) layer->mlp_norms.before = norm(".ln_mlp");
  if (!form.parallel) layer->mlp_norms.before = norm(".post_attention_layernorm");
}

}  // namespace

ModelSpec falcon_spec(const JsonView& config) {
  const Form form = read_form(config);
  ModelSpec s = read_sizes(config,
                           {.ffn = 1,
                            .tied = true,
                            .hidden_key = config.has("n_embed") ? "n_embed" : "hidden_size",
                            .ffn_key = "ffn_hidden_size",
                            .kv_heads_key = "num_kv_heads"},
                           "transformer.h");
  if (s.ffn == 0) s.ffn = 4 * s.hidden;
  if (!form.grouped) s.kv_heads = form.shared_key ? 1 : s.heads;
  const bool bias = config.boolean_or("bias", false);
  const double eps = config.number_or("layer_norm_epsilon", 1e-5, {.min = 0});
  const Activation activation = read_activation(config, "activation", "gelu");
  const bool alibi = config.boolean_or("alibi", false);
  if (alibi) {
    s.alibi = AlibiSpec{.scale = 1 / std::sqrt(double(s.head_size)), .rounded = true};
  } else {
    s.ropes = {read_rope(config, {.head_size = s.head_size, .max_positions = s.max_positions})};
  }
  const int64_t C = s.hidden, qkv = (s.heads + 2 * s.kv_heads) * s.head_size;
  for (LayerSpec& layer : s.layers) {
    add_norms(form, C, eps, &layer);
    layer.attention.form = QkvForm::grouped;
    layer.attention.q = {layer.name + ".self_attention.query_key_value", qkv, C, bias};
    layer.attention.out = {layer.name + ".self_attention.dense", C, C, bias};
    layer.attention.rope = alibi ? -1 : 0;
    layer.mlp.up = {layer.name + ".mlp.dense_h_to_4h", s.ffn, C, bias};
    layer.mlp.down = {layer.name + ".mlp.dense_4h_to_h", C, s.ffn, bias};
    layer.mlp.activation = activation;
  }
  s.embedding = "transformer.word_embeddings";
  s.final_norm = layer_norm_of("transformer.ln_f", C, eps);
  s.output = {"lm_head", s.vocab, C};
  s.prefix = "transformer.";
  s.default_targets = {"query_key_value"};
  return s;
}

}  // namespace hearth
