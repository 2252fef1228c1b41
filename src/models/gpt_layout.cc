// SPDX-License-Identifier: Apache-2.0
#include "models/gpt_layout.h"

namespace hearth {

ModelSpec read_gpt(const JsonView& config, int64_t kv_heads, const GptOptions& o) {
  ModelSpec s = read_sizes(config,
                           {.ffn = 1,
                            .max_positions = 1024,
                            .tied = true,
                            .hidden_key = "n_embd",
                            .layers_key = "n_layer",
                            .heads_key = "n_head",
                            .ffn_key = "n_inner",
                            .positions_key = "n_positions"},
                           "transformer.h");
  if (s.ffn == 0) s.ffn = 4 * s.hidden;
  if (kv_heads > 0) s.kv_heads = kv_heads;
  refuse_setting(config, "add_cross_attention", config.boolean_or("add_cross_attention", false));
  const double eps = config.number_or("layer_norm_epsilon", 1e-5, {.min = 0});
  const double scale = config.boolean_or("scale_attn_weights", true) ? 0 : 1;
  const Activation activation = read_activation(config, "activation_function", o.activation);
  const int64_t C = s.hidden, F = s.ffn, qkv = C + 2 * s.kv_heads * s.head_size;
  for (LayerSpec& layer : s.layers) {
    layer.attention_norms.before = layer_norm_of(layer.name + ".ln_1", C, eps);
    layer.attention.form = QkvForm::blocks;
    layer.attention.q = {layer.name + ".attn.c_attn", qkv, C, true, o.transposed};
    layer.attention.out = {layer.name + ".attn.c_proj", C, C, true, o.transposed};
    layer.attention.scale = scale;
    layer.mlp_norms.before = layer_norm_of(layer.name + ".ln_2", C, eps);
    layer.mlp.up = {layer.name + ".mlp.c_fc", F, C, true, o.transposed};
    layer.mlp.down = {layer.name + ".mlp.c_proj", C, F, true, o.transposed};
    layer.mlp.activation = activation;
  }
  s.embedding = "transformer.wte";
  s.position_table = "transformer.wpe";
  s.final_norm = layer_norm_of("transformer.ln_f", C, eps);
  s.output = {"lm_head", s.vocab, C};
  s.prefix = "transformer.";
  s.default_targets = {"c_attn"};
  return s;
}

}  // namespace hearth
