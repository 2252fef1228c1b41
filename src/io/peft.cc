// SPDX-License-Identifier: Apache-2.0
// adapter_model.safetensors: reading, checking against a base model, writing.
#include "io/peft.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "io/json.h"
#include "io/nearest.h"

namespace hearth {
namespace {

constexpr const char* kWeightsName = "adapter_model.safetensors";
constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kEmbeddingA = ".lora_embedding_A", kEmbeddingB = ".lora_embedding_B";

enum class Part { a, b, magnitude, b_bias, base, tokens, whole };
struct AdapterKey {
  std::string name;  // of the module; of the weight where that is replaced
  Part part = Part::a;
  bool embedding = false;
};

// "base_model.model.<module>.lora_A.weight", also with the adapter's name: ".lora_A.default.weight". Those of an
// embedding are called lora_embedding_A and have no ".weight".
std::optional<AdapterKey> parse_key(std::string_view key) {
  static constexpr std::pair<std::string_view, Part> kEnds[] = {
      {".lora_A.weight", Part::a},
      {".lora_B.weight", Part::b},
      {kEmbeddingA, Part::a},
      {kEmbeddingB, Part::b},
      {".lora_B.bias", Part::b_bias},
      {".lora_magnitude_vector", Part::magnitude},
      {".lora_magnitude_vector.weight", Part::magnitude},
      {".base_layer.weight", Part::base},
      {".token_adapter.trainable_tokens_delta", Part::tokens}};
  if (!key.starts_with(kPrefix)) return std::nullopt;
  std::string name(key.substr(kPrefix.size()));
  for (const std::string_view part : std::initializer_list<std::string_view>{
           ".lora_A", ".lora_B", kEmbeddingA, kEmbeddingB, ".lora_magnitude_vector", ".trainable_tokens_delta"}) {
    const size_t at = name.find(cat(part, ".default"));
    if (at != std::string::npos) name.erase(at + part.size(), std::string_view(".default").size());
  }
  for (const auto& [end, part] : kEnds) {
    if (name.size() > end.size() && name.ends_with(end))
      return AdapterKey{name.substr(0, name.size() - end.size()), part, end == kEmbeddingA || end == kEmbeddingB};
  }
  constexpr std::string_view kBaseBias = ".base_layer.bias";
  if (name.ends_with(kBaseBias))
    return AdapterKey{name.substr(0, name.size() - kBaseBias.size()) + ".bias", Part::whole};
  if (name.find("lora_") != std::string::npos || !(name.ends_with(".weight") || name.ends_with(".bias")))
    return std::nullopt;
  return AdapterKey{name, Part::whole};
}

constexpr std::string_view kWrapped = ".base_layer", kUp = ".gate_up_proj", kDown = ".down_proj";

// PEFT wraps a module once for each of its weights with an update, the first one innermost: "mlp.experts.base_layer" is
// that of gate_up_proj where down_proj has one, too. Any other module is itself.
std::string expert_weight(const LoraConfig& config, const std::string& module) {
  const bool inner = module.ends_with(kWrapped);
  const std::string experts = module.substr(0, module.size() - (inner ? kWrapped.size() : 0));
  if (config.parameters.empty() || !experts.ends_with(".experts")) return module;
  return cat(experts, !inner && parameter_matches(config, cat(experts, kDown)) ? kDown : kUp);
}

// The other way: the module that a layer's matrices are written under.
std::string written_module(const Adapter& adapter, const std::string& name) {
  for (const std::string_view weight : {kUp, kDown}) {
    if (!name.ends_with(weight) || !parameter_matches(adapter.config, name)) continue;
    const std::string experts = name.substr(0, name.size() - weight.size());
    return cat(experts, weight == kUp && adapter.modules.count(cat(experts, kDown)) ? kWrapped : "");
  }
  return name;
}

bool is_known(const AdapterKey& key, const LoraConfig& config) {
  if (key.part == Part::whole) return !config.whole.empty() || config.bias != "none";
  if (key.part == Part::tokens) return !config.tokens.empty();
  if (key.part == Part::magnitude) return config.dora;
  return key.part != Part::b_bias || config.b_bias;
}

TensorRef& place_of(Adapter& adapter, const AdapterKey& key) {
  switch (key.part) {
    case Part::a: return adapter.modules[key.name].a;
    case Part::b: return adapter.modules[key.name].b;
    case Part::magnitude: return adapter.modules[key.name].magnitude;
    case Part::b_bias: return adapter.modules[key.name].b_bias;
    case Part::base: return adapter.base_weights[key.name];
    case Part::tokens: return adapter.tokens[key.name];
    default: return adapter.whole[key.name];
  }
}

void refuse_unknown_keys(const std::vector<std::string>& keys, const std::string& path) {
  if (keys.empty()) return;
  const bool no_prefix =
      std::all_of(keys.begin(), keys.end(), [](const std::string& key) { return key.rfind(kPrefix, 0) != 0; });
  HEARTH_FAIL(format, file_name(path), ": ", keys.size(), " keys are not those of a LoRA adapter: ", list_names(keys),
              no_prefix ? "\n  hint: keys must start with 'base_model.model.', as PEFT writes them" : "", "\n  file ",
              path);
}

// Shapes and their agreement with the rank; the base model's sizes come later.
void check_pairs(const Adapter& adapter, const std::string& path) {
  const LoraConfig& c = adapter.config;
  std::vector<std::string> half, wrong;
  for (const auto& [module, pair] : adapter.modules) {
    const std::pair<const TensorRef*, const char*> parts[] = {{&pair.a, ".lora_A"},
                                                              {&pair.b, ".lora_B"},
                                                              {&pair.magnitude, ".lora_magnitude_vector"},
                                                              {&pair.b_bias, ".lora_B.bias"}};
    const size_t count = half.size();
    for (const auto& [tensor, part] : parts) {
      const bool wanted = tensor == &pair.magnitude ? c.dora : tensor == &pair.b_bias ? c.b_bias : true;
      if (wanted && !tensor->owner) half.push_back(module + part);
    }
    if (half.size() > count) continue;
    const TensorType &a = pair.a.type, &b = pair.b.type;
    const int64_t r = c.rank_of(module);
    const auto is_vector = [&](const TensorRef& t) { return !t.owner || t.type.dims == Dims{b.dims[0]}; };
    const bool fits = a.rank() == 2 && b.rank() == 2 && a.dims[0] == b.dims[1] &&
                      (parameter_matches(c, module) ? a.dims[0] % r == 0 : a.dims[0] == r);
    if (!fits || !is_vector(pair.magnitude) || !is_vector(pair.b_bias))
      wrong.push_back(cat(module, " A ", a, " B ", b));
  }
  HEARTH_CHECK(half.empty(), format, file_name(path), ": half of a pair is missing: ", list_names(half), "\n  file ",
               path);
  HEARTH_CHECK(wrong.empty(), format, file_name(path), ": with r = ", c.rank, " (adapter_config.json) A must be [",
               c.rank, ",in] and B [out,", c.rank, "], but found ", list_names(wrong, 4), "\n  file ", path);
}

void check_writable_pairs(const Adapter& adapter) {
  for (const auto& [module, pair] : adapter.modules) {
    const TensorType &a = pair.a.type, &b = pair.b.type;
    const int64_t rank = adapter.config.rank_of(module);
    const bool of_experts = parameter_matches(adapter.config, module);
    const bool fits = a.rank() == 2 && b.rank() == 2 && b.dims[1] == a.dims[0] &&
                      (of_experts ? a.dims[0] % rank == 0 : a.dims[0] == rank);
    HEARTH_CHECK(fits, bug, "write_adapter: '", module, "' has A ", a, " and B ", b, ", but the rank is ", rank);
  }
}

std::string model_card(const LoraConfig& config) {
  const std::string base =
      config.base_model.empty()
          ? ""
          : "base_model: " + Json(config.base_model).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::string of = config.base_model.empty() ? "" : " of " + printable(config.base_model);
  return cat(
      "---\n", base, "library_name: peft\npipeline_tag: text-generation\ntags:\n- lora\n---\n\n# LoRA adapter", of,
      "\n\nRank ", config.rank, ", alpha ", config.alpha, config.rslora ? " (rsLoRA)" : "",
      config.dora ? " (DoRA)" : "",
      ". Made with Hearth; loads with Hearth and with PEFT:\n\n```python\nfrom peft import AutoPeftModelForCausalLM\n"
      "model = AutoPeftModelForCausalLM.from_pretrained(\"this folder\")\n```\n");
}

std::vector<TensorRef> named_tensors(const Adapter& adapter) {
  std::vector<TensorRef> tensors;
  const auto add = [&](const TensorRef& tensor, const std::string& key) {
    if (!tensor.data) return;
    tensors.push_back(tensor);
    tensors.back().name = std::string(kPrefix) + key;
  };
  for (const auto& [module, pair] : adapter.modules) {
    const std::string path = written_module(adapter, module);
    add(pair.a, cat(path, pair.embedding ? kEmbeddingA : ".lora_A.weight"));
    add(pair.b, cat(path, pair.embedding ? kEmbeddingB : ".lora_B.weight"));
    add(pair.magnitude, module + ".lora_magnitude_vector");
    add(pair.b_bias, module + ".lora_B.bias");
  }
  for (const auto& [name, tensor] : adapter.whole) {
    const std::string module = name.substr(0, name.rfind('.'));
    add(tensor, adapter.modules.count(module) ? module + ".base_layer.bias" : name);
  }
  for (const auto& [module, tensor] : adapter.tokens) add(tensor, module + ".token_adapter.trainable_tokens_delta");
  return tensors;
}

void write_files(const std::string& folder, const Adapter& adapter) {
  write_file_atomic(join_path(folder, "README.md"), model_card(adapter.config));
  write_safetensors(join_path(folder, kWeightsName), named_tensors(adapter));
  write_file_atomic(join_path(folder, "adapter_config.json"), dump_adapter_config(adapter.config, adapter.modules));
}

// True if the folder holds an earlier adapter and nothing else, so that it may be replaced as a whole.
bool holds_only_an_adapter(const std::string& folder) {
  const std::vector<std::string> names = list_folder(folder);
  return std::find(names.begin(), names.end(), "adapter_config.json") != names.end() &&
         std::all_of(names.begin(), names.end(), [](const std::string& name) {
           return name == "README.md" || name == "adapter_config.json" || name == kWeightsName;
         });
}

}  // namespace

std::string adapter_weights_path(const std::string& folder) {
  for (const char* name : {kWeightsName, "adapter_model.bin"}) {
    const std::string path = join_path(folder, name);
    if (exists(path)) return path;
  }
  HEARTH_FAIL(file, "adapter: folder '", folder, "' has no ", kWeightsName,
              ", nor adapter_model.bin\n  hint: was the copy complete?");
}

Adapter read_adapter(const std::string& folder) {
  Adapter adapter{.path = folder, .config = read_adapter_config(folder), .modules = {}};
  const std::string path = adapter_weights_path(folder);
  const auto file = TensorFile::open(path);
  std::vector<std::string> unknown, not_float, twice;
  for (const std::string& name : file->names()) {
    std::optional<AdapterKey> key = parse_key(name);
    if (key && (key->part == Part::a || key->part == Part::b)) key->name = expert_weight(adapter.config, key->name);
    if (!key || !is_known(*key, adapter.config)) {
      unknown.push_back(name);
      continue;
    }
    const TensorRef& tensor = *file->find(name);
    const DType dtype = tensor.type.dtype;
    if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
      not_float.push_back(cat(name, " ", tensor.type));
    TensorRef& place = place_of(adapter, *key);
    if (place.owner) twice.push_back(name);
    place = tensor;
    if (key->embedding) adapter.modules[key->name].embedding = true;
  }
  refuse_unknown_keys(unknown, path);
  HEARTH_CHECK(twice.empty(), format, file_name(path), ": with and without '.default': ", list_names(twice),
               "\n  file ", path);
  HEARTH_CHECK(not_float.empty(), format, file_name(path), ": adapters are f32, f16 or bf16, but found ",
               list_names(not_float, 4), "\n  file ", path);
  HEARTH_CHECK(!adapter.modules.empty(), format, file_name(path), ": it holds no tensors\n  file ", path);
  check_pairs(adapter, path);
  for (const auto& [module, weight] : adapter.base_weights) {
    HEARTH_CHECK(adapter.modules.count(module), format, file_name(path), ": it holds the base weight of '", module,
                 "', but no A and B for it\n  file ", path);
  }
  return adapter;
}

static Dims stored_dims(const LinearModule& m) { return m.transposed ? Dims{m.in, m.out} : Dims{m.out, m.in}; }

void check_adapter(const Adapter& adapter, const std::vector<LinearModule>& base) {
  std::unordered_map<std::string, const LinearModule*> by_name;
  std::vector<std::string> missing, unexpected, unselected, misshapen;
  for (const LinearModule& linear : base) {
    by_name[linear.name] = &linear;
    const bool selected = target_matches(adapter.config, linear);
    const auto found = adapter.modules.find(linear.name);
    if (found == adapter.modules.end()) {
      if (selected) missing.push_back(linear.name);
      continue;
    }
    if (!selected) unselected.push_back(linear.name);
    const TensorType &a = found->second.a.type, &b = found->second.b.type;
    const auto copy = adapter.base_weights.find(linear.name);
    const bool copy_fits = copy == adapter.base_weights.end() || copy->second.type.dims == stored_dims(linear);
    if (!copy_fits) misshapen.push_back(cat("the copy of ", linear.name, "'s weight, ", copy->second.type));
    if (found->second.embedding != linear.is_embedding)
      misshapen.push_back(cat(linear.name, linear.is_embedding ? " is an embedding" : " is no embedding"));
    const int64_t rank = adapter.config.rank_of(linear.name) * std::max<int64_t>(1, linear.experts);
    if (a.dims.at(0) != rank) misshapen.push_back(cat(linear.name, " has ", linear.experts, " experts"));
    if (a.dims.at(1) != linear.in || b.dims.at(0) != linear.out) {
      misshapen.push_back(cat(linear.name, " is [", linear.out, ",", linear.in, "] in the model, [", b.dims.at(0), ",",
                              a.dims.at(1), "] in the adapter"));
    }
  }
  for (const auto& [module, pair] : adapter.modules) {
    if (!by_name.count(module)) unexpected.push_back(module);
  }
  const auto part = [](const char* title, const std::vector<std::string>& names) {
    return names.empty() ? std::string() : cat("\n  ", title, " (", names.size(), "): ", list_names(names));
  };
  const std::string problems = part("the adapter lacks", missing) + part("the model lacks", unexpected) +
                               part("in the adapter, but not in its target_modules", unselected) +
                               part("of another shape", misshapen);
  if (problems.empty()) return;
  const std::string& made_for = adapter.config.base_model;
  HEARTH_FAIL(shape, "adapter: '", adapter.path, "' does not fit this model", problems,
              made_for.empty() ? "" : "\n  it was made for '" + made_for + "'");
}

void write_adapter(const std::string& folder, const Adapter& adapter) {
  check_writable_pairs(adapter);
  if (exists(folder) && !holds_only_an_adapter(folder)) return write_files(folder, adapter);
  AtomicFolder target(folder);
  write_files(target.temporary(), adapter);
  target.commit(AtomicFolder::Existing::replace);
}

}  // namespace hearth
