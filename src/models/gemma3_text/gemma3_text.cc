// SPDX-License-Identifier: Apache-2.0
// Source: Gemma Team 2025, arXiv:2503.19786: norms of queries and keys instead of the scores' cap; five layers of six
// slide, and turn by other angles.
#include "models/gemma/gemma.h"

namespace hearth {

// Angles of the layers that slide: version 4 has their theta only.
static RopeSpec local_rope(const JsonView& config, const ModelSpec& spec) {
  const RopeDefaults local{.head_size = spec.head_size,
                           .theta = 10000,
                           .max_positions = spec.max_positions,
                           .theta_key = "rope_local_base_freq",
                           .kind = "sliding_attention"};
  if (config.has("rope_parameters")) return read_rope(config, local);
  Json plain = config.json();
  plain.erase("rope_scaling");  // of the other layers
  return read_rope(JsonView(plain, config.file()), local);
}

ModelSpec gemma3_text_spec(const JsonView& config) {
  ModelSpec spec = read_gemma(config, {.kv_heads = 4, .max_positions = 131072}, "hidden_activation",
                              {.theta = 1e6, .kind = "full_attention"});
  add_output_norms(&spec);
  add_head_norms(&spec);
  const char* key = config.has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern";
  const size_t pattern = size_t(config.integer_or(key, 6, {.min = 1}));
  const std::vector<bool> sliding =
      read_sliding_layers(config, spec.layers.size(), [&](size_t i) { return (i + 1) % pattern != 0; });
  set_windows(&spec, read_window(config, 4096), sliding);
  spec.ropes.push_back(local_rope(config, spec));
  const double scale = 1 / std::sqrt(config.number_or("query_pre_attn_scalar", 256, {.min = 1e-6}));
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    spec.layers[i].attention.scale = scale;
    spec.layers[i].attention.rope = sliding[i] ? 1 : 0;
  }
  spec.logit_soft_cap = config.number_or("final_logit_softcapping", 0, {.min = 0});
  return spec;
}

}  // namespace hearth
