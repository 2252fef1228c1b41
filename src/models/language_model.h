// SPDX-License-Identifier: Apache-2.0
#pragma once
// A language model on disk, ready to be put into graphs: config, mapped weights, tokenizer.

#include <map>
#include <memory>
#include <string>

#include "io/model_folder.h"
#include "ir/graph.h"
#include "models/model_spec.h"
#include "text/tokenizer.h"

namespace hearth {

class LanguageModel {
 public:
  // Opens a Hugging Face folder, checks that every weight of the architecture is there with its shape, maps the weights
  // (nothing is copied), and loads the tokenizer. Throws Error{file, format, unsupported, shape} naming what is wrong.
  static LanguageModel load(const std::string& folder);

  // A model without weights: the architecture of a config.json and the tokenizer of a folder. Its tensors have names,
  // shapes and the type that the config says (else f32), but no data. Throws Error{value} when the tokenizer has more
  // tokens than the config.
  static LanguageModel blank(const std::string& config_file, const std::string& tokenizer_folder);

  const std::string& path() const { return folder_->path(); }
  const ModelFolder& folder() const { return *folder_; }
  const ModelSpec& spec() const { return spec_; }
  // The tensor of a weight that the spec names, and its name in the files. Throws Error{format} when there is none.
  const TensorRef& tensor(const std::string& weight) const { return folder_->tensor(stored_name(weight)); }
  const std::string& stored_name(const std::string& weight) const;
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  std::vector<LinearModule> lora_modules() const { return lora_modules_of(spec_); }
  // The weight of a layer that adapters may target: that of the embedding where the output layer is tied to it.
  std::string weight_of(const LinearModule& module) const;
  int64_t parameters() const;  // elements of all weights
  DType stored_dtype() const;  // of most of the weight bytes

 private:
  std::shared_ptr<const ModelFolder> folder_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  ModelSpec spec_;
  std::map<std::string, std::string> stored_names_;  // by the spec's name
};

// Weights of a folder as graph inputs, made when first asked for, and bound to a session afterwards.
class WeightInputs {
 public:
  inline static const std::string kWeightPrefix = "weight:";
  // The inputs' names begin with the prefix.
  WeightInputs(Graph& graph, const LanguageModel& model, const std::string& prefix = kWeightPrefix)
      : graph_(graph), model_(model), prefix_(prefix) {}
  Value operator()(const std::string& weight);  // as the spec names it
  // Binds every weight input of the session (inputs named "weight:<name in the files>") to the mapped bytes.
  static void bind(class Session& session, const ModelFolder& folder, const std::string& prefix = kWeightPrefix);

 private:
  Graph& graph_;
  const LanguageModel& model_;
  const std::string prefix_;
  std::map<std::string, Value> values_;
};

}  // namespace hearth
