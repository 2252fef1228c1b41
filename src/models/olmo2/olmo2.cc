// SPDX-License-Identifier: Apache-2.0
// Source: OLMo Team 2025, arXiv:2501.00656: norms of the sub-layers' outputs only, and of all queries and keys
// together.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec olmo2_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec = read_decoder(config, {.eps = 1e-5, .qkv_bias = bias, .out_bias = bias});
  for (LayerSpec& layer : spec.layers) {
    layer.attention_norms = {.after = layer.mlp_norms.before};
    layer.mlp_norms = {.after = layer.mlp_norms.before};
    layer.mlp_norms.after.name = layer.name + ".post_feedforward_layernorm";
    const double eps = layer.mlp_norms.after.eps;
    layer.attention.q_norm = rms_norm_of(layer.name + ".self_attn.q_norm", layer.attention.q.out, eps);
    layer.attention.k_norm = rms_norm_of(layer.name + ".self_attn.k_norm", layer.attention.k.out, eps);
  }
  return spec;
}

}  // namespace hearth
