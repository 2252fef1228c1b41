// SPDX-License-Identifier: Apache-2.0
#include "models/language_model.h"

#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"
#include "models/families.h"
#include "runtime/session.h"

namespace hearth {

// Where the folder holds a weight. With the wrong shape or not at all: the folder's error, with the likeliest name.
static std::string find_stored(const ModelFolder& folder, const ModelSpec& spec, const WeightSpec& weight) {
  const std::vector<std::string> names = stored_names(spec, weight.name);
  const auto there = std::find_if(names.begin(), names.end(), [&](const std::string& n) { return folder.find(n); });
  const std::string& name = there == names.end() ? names.front() : *there;
  const DType t = folder.tensor(name, weight.dims).type.dtype;
  HEARTH_CHECK(t == DType::f32 || t == DType::bf16 || t == DType::f16, unsupported, "load: tensor '", name, "' is ",
               folder.tensor(name).type, "; Hearth reads f32, bf16 and f16 weights");
  return name;
}

LanguageModel LanguageModel::load(const std::string& path) {
  LanguageModel model;
  model.folder_ = std::make_shared<const ModelFolder>(ModelFolder::open(path));
  ModelSpec& spec = model.spec_;
  spec = read_model_spec(model.folder_->config_view());
  if (const std::optional<Json>& generation = model.folder_->generation_config()) {
    const JsonView view(*generation, join_path(path, "generation_config.json"));
    if (view.has("eos_token_id")) {
      spec.eos_ids.clear();
      for (const int64_t id : view.integers("eos_token_id", {.min = -1, .max = spec.vocab - 1}))
        spec.eos_ids.push_back(int32_t(id));
    }
  }
  for (const WeightSpec& weight : weights_of(spec))
    model.stored_names_[weight.name] = find_stored(*model.folder_, spec, weight);
  model.tokenizer_ = std::make_shared<const Tokenizer>(Tokenizer::load(path));
  return model;
}

static DType config_dtype(const JsonView& config) {
  for (const char* key : {"torch_dtype", "dtype"}) {
    const std::string name = config.text_or(key, "");
    if (name == "bfloat16") return DType::bf16;
    if (name == "float16") return DType::f16;
  }
  return DType::f32;
}

LanguageModel LanguageModel::blank(const std::string& config_file, const std::string& tokenizer_folder) {
  Json config = read_json_file(config_file);
  const JsonView view(config, config_file);
  LanguageModel model;
  model.spec_ = read_model_spec(view);
  model.tokenizer_ = std::make_shared<const Tokenizer>(Tokenizer::load(tokenizer_folder));
  HEARTH_CHECK(model.tokenizer_->vocab_size() <= model.spec_.vocab, value, "load: ", config_file,
               " has a vocabulary of ", model.spec_.vocab, " tokens, but the tokenizer of '", tokenizer_folder,
               "' has ", model.tokenizer_->vocab_size());
  const DType dtype = config_dtype(view);
  std::vector<TensorRef> tensors;
  for (const WeightSpec& weight : weights_of(model.spec_)) {
    const std::string name = stored_names(model.spec_, weight.name).front();
    model.stored_names_[weight.name] = name;
    tensors.push_back({name, {dtype, weight.dims}, nullptr, nullptr});
  }
  model.folder_ = std::make_shared<const ModelFolder>(
      ModelFolder::without_weights(tokenizer_folder, std::move(config), std::move(tensors)));
  return model;
}

const std::string& LanguageModel::stored_name(const std::string& weight) const {
  const auto found = stored_names_.find(weight);
  HEARTH_CHECK(found != stored_names_.end(), format, "the model has no weight '", weight, "'\n  folder ", path());
  return found->second;
}

std::string LanguageModel::weight_of(const LinearModule& module) const {
  return (module.is_output_embedding && spec_.tied ? spec_.embedding : module.name) + ".weight";
}

int64_t LanguageModel::parameters() const {
  int64_t count = 0;
  for (const auto& [weight, name] : stored_names_) count += folder_->find(name)->type.elements();
  return count;
}

DType LanguageModel::stored_dtype() const {
  std::map<DType, int64_t> elements;
  for (const auto& [weight, name] : stored_names_) {
    const TensorType& type = folder_->find(name)->type;
    elements[type.dtype] += type.elements();
  }
  return std::max_element(elements.begin(), elements.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

Value WeightInputs::operator()(const std::string& weight) {
  const std::string& name = model_.stored_name(weight);
  const auto [entry, fresh] = values_.try_emplace(name);
  if (fresh) entry->second = graph_.input(prefix_ + name, model_.folder().tensor(name).type);
  return entry->second;
}

void WeightInputs::bind(Session& session, const ModelFolder& folder, const std::string& prefix) {
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
