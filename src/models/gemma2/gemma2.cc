// SPDX-License-Identifier: Apache-2.0
// Source: Gemma Team 2024, arXiv:2408.00118: soft caps, norms of outputs, every other layer slides.
#include "models/gemma/gemma.h"

namespace hearth {

// The key's number; null: no cap.
static double soft_cap(const JsonView& config, const char* key, double usual) {
  return config.number_or(key, config.json().contains(key) ? 0 : usual, {.min = 0});
}

ModelSpec gemma2_spec(const JsonView& config) {
  ModelSpec spec = read_gemma(config, {.kv_heads = 4, .max_positions = 8192}, "hidden_activation", {});
  add_output_norms(&spec);
  set_windows(&spec, read_window(config, 4096),
              read_sliding_layers(config, spec.layers.size(), [](size_t i) { return i % 2 == 0; }));
  const double scale = 1 / std::sqrt(config.number_or("query_pre_attn_scalar", 256, {.min = 1e-6}));
  const double cap = soft_cap(config, "attn_logit_softcapping", 50);
  for (LayerSpec& layer : spec.layers) {
    layer.attention.scale = scale;
    layer.attention.soft_cap = cap;
  }
  spec.logit_soft_cap = soft_cap(config, "final_logit_softcapping", 30);
  return spec;
}

}  // namespace hearth
