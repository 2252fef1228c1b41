// SPDX-License-Identifier: Apache-2.0
// Command-R: attention and mlp side by side behind one layer norm without bias, neighbouring elements rotated together.
// Source: Cohere 2024, as in transformers.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec cohere_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec = read_decoder(config, {.sizes = {.max_positions = 8192, .tied = true},
                                         .rope = {.theta = 500000, .interleaved = true},
                                         .norm = NormKind::layer,
                                         .eps_key = "layer_norm_eps",
                                         .eps = 1e-5,
                                         .qkv_bias = bias,
                                         .out_bias = bias});
  spec.logit_scale = config.number_or("logit_scale", 0.0625);
  if (config.boolean_or("use_qk_norm", false)) add_head_norms(&spec);
  for (LayerSpec& layer : spec.layers) {
    layer.parallel = true;
    layer.mlp_norms.before = {};
    if (layer.attention.q_norm.kind == NormKind::none) continue;
    layer.attention.q_norm.dims = {spec.heads, spec.head_size};
    layer.attention.k_norm.dims = {spec.kv_heads, spec.head_size};
  }
  return spec;
}

}  // namespace hearth
