// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "models/gpt_layout.h"

namespace hearth {

ModelSpec gpt2_spec(const JsonView& config) {
  ModelSpec spec = read_gpt(config, 0, {.transposed = true});
  if (!config.boolean_or("scale_attn_by_inverse_layer_idx", false)) return spec;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    double& scale = spec.layers[i].attention.scale;
    scale = (scale == 0 ? 1 / std::sqrt(double(spec.head_size)) : scale) / double(i + 1);
  }
  return spec;
}

}  // namespace hearth
