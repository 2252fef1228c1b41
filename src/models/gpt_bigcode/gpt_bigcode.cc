// SPDX-License-Identifier: Apache-2.0
// StarCoder and SantaCoder. Source: Li et al. 2023, arXiv:2305.06161: GPT-2 whose heads share one key and one value.
#include "models/gpt_layout.h"

namespace hearth {

ModelSpec gpt_bigcode_spec(const JsonView& config) {
  const bool shared = config.boolean_or("multi_query", true);
  ModelSpec spec = read_gpt(config, shared ? 1 : 0, {.activation = "gelu_pytorch_tanh"});
  if (!shared) {
    for (LayerSpec& layer : spec.layers) layer.attention.form = QkvForm::grouped;
  }
  return spec;
}

}  // namespace hearth
