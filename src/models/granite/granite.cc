// SPDX-License-Identifier: Apache-2.0
// Source: IBM 2024, "Granite 3.0 language models": Llama with four multipliers.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec granite_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec =
      read_decoder(config, {.qkv_bias = bias, .out_bias = bias, .mlp_bias = config.boolean_or("mlp_bias", false)});
  spec.embedding_scale = config.number_or("embedding_multiplier", 1);
  spec.logit_scale = 1 / config.number_or("logits_scaling", 1, {.min = 1e-30});
  for (LayerSpec& layer : spec.layers) {
    layer.attention.scale = config.number_or("attention_multiplier", 1);
    layer.residual_scale = config.number_or("residual_multiplier", 1);
  }
  return spec;
}

}  // namespace hearth
