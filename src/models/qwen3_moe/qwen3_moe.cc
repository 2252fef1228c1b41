// SPDX-License-Identifier: Apache-2.0
// Source: Yang et al. 2025, arXiv:2505.09388: Qwen3 with experts.
#include "models/decoder_layout.h"
#include "models/experts_layout.h"

namespace hearth {

ModelSpec qwen3_moe_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec =
      read_decoder(config, {.sizes = {.kv_heads = 4, .max_positions = 32768}, .qkv_bias = bias, .out_bias = bias});
  add_head_norms(&spec);
  const bool sliding = config.boolean_or("use_sliding_window", false);
  set_windows(&spec, sliding ? read_window(config, 4096) : 0, std::vector<bool>(spec.layers.size(), true));
  const ExpertsOptions experts = read_qwen_experts(config, 128, 8, 768);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    if (experts.count > 0 && qwen_layer_has_experts(config, i)) make_experts(experts, spec.hidden, &spec.layers[i]);
  }
  return spec;
}

}  // namespace hearth
