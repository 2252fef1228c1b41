// SPDX-License-Identifier: Apache-2.0
// adapter_config.json: reading, writing, and which layers it selects.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "io/json.h"
#include "io/nearest.h"
#include "io/peft.h"
#include "io/regex.h"

namespace hearth {
namespace {

constexpr const char* kConfigName = "adapter_config.json";

// Features that change what the adapter computes. Each must have the value that means "off".
constexpr const char* kUnsupported[] = {
    "alora_invocation_tokens", "arrow_config", "kasa_config", "layer_replication", "megatron_config",
    "monteclora_config",       "use_bdlora",   "use_qalora",  "velora_config"};
// Read below, or of no consequence once the adapter is trained.
constexpr const char* kKnown[] = {"alpha_pattern",
                                  "auto_mapping",
                                  "base_model_name_or_path",
                                  "bias",
                                  "corda_config",
                                  "ensure_weight_tying",
                                  "eva_config",
                                  "exclude_modules",
                                  "fan_in_fan_out",
                                  "inference_mode",
                                  "init_lora_weights",
                                  "layers_pattern",
                                  "layers_to_transform",
                                  "loftq_config",
                                  "lora_alpha",
                                  "lora_bias",
                                  "lora_dropout",
                                  "lora_ga_config",
                                  "megatron_core",
                                  "modules_to_save",
                                  "peft_type",
                                  "peft_version",
                                  "qalora_group_size",
                                  "r",
                                  "rank_pattern",
                                  "revision",
                                  "runtime_config",
                                  "target_modules",
                                  "target_parameters",
                                  "task_type",
                                  "trainable_token_indices",
                                  "use_dora",
                                  "use_rslora"};
// These initialisations also change the base model's weights, by numbers that only their run knows. What "pissa" and
// "olora" take out of a weight can be computed again.
constexpr const char* kBaseChangingInits[] = {"pissa_niter_", "corda", "lora_ga", "loftq"};

bool is_off(const Json& value) {
  return value.is_null() || value == false || ((value.is_object() || value.is_array()) && value.empty());
}

template <size_t N>
bool contains(const char* const (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

[[noreturn]] void fail_unsupported(const JsonView& json, const std::string& key) {
  HEARTH_FAIL(unsupported, kConfigName, ": '", key, "' is ",
              json.get(key).dump(-1, ' ', false, Json::error_handler_t::replace),
              ", which Hearth does not support\n  file ", json.file());
}

[[noreturn]] void fail_init(const JsonView& json, const std::string& init) {
  HEARTH_FAIL(
      unsupported, kConfigName, ": 'init_lora_weights' is \"", printable(init),
      "\": it changed the base model's weights, in a way that only the run that made the adapter knows"
      "\n  hint: convert it with PEFT: save_pretrained(..., path_initial_model_for_weight_conversion=...)\n  file ",
      json.file());
}

void refuse_unsupported(const JsonView& json) {
  for (const char* key : kUnsupported) {
    if (json.has(key) && !is_off(json.get(key))) fail_unsupported(json, key);
  }
  if (json.has("task_type") && json.text("task_type") != "CAUSAL_LM") fail_unsupported(json, "task_type");
  if (json.has("init_lora_weights") && json.get("init_lora_weights").is_string()) {
    const std::string init = json.text("init_lora_weights");
    for (const char* prefix : kBaseChangingInits) {
      if (init.rfind(prefix, 0) == 0) fail_init(json, init);
    }
  }
}

bool is_word(std::string text, const char* word) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return text == word;
}

// A string is a regular expression, a list names modules.
void read_patterns(const JsonView& json, const std::string& key, std::string* regex, std::vector<std::string>* names) {
  if (!json.get(key).is_string()) return void(*names = json.texts(key));
  *regex = json.text(key);
  names->clear();
  check_regex(*regex, cat(kConfigName, ": '", key, "'"));
}

bool names_match(const std::vector<std::string>& names, const std::string& module) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    if (module.size() <= name.size()) return module == name;
    return module.compare(module.size() - name.size(), name.size(), name) == 0 &&
           module[module.size() - name.size() - 1] == '.';
  });
}

}  // namespace

bool parameter_matches(const LoraConfig& config, const std::string& weight) {
  return names_match(config.parameters, weight);
}

