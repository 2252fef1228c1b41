// SPDX-License-Identifier: Apache-2.0
// New adapters.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/nearest.h"
#include "ops/random/threefry.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_weights.h"

namespace hearth {

static LoraMatrices new_matrices(const LanguageModel& model, const LoraConfig& config, const LinearModule& module,
                                 uint64_t seed, uint32_t number) {
  const int64_t rank = config.rank_of(module.name);
  LoraMatrices m{.in = module.in,
                 .out = module.out,
                 .rank = rank,
                 .scale = config.scaling_of(module.name),
                 .a = {},
                 .b = {},
                 .magnitude = {},
                 .b_bias = {}};
  m.a.resize(size_t(rank * module.in));
  m.b.assign(size_t(module.out * rank), 0.0f);
  const float bound = 1 / std::sqrt(float(module.in));  // kaiming_uniform with a = sqrt(5)
  for (size_t i = 0; i < m.a.size(); ++i) {
    const ThreefryBlock bits = threefry2x32(uint32_t(seed), uint32_t(seed >> 32), uint32_t(i), number);
    m.a[i] = (float(bits.x0 >> 8) * 0x1p-23f - 1.0f) * bound;
  }
  if (config.dora) {
    const std::vector<float> norms = dora_norms(model.tensor(model.weight_of(module)), m, module.transposed);
    m.magnitude.assign(norms.begin(), norms.end());
  }
  if (config.b_bias) m.b_bias.assign(size_t(module.out), 0.0f);
  return m;
}

LoraAdapter LoraAdapter::create(const LanguageModel& model, const LoraConfig& config, uint64_t seed) {
  HEARTH_CHECK(config.rank > 0, value, "lora: rank must be at least 1; it is ", config.rank);
  HEARTH_CHECK(config.dropout >= 0 && config.dropout < 1, value, "lora: dropout must be in [0, 1); it is ",
               config.dropout);
  HEARTH_CHECK(!config.dora || !config.b_bias, value, "lora: DoRA and a bias of B do not go together, as in PEFT");
  LoraAdapter adapter;
  adapter.config_ = config;
  if (config.family_targets) adapter.config_.targets = model.spec().default_targets;
  std::vector<std::string> names;
  uint32_t number = 0;
  for (const LinearModule& module : model.linear_modules()) {
    ++number;
    const std::string last = module.name.substr(module.name.rfind('.') + 1);
    if (std::find(names.begin(), names.end(), last) == names.end()) names.push_back(last);
    if (!target_matches(adapter.config_, module.name, module.is_output_embedding)) continue;
    check_layer(config, module);
    adapter.config_.fan_in_fan_out |= module.transposed;
    adapter.modules_[module.name] = new_matrices(model, config, module, seed, number);
  }
  HEARTH_CHECK(!adapter.modules_.empty(), value, "lora: no linear layer of the model matches the targets\n  there are ",
               list_names(names, names.size()));
  adapter.weights_ = selected_weights(model, adapter.config_);
  return adapter;
}

}  // namespace hearth
