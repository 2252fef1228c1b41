// SPDX-License-Identifier: Apache-2.0
// Source: Gemma Team 2024, arXiv:2403.08295.
#include "models/gemma/gemma.h"

namespace hearth {

ModelSpec read_gemma(const JsonView& config, SizeDefaults sizes, const char* activation_key, RopeDefaults rope) {
  sizes.tied = true;
  sizes.head_size = 256;
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec = read_decoder(config, {.sizes = sizes,
                                         .rope = rope,
                                         .norm_offset = 1,
                                         .qkv_bias = bias,
                                         .out_bias = bias,
                                         .activation_key = activation_key,
                                         .activation = "gelu_pytorch_tanh"});
  refuse_setting(config, "use_bidirectional_attention", config.boolean_or("use_bidirectional_attention", false));
  spec.embedding_scale = std::sqrt(double(spec.hidden));
  return spec;
}

ModelSpec gemma_spec(const JsonView& config) {
  // Version 4 wrote what the model computes into hidden_activation, where that is not null.
  const char* activation = config.has("hidden_activation") ? "hidden_activation" : "hidden_act";
  return read_gemma(config, {.kv_heads = 16, .max_positions = 8192}, activation, {});
}

}  // namespace hearth