namespace {

// 16 rather than 16.0 where alpha is whole, as PEFT's users write it.
Json alpha_value(double alpha) {
  const bool whole = std::floor(alpha) == alpha && std::fabs(alpha) < 1e15;
  return whole ? Json(static_cast<int64_t>(alpha)) : Json(alpha);
}

Json target_value(const LoraConfig& config, const LoraPairs& modules) {
  if (!config.all_linear) return config.target_regex.empty() ? Json(config.targets) : Json(config.target_regex);
  std::set<std::string> last;  // PEFT, too, writes out what "all-linear" found
  for (const auto& [module, pair] : modules) {
    if (!parameter_matches(config, module)) last.insert(module.substr(module.rfind('.') + 1));
  }
  return Json(std::vector<std::string>(last.begin(), last.end()));
}

}  // namespace

// The first pattern that the module's path matches, whole or behind a "."; null for none.
template <class T>
static const T* find_pattern(const std::vector<std::pair<std::string, T>>& patterns, const std::string& module) {
  for (const auto& [pattern, value] : patterns) {
    if (regex_fullmatch("(.*\\.)?(" + pattern + ")", module)) return &value;
  }
  return nullptr;
}

int64_t LoraConfig::rank_of(const std::string& module) const {
  const int64_t* own = find_pattern(rank_pattern, module);
  return own ? *own : rank;
}

double LoraConfig::scaling_of(const std::string& module) const {
  const double* own = find_pattern(alpha_pattern, module);
  const double r = static_cast<double>(rank_of(module));
  return (own ? *own : alpha) / (rslora ? std::sqrt(r) : r);
}

LoraConfig read_adapter_config(const std::string& folder) {
  HEARTH_CHECK(exists(folder), file, "adapter: there is no folder '", folder,
               "'\n  hint: check the spelling of the path");
  HEARTH_CHECK(is_folder(folder), file, "adapter: '", folder, "' is a file; name the folder that holds ", kConfigName);
  const std::string path = join_path(folder, kConfigName);
  if (!exists(path)) {
    std::string hint = "\n  hint: an adapter folder holds adapter_config.json and adapter_model.safetensors";
    for (const std::string& name : list_folder(folder)) {
      if (name == "config.json") hint = "\n  it holds a whole model, not an adapter";
      if (exists(join_path(join_path(folder, name), kConfigName)))
        hint = "\n  hint: its subfolder '" + name + "' has one";
    }
    HEARTH_FAIL(file, "adapter: folder '", folder, "' has no ", kConfigName, hint);
  }
  constexpr int64_t kMaxBytes = 16 << 20;
  return parse_adapter_config(read_file(path, kMaxBytes), path);
}

static void read_layers(const JsonView& json, LoraConfig* config) {
  constexpr IntegerRange kLayer{.min = 0, .max = 1 << 20};
  if (json.has("layers_to_transform")) config->layers = json.integers("layers_to_transform", kLayer);
  if (!json.has("layers_pattern")) return;
  const bool single = json.get("layers_pattern").is_string();
  config->layers_pattern =
      single ? std::vector<std::string>{json.text("layers_pattern")} : json.texts("layers_pattern");
  for (const std::string& pattern : config->layers_pattern)
    check_regex(pattern, cat(kConfigName, ": 'layers_pattern'"));
}

// A list of token ids is for the embedding; an object says which for which module.
static void read_tokens(const JsonView& json, LoraConfig* config) {
  constexpr IntegerRange kToken{.min = 0, .max = INT32_MAX};
  const char* key = "trainable_token_indices";
  if (!json.has(key)) return;
  if (!json.get(key).is_object()) {
    config->tokens = {{"embed_tokens", json.integers(key, kToken)}};
    return;
  }
  const JsonView modules = json.object(key);
  for (const std::string& module : modules.keys())
    config->tokens.emplace_back(module, modules.integers(module, kToken));
}

// The words that matter once the adapter is trained, and those that Hearth has itself.
static std::string read_init(const JsonView& json) {
  if (!json.has("init_lora_weights") || !json.get("init_lora_weights").is_string()) return "default";
  std::string init = json.text("init_lora_weights");
  for (const char* word : {"olora", "mica"}) {  // PEFT reads these in any case
    if (is_word(init, word)) init = word;
  }
  for (const char* known : {"gaussian", "orthogonal", "pissa", "olora", "mica"}) {
    if (init == known) return init;
  }
  return "default";
}

