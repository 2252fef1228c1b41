// SPDX-License-Identifier: Apache-2.0
// Source: Yang et al. 2024, arXiv:2407.10671: biases on queries, keys and values; the upper layers may slide.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec qwen2_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(config, {.sizes = {.kv_heads = 32, .max_positions = 32768}, .qkv_bias = true});
  set_upper_windows(&spec, config);
  return spec;
}

}  // namespace hearth
