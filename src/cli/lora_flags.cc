// SPDX-License-Identifier: Apache-2.0
#include "cli/lora_flags.h"

#include <algorithm>

#include "io/nearest.h"

namespace hearth {

static std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

static void check_targets(const LanguageModel& model, const LoraConfig& config) {
  HEARTH_CHECK(!config.targets.empty(), value, "--lora-targets names no layer; give names or all-linear");
  std::vector<std::string> names;
  for (const LinearModule& module : model.linear_modules()) {
    const std::string name = last_part(module.name);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (const std::string& target : config.targets) {
    LoraConfig only = config;
    only.targets = {target};
    bool found = false;
    for (const LinearModule& m : model.linear_modules())
      found = found || target_matches(only, m.name, m.is_output_embedding);
    HEARTH_CHECK(found, value, "--lora-targets: the model has no linear layer '", printable(target), "'; it has ",
                 list_names(names), did_you_mean(target, names));
  }
}

static LoraAdapter new_adapter(const LanguageModel& model, const LoraFlags& flags, uint64_t seed) {
  LoraConfig config{.rank = flags.rank, .alpha = flags.alpha, .dropout = flags.dropout, .rslora = flags.rslora};
  config.all_linear = flags.targets == std::vector<std::string>{"all-linear"};
  config.targets = config.all_linear ? std::vector<std::string>{} : flags.targets;
  config.base_model = model.path();
  if (!config.all_linear) check_targets(model, config);
  return LoraAdapter::create(model, config, seed);
}

static LoraFlags flags_of(const LoraConfig& config, const std::string& folder) {
  LoraFlags flags{folder, config.rank, config.alpha, config.dropout, config.targets, config.rslora};
  if (config.all_linear) flags.targets = {"all-linear"};
  if (!config.target_regex.empty()) flags.targets = {config.target_regex};
  std::sort(flags.targets.begin(), flags.targets.end());  // PEFT writes a set, in any order
  return flags;
}

static void refuse_contradictions(LoraFlags asked, LoraFlags found, const std::set<std::string>& given) {
  std::sort(asked.targets.begin(), asked.targets.end());
  FlagTable wanted = flag_table(asked), has = flag_table(found);
  for (const Flag& flag : wanted.flags) {
    if (flag.name == "adapter" || !given.count(flag.name)) continue;
    const std::string value = flag_text(*has.find(flag.name));
    HEARTH_CHECK(flag_text(flag) == value, value, "--", flag.name, " ", flag_text(flag), " contradicts the adapter '",
                 found.adapter, "', which has ", value, "; leave the flag out, or leave out --adapter");
  }
}

LoraAdapter make_adapter(const LanguageModel& model, LoraFlags& flags, uint64_t seed,
                         const std::set<std::string>& given) {
  if (flags.adapter.empty()) {
    if (!given.count("lora-targets")) flags.targets = model.spec().default_targets;
    return new_adapter(model, flags, seed);
  }
  LoraAdapter adapter = LoraAdapter::load(model, flags.adapter);
  LoraFlags found = flags_of(adapter.config(), flags.adapter);
  refuse_contradictions(flags, found, given);
  flags = std::move(found);
  return adapter;
}

std::string lora_targets_text(const LoraFlags& flags) {
  LoraFlags copy = flags;
  return flag_text(*flag_table(copy).find("lora-targets"));
}

}  // namespace hearth
