// SPDX-License-Identifier: Apache-2.0
#include "models/language_model.h"

#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"
#include "runtime/session.h"

namespace hearth {

static constexpr const char* kWeightPrefix = "weight:";

LanguageModel LanguageModel::load(const std::string& path) {
  LanguageModel model;
  model.folder_ = std::make_shared<const ModelFolder>(ModelFolder::open(path));
  model.config_ = parse_llama_config(model.folder_->config_view());
  if (const std::optional<Json>& generation = model.folder_->generation_config()) {
    const JsonView view(*generation, join_path(path, "generation_config.json"));
    if (view.has("eos_token_id")) {
      model.config_.eos_ids.clear();
      for (const int64_t id : view.integers("eos_token_id", {.min = -1, .max = model.config_.vocab - 1}))
        model.config_.eos_ids.push_back(int32_t(id));
    }
  }
  for (const WeightSpec& weight : llama_weights(model.config_)) {
    const TensorRef& tensor = model.folder_->tensor(weight.name, weight.dims);
    const DType t = tensor.type.dtype;
    HEARTH_CHECK(t == DType::f32 || t == DType::bf16 || t == DType::f16, unsupported, "load: tensor '", weight.name,
                 "' is ", tensor.type, "; Hearth reads f32, bf16 and f16 weights");
  }
  model.tokenizer_ = std::make_shared<const Tokenizer>(Tokenizer::load(path));
  return model;
}

int64_t LanguageModel::parameters() const {
  int64_t count = 0;
  for (const WeightSpec& weight : llama_weights(config_)) count += num_elements(weight.dims);
  return count;
}

DType LanguageModel::stored_dtype() const {
  std::map<DType, int64_t> elements;
  for (const WeightSpec& weight : llama_weights(config_))
    elements[folder_->find(weight.name)->type.dtype] += num_elements(weight.dims);
  return std::max_element(elements.begin(), elements.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

Value WeightInputs::operator()(const std::string& name) {
  const auto [entry, fresh] = values_.try_emplace(name);
  if (fresh) entry->second = graph_.input(kWeightPrefix + name, folder_.tensor(name).type);
  return entry->second;
}

void WeightInputs::bind(Session& session, const ModelFolder& folder) {
  const std::string prefix = kWeightPrefix;
  for (size_t i = 0; i < session.inputs(); ++i) {
    const std::string& name = session.input_name(i);
    if (name.rfind(prefix, 0) != 0) continue;
    const TensorRef& tensor = folder.tensor(name.substr(prefix.size()), session.input_type(i).dims);
    HEARTH_CHECK(tensor.type == session.input_type(i), dtype, "bind: weight '", tensor.name, "' is ", tensor.type,
                 ", the plan wants ", session.input_type(i));
    session.bind_input(i, const_cast<std::byte*>(tensor.data));  // never an output's donor, so never written
  }
}

}  // namespace hearth
