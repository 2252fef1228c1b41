// SPDX-License-Identifier: Apache-2.0
// Source: Yang et al. 2025, arXiv:2505.09388: norms of queries and keys instead of biases.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec qwen3_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec = read_decoder(
      config,
      {.sizes = {.kv_heads = 32, .head_size = 128, .max_positions = 32768}, .qkv_bias = bias, .out_bias = bias});
  add_head_norms(&spec);
  set_upper_windows(&spec, config);
  return spec;
}

}  // namespace hearth
