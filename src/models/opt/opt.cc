// SPDX-License-Identifier: Apache-2.0
// Source: Zhang et al. 2022, arXiv:2205.01068. The 350M model has norms behind the residual and a narrower embedding.
#include "models/config_reader.h"

namespace hearth {

static NormSpec norm_of(const JsonView& config, const std::string& name, int64_t size) {
  NormSpec norm = layer_norm_of(name, size, 1e-5);
  norm.weight = norm.bias = config.boolean_or("layer_norm_elementwise_affine", true);
  return norm;
}

ModelSpec opt_spec(const JsonView& config) {
  ModelSpec s =
      read_sizes(config, {.tied = true, .ffn_key = "ffn_dim", .kv_heads_key = "no key"}, "model.decoder.layers");
  const bool bias = config.boolean_or("enable_bias", true), first = config.boolean_or("do_layer_norm_before", true);
  const Activation activation = read_activation(config, "activation_function", "relu");
  const int64_t C = s.hidden, F = s.ffn;
  for (LayerSpec& layer : s.layers) {
    const std::string attention = layer.name + ".self_attn.";
    layer.attention.q = {attention + "q_proj", C, C, bias};
    layer.attention.k = {attention + "k_proj", C, C, bias};
    layer.attention.v = {attention + "v_proj", C, C, bias};
    layer.attention.out = {attention + "out_proj", C, C, bias};
    (first ? layer.attention_norms.before : layer.attention_norms.outside) =
        norm_of(config, layer.name + ".self_attn_layer_norm", C);
    (first ? layer.mlp_norms.before : layer.mlp_norms.outside) = norm_of(config, layer.name + ".final_layer_norm", C);
    layer.mlp.up = {layer.name + ".fc1", F, C, bias};
    layer.mlp.down = {layer.name + ".fc2", C, F, bias};
    layer.mlp.activation = activation;
  }
  const std::string decoder = "model.decoder.";
  s.embedding = decoder + "embed_tokens";
  s.embedding_size = config.integer_or("word_embed_proj_dim", C, {.min = 1, .max = int64_t(1) << 32});
  if (s.embedding_size != C) {
    s.project_in = {decoder + "project_in", C, s.embedding_size};
    s.project_out = {decoder + "project_out", s.embedding_size, C};
  }
  s.position_table = decoder + "embed_positions";
  s.position_offset = 2;
  if (first && !config.boolean_or("_remove_final_layer_norm", false))
    s.final_norm = norm_of(config, decoder + "final_layer_norm", C);
  s.output = {"lm_head", s.vocab, s.embedding_size};
  return s;
}

}  // namespace hearth
