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

enum class Part { a, b, base };
struct AdapterKey {
  std::string module;
  Part part = Part::a;
};

// "base_model.model.<module>.lora_A.weight", also with the adapter's name: ".lora_A.default.weight".
std::optional<AdapterKey> parse_key(std::string_view key) {
  static constexpr std::pair<std::string_view, Part> kParts[] = {
      {".lora_A", Part::a}, {".lora_B", Part::b}, {".base_layer", Part::base}};
  if (key.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  key.remove_prefix(kPrefix.size());
  for (const std::string_view end : {".weight", ".default.weight"}) {
    for (const auto& [name, part] : kParts) {
      const size_t tail = name.size() + end.size();
      if (key.size() <= tail || key.substr(key.size() - end.size()) != end) continue;
      if (key.substr(key.size() - tail, name.size()) != name) continue;
      return AdapterKey{std::string(key.substr(0, key.size() - tail)), part};
    }
  }
  return std::nullopt;
}

void refuse_unknown_keys(const std::vector<std::string>& keys, const std::string& path) {
  if (keys.empty()) return;
  const bool no_prefix =
      std::all_of(keys.begin(), keys.end(), [](const std::string& key) { return key.rfind(kPrefix, 0) != 0; });
  HEARTH_FAIL(format, file_name(path), ": ", keys.size(), " keys are not those of a LoRA adapter: ", list_names(keys),
              no_prefix ? "\n  hint: keys must start with 'base_model.model.', as PEFT writes them" : "", "\n  file ",
              path);
}

// Safetensors before a pickle, as PEFT prefers them.
std::string weights_path(const std::string& folder) {
  for (const char* name : {kWeightsName, "adapter_model.bin"}) {
    const std::string path = join_path(folder, name);
    if (exists(path)) return path;
  }
  HEARTH_FAIL(file, "adapter: folder '", folder, "' has no ", kWeightsName,
              ", nor adapter_model.bin\n  hint: was the copy complete?");
}

// Shape of A and B and their agreement with the rank; the base model's sizes come later.
void check_pairs(const Adapter& adapter, const std::string& path) {
  std::vector<std::string> half, wrong;
  for (const auto& [module, pair] : adapter.modules) {
    if (!pair.a.owner || !pair.b.owner) {
      half.push_back(module + (pair.a.owner ? ".lora_B" : ".lora_A"));
      continue;
    }
    const TensorType &a = pair.a.type, &b = pair.b.type;
    const int64_t r = adapter.config.rank;
    if (a.rank() != 2 || b.rank() != 2 || a.dims[0] != r || b.dims[1] != r)
      wrong.push_back(cat(module, " A ", a, " B ", b));
  }
  HEARTH_CHECK(half.empty(), format, file_name(path), ": half of a pair is missing: ", list_names(half), "\n  file ",
               path);
  HEARTH_CHECK(wrong.empty(), format, file_name(path), ": with r = ", adapter.config.rank,
               " (adapter_config.json) A must be [", adapter.config.rank, ",in] and B [out,", adapter.config.rank,
               "], but found ", list_names(wrong, 4), "\n  file ", path);
}

void check_writable_pairs(const LoraConfig& config, const LoraPairs& modules) {
  for (const auto& [module, pair] : modules) {
    const TensorType &a = pair.a.type, &b = pair.b.type;
    HEARTH_CHECK(a.rank() == 2 && b.rank() == 2 && a.dims[0] == config.rank && b.dims[1] == config.rank, bug,
                 "write_adapter: '", module, "' has A ", a, " and B ", b, ", but the rank is ", config.rank);
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
      ". Made with Hearth; loads with Hearth and with PEFT:\n\n```python\nfrom peft import AutoPeftModelForCausalLM\n"
      "model = AutoPeftModelForCausalLM.from_pretrained(\"this folder\")\n```\n");
}

void write_files(const std::string& folder, const LoraConfig& config, const LoraPairs& modules) {
  std::vector<TensorRef> tensors;
  for (const auto& [module, pair] : modules) {
    const std::string stem = std::string(kPrefix) + module;
    tensors.push_back(pair.a);
    tensors.back().name = stem + ".lora_A.weight";
    tensors.push_back(pair.b);
    tensors.back().name = stem + ".lora_B.weight";
  }
  write_file_atomic(join_path(folder, "README.md"), model_card(config));
  write_safetensors(join_path(folder, kWeightsName), tensors);
  write_file_atomic(join_path(folder, "adapter_config.json"), dump_adapter_config(config, modules));
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

Adapter read_adapter(const std::string& folder) {
  Adapter adapter{.path = folder, .config = read_adapter_config(folder), .modules = {}};
  const std::string path = weights_path(folder);
  const auto file = TensorFile::open(path);
  std::vector<std::string> unknown, not_float, twice;
  for (const std::string& name : file->names()) {
    const std::optional<AdapterKey> key = parse_key(name);
    if (!key) {
      unknown.push_back(name);
      continue;
    }
    const TensorRef& tensor = *file->find(name);
    const DType dtype = tensor.type.dtype;
    if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
      not_float.push_back(cat(name, " ", tensor.type));
    TensorRef& place = key->part == Part::base ? adapter.base_weights[key->module]
                       : key->part == Part::a  ? adapter.modules[key->module].a
                                               : adapter.modules[key->module].b;
    if (place.owner) twice.push_back(name);
    place = tensor;
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

void check_adapter(const Adapter& adapter, const std::vector<LinearModule>& base) {
  std::unordered_map<std::string, const LinearModule*> by_name;
  std::vector<std::string> missing, unexpected, unselected, misshapen;
  for (const LinearModule& linear : base) {
    by_name[linear.name] = &linear;
    const bool selected = target_matches(adapter.config, linear.name, linear.is_output_embedding);
    const auto found = adapter.modules.find(linear.name);
    if (found == adapter.modules.end()) {
      if (selected) missing.push_back(linear.name);
      continue;
    }
    if (!selected) unselected.push_back(linear.name);
    const TensorType &a = found->second.a.type, &b = found->second.b.type;
    const auto copy = adapter.base_weights.find(linear.name);
    const bool copy_fits = copy == adapter.base_weights.end() || copy->second.type.dims == Dims{linear.out, linear.in};
    if (!copy_fits) misshapen.push_back(cat("the copy of ", linear.name, "'s weight, ", copy->second.type));
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

void write_adapter(const std::string& folder, const LoraConfig& config, const LoraPairs& modules) {
  check_writable_pairs(config, modules);
  if (exists(folder) && !holds_only_an_adapter(folder)) return write_files(folder, config, modules);
  AtomicFolder target(folder);
  write_files(target.temporary(), config, modules);
  target.commit(AtomicFolder::Existing::replace);
}

}  // namespace hearth
