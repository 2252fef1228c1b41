// SPDX-License-Identifier: Apache-2.0
// GPT-NeoX and Pythia. Source: Black et al. 2022, arXiv:2204.06745: attention and mlp side by side, each with its norm;
// a quarter of each head is rotated.
#include "models/config_reader.h"

namespace hearth {

ModelSpec gpt_neox_spec(const JsonView& config) {
  ModelSpec s = read_sizes(config, {.kv_heads_key = "no key"}, "gpt_neox.layers");
  const double eps = config.number_or("layer_norm_eps", 1e-5, {.min = 0});
  const bool bias = config.boolean_or("attention_bias", true);
  s.ropes = {read_rope(config, {.head_size = s.head_size,
                                .rotated_part = 0.25,
                                .max_positions = s.max_positions,
                                .theta_key = "rotary_emb_base",
                                .part_key = "rotary_pct"})};
  const Activation activation = read_activation(config, "hidden_act", "gelu");
  const bool parallel = config.boolean_or("use_parallel_residual", true);
  const int64_t C = s.hidden, F = s.ffn;
  for (LayerSpec& layer : s.layers) {
    layer.parallel = parallel;
    layer.attention_norms.before = layer_norm_of(layer.name + ".input_layernorm", C, eps);
    layer.attention.form = QkvForm::grouped;
    layer.attention.q = {layer.name + ".attention.query_key_value", 3 * C, C, bias};
    layer.attention.out = {layer.name + ".attention.dense", C, C, bias};
    layer.attention.rope = 0;
    layer.mlp_norms.before = layer_norm_of(layer.name + ".post_attention_layernorm", C, eps);
    layer.mlp.up = {layer.name + ".mlp.dense_h_to_4h", F, C, true};
    layer.mlp.down = {layer.name + ".mlp.dense_4h_to_h", C, F, true};
    layer.mlp.activation = activation;
  }
  s.embedding = "gpt_neox.embed_in";
  s.final_norm = layer_norm_of("gpt_neox.final_layer_norm", C, eps);
  s.output = {"lm_head", s.vocab, C};
  s.file_names = {{"lm_head", "embed_out"}};
  s.prefix = "gpt_neox.";
  s.default_targets = {"query_key_value"};
  return s;
}

}  // namespace hearth
