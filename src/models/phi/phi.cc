// SPDX-License-Identifier: Apache-2.0
// Phi 1, 1.5 and 2. Source: Li et al. 2023, arXiv:2309.05463: attention and mlp side by side behind one norm, biases
// everywhere, a part of each head is rotated.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec phi_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(config, {.rope = {.rotated_part = 0.5},
                                         .norm = NormKind::layer,
                                         .eps_key = "layer_norm_eps",
                                         .eps = 1e-5,
                                         .norm_bias = true,
                                         .qkv_bias = true,
                                         .activation = "gelu_new"});
  for (LayerSpec& layer : spec.layers) {
    layer.parallel = true;
    layer.mlp_norms.before = {};
    layer.attention.out = {layer.name + ".self_attn.dense", spec.hidden, spec.heads * spec.head_size, true};
    layer.mlp.gate = {};
    layer.mlp.up = {layer.name + ".mlp.fc1", spec.ffn, spec.hidden, true};
    layer.mlp.down = {layer.name + ".mlp.fc2", spec.hidden, spec.ffn, true};
  }
  if (config.boolean_or("qk_layernorm", false)) add_head_norms(&spec, "q_layernorm", "k_layernorm");
  spec.final_norm.name = "model.final_layernorm";
  spec.output.bias = true;
  spec.default_targets = {"q_proj", "v_proj", "fc1", "fc2"};
  return spec;
}

}  // namespace hearth
