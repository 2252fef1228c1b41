// SPDX-License-Identifier: Apache-2.0
// New adapters.
#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "train/lora.h"
#include "train/lora_delta.h"
#include "train/lora_init.h"
#include "train/lora_weights.h"

namespace hearth {

static LoraMatrices new_matrices(const LanguageModel& model, const LoraConfig& config, const LinearModule& module,
                                 uint64_t seed, uint32_t number) {
  LoraMatrices m{.in = module.in,
                 .out = module.out,
                 .rank = config.rank_of(module.name) * std::max<int64_t>(1, module.experts),
                 .scale = config.scaling_of(module.name),
                 .embedding = module.is_embedding,
                 .experts = module.experts};
  const TensorRef weight = module.experts > 0 ? TensorRef{} : model.tensor(model.weight_of(module));
  initialise(&m, config, weight, module, seed, number);
  if (config.dora) {
    const std::vector<float> norms = dora_norms(weight, m, module.transposed);
    m.magnitude.assign(norms.begin(), norms.end());
  }
  if (config.b_bias) m.b_bias.assign(size_t(module.out), 0.0f);
  return m;
}

static void check_config(const LoraConfig& config) {
  HEARTH_CHECK(config.rank > 0, value, "lora: rank must be at least 1; it is ", config.rank);
  HEARTH_CHECK(config.dropout >= 0 && config.dropout < 1, value, "lora: dropout must be in [0, 1); it is ",
               config.dropout);
  HEARTH_CHECK(!config.dora || !config.b_bias, value, "lora: DoRA and a bias of B do not go together, as in PEFT");
  check_init(config.init);
  HEARTH_CHECK(!config.dora || !keeps_b(config.init), unsupported, "lora: DoRA does not go together with ", config.init,
               ", as in PEFT");
  HEARTH_CHECK(!config.dora || !takes_from_base(config.init), unsupported, "lora: DoRA does not go together with ",
               config.init, "\n  hint: --lora-init gaussian leaves the base weights as they are");
}

LoraAdapter LoraAdapter::create(const LanguageModel& model, const LoraConfig& config, uint64_t seed) {
  check_config(config);
  LoraAdapter adapter;
  adapter.config_ = config;
  if (config.family_targets) adapter.config_.targets = model.spec().default_targets;
  std::vector<std::string> names;
  uint32_t number = 0;
  for (const LinearModule& module : model.lora_modules()) {
    const uint32_t own_number = number++;
    const std::string last = module.name.substr(module.name.rfind('.') + 1);
    if (module.experts == 0 && std::find(names.begin(), names.end(), last) == names.end()) names.push_back(last);
    if (!target_matches(adapter.config_, module)) continue;
    check_layer(config, module);
    adapter.config_.fan_in_fan_out |= module.transposed && !module.is_embedding;
    adapter.modules_[module.name] = new_matrices(model, config, module, seed, own_number);
  }
  for (const std::string& parameter : config.parameters) {
    LoraConfig only;
    only.parameters = {parameter};
    const bool there = std::any_of(adapter.modules_.begin(), adapter.modules_.end(),
                                   [&](const auto& m) { return parameter_matches(only, m.first); });
    HEARTH_CHECK(there, value, "lora: target_parameters: the model has no experts with a '", printable(parameter),
                 "'\n  hint: experts have gate_up_proj and down_proj");
  }
  HEARTH_CHECK(!adapter.modules_.empty(), value, "lora: no layer of the model matches the targets\n  there are ",
               list_names(names, names.size()));
  adapter.weights_ = selected_weights(model, adapter.config_);
  return adapter;
}

}  // namespace hearth
