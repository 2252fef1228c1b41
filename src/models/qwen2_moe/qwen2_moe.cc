// SPDX-License-Identifier: Apache-2.0
// Qwen 1.5 and 2 with experts (Yang et al. 2024, arXiv:2407.10671), beside which one expert serves every token.
#include "models/decoder_layout.h"
#include "models/experts_layout.h"

namespace hearth {

static void add_shared_expert(int64_t ffn, int64_t hidden, LayerSpec* layer) {
  const std::string name = layer->name + ".mlp.shared_expert";
  make_gated_mlp(name, hidden, ffn, false, &layer->experts->shared);
  layer->experts->shared.activation = layer->mlp.activation;
  layer->experts->shared_gate = {name + "_gate", 1, hidden};
}

ModelSpec qwen2_moe_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(
      config, {.sizes = {.kv_heads = 16, .max_positions = 32768}, .qkv_bias = config.boolean_or("qkv_bias", true)});
  const bool used = config.boolean_or("use_sliding_window", false);
  const int64_t last = config.integer_or("max_window_layers", 28, {.min = 0});
  set_windows(&spec, used ? read_window(config, 4096) : 0,
              read_sliding_layers(config, spec.layers.size(),
                                  [&](size_t i) { return used && (i + 1) % 2 != 0 && int64_t(i) < last; }));
  const ExpertsOptions experts = read_qwen_experts(config, 60, 4, 1408);
  const int64_t shared =
      config.integer_or("shared_expert_intermediate_size", 5632, {.min = 1, .max = int64_t(1) << 32});
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    if (experts.count == 0 || !qwen_layer_has_experts(config, i)) continue;
    make_experts(experts, spec.hidden, &spec.layers[i]);
    add_shared_expert(shared, spec.hidden, &spec.layers[i]);
  }
  return spec;
}

}  // namespace hearth
