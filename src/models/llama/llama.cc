// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, OpenLLaMA, TinyLlama, and what else says "llama".
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec llama_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  return read_decoder(config, {.qkv_bias = bias, .out_bias = bias, .mlp_bias = config.boolean_or("mlp_bias", false)});
}

}  // namespace hearth
