// SPDX-License-Identifier: Apache-2.0
// Source: Bakouch et al. 2025, "SmolLM3": Llama, but every fourth layer has no positions.
#include "base/error.h"
#include "models/decoder_layout.h"

namespace hearth {

// True for the layers that rotate.
static std::vector<bool> rotating_layers(const JsonView& config, size_t layers) {
  std::vector<bool> rotates;
  if (config.has("no_rope_layers")) {
    for (const int64_t rope : config.integers("no_rope_layers", {.min = 0, .max = 1})) rotates.push_back(rope != 0);
  } else {
    const size_t interval = size_t(config.integer_or("no_rope_layer_interval", 4, {.min = 1}));
    for (size_t i = 0; i < layers; ++i) rotates.push_back((i + 1) % interval != 0);
  }
  HEARTH_CHECK(rotates.size() == layers, format, config.file(), ": no_rope_layers has ", rotates.size(),
               " entries, but the model has ", layers, " layers");
  return rotates;
}

ModelSpec smollm3_spec(const JsonView& config) {
  const bool bias = config.boolean_or("attention_bias", false);
  ModelSpec spec = read_decoder(config, {.sizes = {.kv_heads = 4, .max_positions = 32768, .tied = true},
                                         .rope = {.theta = 2e6},
                                         .qkv_bias = bias,
                                         .out_bias = bias,
                                         .mlp_bias = config.boolean_or("mlp_bias", false)});
  const std::vector<bool> rotates = rotating_layers(config, spec.layers.size());
  for (size_t i = 0; i < rotates.size(); ++i) spec.layers[i].attention.rope = rotates[i] ? 0 : -1;
  const int64_t window = config.boolean_or("use_sliding_window", false) ? read_window(config, 0) : 0;
  set_windows(&spec, window,
              read_sliding_layers(config, rotates.size(), [&](size_t i) { return window > 0 && !rotates[i]; }));
  return spec;
}

}  // namespace hearth
