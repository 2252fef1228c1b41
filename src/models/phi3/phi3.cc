// SPDX-License-Identifier: Apache-2.0
// Phi 3, 3.5 and 4 mini. Source: Abdin et al. 2024, arXiv:2404.14219: Llama with fused layers, long contexts by
// longrope.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec phi3_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(config, {.sizes = {.max_positions = 4096}, .eps = 1e-5});
  set_windows(&spec, config, 0);
  for (LayerSpec& layer : spec.layers) {
    AttentionSpec& a = layer.attention;
    a.form = QkvForm::blocks;
    a.q = {layer.name + ".self_attn.qkv_proj", a.q.out + a.k.out + a.v.out, spec.hidden};
    a.k = a.v = {};
    layer.mlp.fused = true;
    layer.mlp.gate = {};
    layer.mlp.up = {layer.name + ".mlp.gate_up_proj", 2 * spec.ffn, spec.hidden};
  }
  spec.default_targets = {"qkv_proj"};
  return spec;
}

}  // namespace hearth