// What goes beyond plain LoRA.
static void read_kin(const JsonView& json, LoraConfig* config) {
  config->init = read_init(json);
  config->dora = json.boolean_or("use_dora", false);
  config->b_bias = json.boolean_or("lora_bias", false);
  config->bias = json.text_or("bias", "none");
  if (config->bias != "none" && config->bias != "all" && config->bias != "lora_only")
    json.refuse("bias", "none, all or lora_only");
  if (json.has("modules_to_save")) config->whole = json.texts("modules_to_save");
  for (const std::string& name : config->whole) check_regex(name, cat(kConfigName, ": 'modules_to_save'"));
  read_layers(json, config);
  read_tokens(json, config);
  constexpr int64_t kMaxRank = 1 << 20;
  if (json.has("rank_pattern")) {
    const JsonView ranks = json.object("rank_pattern");
    for (const std::string& key : ranks.keys())
      config->rank_pattern.emplace_back(key, ranks.integer(key, {.min = 1, .max = kMaxRank}));
  }
  if (json.has("alpha_pattern")) {
    const JsonView alphas = json.object("alpha_pattern");
    for (const std::string& key : alphas.keys()) config->alpha_pattern.emplace_back(key, alphas.number(key));
  }
  for (const auto& [key, rank] : config->rank_pattern) check_regex(key, cat(kConfigName, ": 'rank_pattern'"));
  for (const auto& [key, alpha] : config->alpha_pattern) check_regex(key, cat(kConfigName, ": 'alpha_pattern'"));
}

LoraConfig parse_adapter_config(std::string_view text, const std::string& path) {
  const Json parsed = parse_json(text, path, {.unique_keys = true});
  const JsonView json(parsed, path);
  const std::string type = json.text("peft_type");
  HEARTH_CHECK(type == "LORA", unsupported, kConfigName, ": 'peft_type' is '", type, "'; Hearth has LORA only\n  file ",
               path);
  refuse_unsupported(json);

  LoraConfig config;
  constexpr int64_t kMaxRank = 1 << 20;
  config.rank = json.integer_or("r", 8, {.min = 1, .max = kMaxRank});
  config.alpha = json.number_or("lora_alpha", 8);  // PEFT's default, not ours
  config.dropout = json.number_or("lora_dropout", 0, {.min = 0, .max = 1});
  config.rslora = json.boolean_or("use_rslora", false);
  config.base_model = json.text_or("base_model_name_or_path", "");
  config.fan_in_fan_out = json.boolean_or("fan_in_fan_out", false);
  if (json.has("target_parameters")) config.parameters = json.texts("target_parameters");
  config.family_targets = !json.has("target_modules");
  if (!config.family_targets) {
    read_patterns(json, "target_modules", &config.target_regex, &config.targets);
    if (is_word(config.target_regex, "all-linear")) {
      config.all_linear = true;
      config.target_regex.clear();
    } else if (config.target_regex.empty() && config.targets.empty() && config.parameters.empty()) {
      json.refuse("target_modules", "a regular expression or a list of names that is not empty");
    }
  }
  if (json.has("exclude_modules")) {
    read_patterns(json, "exclude_modules", &config.exclude_regex, &config.excludes);
  }
  read_kin(json, &config);
  for (const std::string& key : json.keys()) {
    if (!contains(kKnown, key) && !contains(kUnsupported, key)) config.unknown_keys.push_back(key);
  }
  return config;
}

// Number of the layer that a module is in: the first number with two names before it and one behind, or the first
// behind a pattern; -1 for none.
static int64_t layer_of(const std::string& module, const std::vector<std::string>& patterns) {
  int names = 0;
  for (size_t begin = 0; begin < module.size(); ++names) {
    const size_t end = module.find('.', begin);
    if (end == std::string::npos) return -1;
    const std::string name = module.substr(begin, end - begin), before = begin == 0 ? "" : module.substr(0, begin - 1);
    const bool number = !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == std::string::npos;
    const bool behind = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return number && regex_fullmatch("(.*\\.)?" + pattern, before);
    });
    if (number && (patterns.empty() ? names >= 2 : behind)) return std::stoll(name);
    begin = end + 1;
  }
  return -1;
}

bool is_whole(const LoraConfig& config, const std::string& module) {
  for (std::string path = module;; path.resize(path.rfind('.'))) {
    for (const std::string& end : config.whole) {
      if (path.ends_with(end)) return true;
    }
    if (path.find('.') == std::string::npos) return false;
  }
}

