// SPDX-License-Identifier: Apache-2.0
#include "cli/lora_flags.h"

#include <algorithm>
#include <charconv>

#include "io/nearest.h"
#include "io/regex.h"

namespace hearth {

static const std::vector<std::string> kNone = {"none"};  // the flag's word for no layers, where experts are tuned

static std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

static void check_targets(const LanguageModel& model, const LoraConfig& config) {
  HEARTH_CHECK(!config.targets.empty() || !config.parameters.empty(), value,
               "--lora-targets names no layer; give names or all-linear, or --lora-experts, too");
  std::vector<std::string> names;
  for (const LinearModule& module : model.lora_modules()) {
    const std::string name = last_part(module.name);
    if (module.experts == 0 && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (const std::string& target : config.targets) {
    LoraConfig only = config;
    only.targets = {target};
    only.parameters.clear();
    bool found = false;
    for (const LinearModule& m : model.lora_modules()) found = found || target_matches(only, m);
    HEARTH_CHECK(found, value, "--lora-targets: the model has no layer '", printable(target), "'; it has ",
                 list_names(names), did_you_mean(target, names));
  }
}

// The number behind the "=" of each word.
template <class T>
static std::vector<std::pair<std::string, T>> read_pattern(const std::string& flag,
                                                           const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, T>> pattern;
  for (const std::string& word : words) {
    const size_t equals = word.rfind('=');
    T number{};
    const char *begin = word.data() + (equals == std::string::npos ? word.size() : equals + 1),
               *end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(begin, end, number);
    if (equals == std::string::npos || equals == 0 || error != std::errc() || stop != end || !(number > 0))
      throw UsageError(cat("--", flag, ": '", printable(word), "' is not like q_proj=16"));
    pattern.emplace_back(word.substr(0, equals), number);
    check_regex(pattern.back().first, cat("--", flag));
  }
  return pattern;
}

template <class T>
static std::vector<std::string> pattern_words(const std::vector<std::pair<std::string, T>>& pattern) {
  std::vector<std::string> words;
  for (const auto& [key, value] : pattern) words.push_back(cat(key, "=", value));
  return words;
}

static LoraAdapter new_adapter(const LanguageModel& model, const LoraFlags& flags, uint64_t seed) {
  LoraConfig config{.rank = flags.rank, .alpha = flags.alpha, .dropout = flags.dropout, .rslora = flags.rslora};
  config.all_linear = flags.targets == std::vector<std::string>{"all-linear"};
  config.targets = config.all_linear || flags.targets == kNone ? std::vector<std::string>{} : flags.targets;
  config.base_model = model.path();
  config.excludes = flags.exclude;
  config.parameters = flags.experts;
  config.layers = flags.layers;
  config.rank_pattern = read_pattern<int64_t>("lora-rank-pattern", flags.rank_pattern);
  config.alpha_pattern = read_pattern<double>("lora-alpha-pattern", flags.alpha_pattern);
  config.init = flags.init;
  config.dora = flags.dora;
  config.b_bias = flags.lora_bias;
  config.bias = flags.bias;
  config.whole = flags.modules_to_save;
  if (!flags.train_tokens.empty()) config.tokens = {{"embed_tokens", flags.train_tokens}};
  if (!config.all_linear) check_targets(model, config);
  return LoraAdapter::create(model, config, seed);
}

static LoraFlags flags_of(const LoraConfig& config, const std::string& folder) {
  LoraFlags flags;
  flags.adapter = folder;
  flags.rank = config.rank;
  flags.alpha = config.alpha;
  flags.dropout = config.dropout;
  flags.rslora = config.rslora;
  flags.init = config.init;
  flags.dora = config.dora;
  flags.lora_bias = config.b_bias;
  flags.bias = config.bias;
  flags.exclude = config.exclude_regex.empty() ? config.excludes : std::vector<std::string>{config.exclude_regex};
  flags.layers = config.layers;
  flags.experts = config.parameters;
  flags.rank_pattern = pattern_words(config.rank_pattern);
  flags.alpha_pattern = pattern_words(config.alpha_pattern);
  flags.modules_to_save = config.whole;
  for (const auto& [module, ids] : config.tokens) {
    if (module == "embed_tokens") flags.train_tokens = ids;
  }
  flags.targets = config.all_linear ? std::vector<std::string>{"all-linear"} : config.targets;
  if (!config.target_regex.empty()) flags.targets = {config.target_regex};
  if (flags.targets.empty()) flags.targets = kNone;
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
