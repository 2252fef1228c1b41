// SPDX-License-Identifier: Apache-2.0
#include "train/lora_weights.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/float_convert.h"
#include "io/nearest.h"

namespace hearth {

float load_float(const TensorRef& tensor, int64_t i) {
  const std::byte* at = tensor.data + i * size_bytes(tensor.type.dtype);
  uint16_t half;
  float single;
  switch (tensor.type.dtype) {
    case DType::f32: std::memcpy(&single, at, 4); return single;
    case DType::bf16: std::memcpy(&half, at, 2); return float(std::bit_cast<bf16>(half));
    default: std::memcpy(&half, at, 2); return f16_to_f32(half);
  }
}

AlignedFloats load_floats(const TensorRef& tensor) {
  AlignedFloats values(size_t(tensor.type.elements()));
  convert_floats(tensor.type.dtype, tensor.data, DType::f32, reinterpret_cast<std::byte*>(values.data()),
                 tensor.type.elements());
  return values;
}

namespace {

std::string module_of(const std::string& weight) { return weight.substr(0, weight.rfind('.')); }

bool is_trained_bias(const LoraConfig& config, const std::string& weight, const LanguageModel& model) {
  if (!weight.ends_with(".bias") || config.bias == "none") return false;
  if (config.bias == "all") return true;
  const std::vector<LinearModule> modules = model.lora_modules();
  return std::any_of(modules.begin(), modules.end(),
                     [&](const LinearModule& m) { return m.name == module_of(weight) && target_matches(config, m); });
}

void refuse_tied(const LanguageModel& model, const std::string& weight) {
  const ModelSpec& spec = model.spec();
  const bool shared = weight == spec.embedding + ".weight" || weight == spec.output.name + ".weight";
  HEARTH_CHECK(!spec.tied || !shared, unsupported, "lora: '", module_of(weight),
               "' cannot be trained as a whole: the model's output layer is its embedding"
               "\n  hint: give it an lm_head.weight of its own and \"tie_word_embeddings\": false");
}

bool ends_path(const std::string& path, const std::string& end) { return path == end || path.ends_with("." + end); }

void add_rows(const LanguageModel& model, const std::string& end, const std::vector<int64_t>& ids,
              std::map<std::string, TrainedWeight>* weights) {
  std::string found;
  for (const WeightSpec& spec : weights_of(model.spec())) {
    if (spec.name.ends_with(".weight") && ends_path(module_of(spec.name), end)) found = spec.name;
  }
  HEARTH_CHECK(!found.empty() && !ids.empty(), value, "lora: trainable_token_indices: there is no module '",
               printable(end), "', or no token is given for it");
  const TensorRef& tensor = model.tensor(found);
  TrainedWeight rows{.dims = {int64_t(ids.size()), tensor.type.dims.at(1)}, .values = {}, .by_rows = true, .rows = {}};
  for (const int64_t id : ids) {
    HEARTH_CHECK(id >= 0 && id < tensor.type.dims[0], value, "lora: trainable_token_indices: token ", id,
                 " is none of the model's ", tensor.type.dims[0]);
    HEARTH_CHECK(std::find(rows.rows.begin(), rows.rows.end(), int32_t(id)) == rows.rows.end(), value,
                 "lora: trainable_token_indices: token ", id, " is there twice");
    rows.rows.push_back(int32_t(id));
    for (int64_t c = 0; c < rows.dims[1]; ++c) rows.values.push_back(load_float(tensor, id * rows.dims[1] + c));
  }
  HEARTH_CHECK(weights->emplace(found, std::move(rows)).second, value, "lora: '", module_of(found),
               "' is trained whole and by tokens; choose one");
}

}  // namespace

std::map<std::string, TrainedWeight> selected_weights(const LanguageModel& model, const LoraConfig& config) {
  std::map<std::string, TrainedWeight> weights;
  std::vector<std::string> modules;
  for (const WeightSpec& spec : weights_of(model.spec())) {
    const std::string module = module_of(spec.name);
    if (modules.empty() || modules.back() != module) modules.push_back(module);
    const bool whole = is_whole(config, module);
    if (!whole && !is_trained_bias(config, spec.name, model)) continue;
    if (whole) refuse_tied(model, spec.name);
    const TensorRef& tensor = model.tensor(spec.name);
    weights[spec.name] = {tensor.type.dims, load_floats(tensor), false, {}};
  }
  for (const std::string& name : config.whole) {
    LoraConfig only;
    only.whole = {name};
    const bool found =
        std::any_of(modules.begin(), modules.end(), [&](const std::string& module) { return is_whole(only, module); });
    HEARTH_CHECK(found, value, "lora: modules_to_save: the model has no module '", printable(name), "'");
  }
  for (const auto& [end, ids] : config.tokens) add_rows(model, end, ids, &weights);
  return weights;
}

void fill_weights(std::map<std::string, TrainedWeight>* weights, const Adapter& read) {
  std::map<std::string, const TensorRef*> given;
  for (const auto& [name, tensor] : read.whole) given[name] = &tensor;
  for (const auto& [module, tensor] : read.tokens) given[module + ".weight"] = &tensor;
  std::vector<std::string> missing, wrong;
  for (auto& [name, weight] : *weights) {
    const auto found = given.find(name);
    if (found == given.end()) {
      missing.push_back(name);
      continue;
    }
    if (found->second->type.dims != weight.dims)
      wrong.push_back(cat(name, " is ", ShowDims{found->second->type.dims}, ", not ", ShowDims{weight.dims}));
    else
      weight.values = load_floats(*found->second);
    given.erase(found);
  }
  std::vector<std::string> unexpected;
  for (const auto& [name, tensor] : given) unexpected.push_back(name);
  HEARTH_CHECK(missing.empty() && unexpected.empty() && wrong.empty(), shape, "adapter: '", read.path,
               "' does not fit this model", missing.empty() ? "" : "\n  the adapter lacks: " + list_names(missing),
               unexpected.empty() ? "" : "\n  the model lacks, or its config does not name: " + list_names(unexpected),
               wrong.empty() ? "" : "\n  of another shape: " + list_names(wrong));
}

}  // namespace hearth