static bool is_excluded(const LoraConfig& config, const std::string& module) {
  if (!config.exclude_regex.empty() && regex_fullmatch(config.exclude_regex, module)) return true;
  if (names_match(config.excludes, module)) return true;
  return std::any_of(config.whole.begin(), config.whole.end(),
                     [&](const std::string& name) { return regex_fullmatch("(.*\\.)?" + name + "(\\..*)?", module); });
}

bool target_matches(const LoraConfig& config, const LinearModule& module) {
  if (module.experts > 0) return parameter_matches(config, module.name);
  return target_matches(config, module.name, module.is_output_embedding || module.is_embedding);
}

bool target_matches(const LoraConfig& config, const std::string& module, bool is_any_embedding) {
  if (is_excluded(config, module)) return false;
  if (config.all_linear && is_any_embedding) return false;
  if (!config.all_linear && !config.target_regex.empty()) return regex_fullmatch(config.target_regex, module);
  if (std::find(config.targets.begin(), config.targets.end(), module) != config.targets.end()) return true;
  if (!config.all_linear && !names_match(config.targets, module)) return false;
  if (config.layers.empty()) return true;
  const int64_t layer = layer_of(module, config.layers_pattern);
  return std::find(config.layers.begin(), config.layers.end(), layer) != config.layers.end();
}

template <class T>
static Json pattern_json(const std::vector<std::pair<std::string, T>>& patterns) {
  Json json = Json::object();
  for (const auto& [key, value] : patterns) {
    if constexpr (std::is_floating_point_v<T>)
      json[key] = alpha_value(value);
    else
      json[key] = value;
  }
  return json;
}

template <class T>
static Json list_json(const std::vector<T>& list) {
  return list.empty() ? Json(nullptr) : Json(list);
}

std::string dump_adapter_config(const LoraConfig& config, const LoraPairs& modules) {
  const Json none = nullptr, empty = Json::object();
  const Json excludes = !config.exclude_regex.empty() ? Json(config.exclude_regex)
                        : config.excludes.empty()     ? none
                                                      : Json(config.excludes);
  const std::vector<std::pair<const char*, Json>> keys = {
      // sorted by name
      {"alora_invocation_tokens", none},
      {"alpha_pattern", pattern_json(config.alpha_pattern)},
      {"arrow_config", none},
      {"auto_mapping", none},
      {"base_model_name_or_path", config.base_model.empty() ? none : Json(config.base_model)},
      {"bias", config.bias},
      {"corda_config", none},
      {"ensure_weight_tying", false},
      {"eva_config", none},
      {"exclude_modules", excludes},
      {"fan_in_fan_out", config.fan_in_fan_out},
      {"inference_mode", true},
      {"init_lora_weights", config.init == "gaussian" || config.init == "orthogonal" || config.init == "mica"
                                ? Json(config.init)
                                : Json(true)},
      {"kasa_config", none},
      {"layer_replication", none},
      {"layers_pattern", list_json(config.layers_pattern)},
      {"layers_to_transform", list_json(config.layers)},
      {"loftq_config", empty},
      {"lora_alpha", alpha_value(config.alpha)},
      {"lora_bias", config.b_bias},
      {"lora_dropout", config.dropout},
      {"lora_ga_config", none},
      {"megatron_config", none},
      {"megatron_core", "megatron.core"},
      {"modules_to_save", list_json(config.whole)},
      {"monteclora_config", none},
      {"peft_type", "LORA"},
      {"peft_version", "0.21.0"},  // whose 41 keys these are
      {"qalora_group_size", 16},
      {"r", config.rank},
      {"rank_pattern", pattern_json(config.rank_pattern)},
      {"revision", none},
      {"target_modules", target_value(config, modules)},
      {"target_parameters", list_json(config.parameters)},
      {"task_type", "CAUSAL_LM"},
      {"trainable_token_indices", config.tokens.empty() ? none : pattern_json(config.tokens)},
      {"use_bdlora", none},
      {"use_dora", config.dora},
      {"use_qalora", false},
      {"use_rslora", config.rslora},
      {"velora_config", none},
  };
  Json json = Json::object();
  for (const auto& [key, value] : keys) json[key] = value;
  return dump_json(json);
}

}  // namespace hearth
