// SPDX-License-Identifier: Apache-2.0
// Source: Jiang et al. 2023, arXiv:2310.06825: every layer slides over 4096 tokens unless the file says otherwise.
#include "models/decoder_layout.h"

namespace hearth {

ModelSpec mistral_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(config, {.sizes = {.kv_heads = 8, .max_positions = 4096 * 32}});
  set_windows(&spec, config, 4096);
  return spec;
}

}  // namespace hearth
