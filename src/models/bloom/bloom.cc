// SPDX-License-Identifier: Apache-2.0
// Source: BigScience 2022, arXiv:2211.05100: ALiBi instead of positions, a norm behind the embedding.
#include "models/config_reader.h"

namespace hearth {

ModelSpec bloom_spec(const JsonView& config) {
  ModelSpec s = read_sizes(config,
                           {.ffn = 1,
                            .tied = true,
                            .hidden_key = config.has("n_embed") ? "n_embed" : "hidden_size",
                            .layers_key = "n_layer",
                            .heads_key = "n_head",
                            .ffn_key = "no key",
                            .kv_heads_key = "no key",
                            .positions_key = "seq_length"},
                           "transformer.h");
  s.ffn = 4 * s.hidden;
  s.alibi = AlibiSpec{};
  const double eps = config.number_or("layer_norm_epsilon", 1e-5, {.min = 0});
  const bool after = config.boolean_or("apply_residual_connection_post_layernorm", false);
  const int64_t C = s.hidden;
  for (LayerSpec& layer : s.layers) {
    layer.residual_after_norm = after;
    layer.attention_norms.before = layer_norm_of(layer.name + ".input_layernorm", C, eps);
    layer.attention.form = QkvForm::grouped;
    layer.attention.q = {layer.name + ".self_attention.query_key_value", 3 * C, C, true};
    layer.attention.out = {layer.name + ".self_attention.dense", C, C, true};
    layer.mlp_norms.before = layer_norm_of(layer.name + ".post_attention_layernorm", C, eps);
    layer.mlp.up = {layer.name + ".mlp.dense_h_to_4h", s.ffn, C, true};
    layer.mlp.down = {layer.name + ".mlp.dense_4h_to_h", C, s.ffn, true};
    layer.mlp.activation = Activation::gelu_tanh;
  }
  s.embedding = "transformer.word_embeddings";
  s.embedding_norm = layer_norm_of("transformer.word_embeddings_layernorm", C, eps);
  s.final_norm = layer_norm_of("transformer.ln_f", C, eps);
  s.output = {"lm_head", s.vocab, C};
  s.prefix = "transformer.";
  s.default_targets = {"query_key_value"};
  return s;
}

}  // namespace hearth
