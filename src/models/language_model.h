// SPDX-License-Identifier: Apache-2.0
#pragma once
// A language model on disk, ready to be put into graphs: config, mapped weights, tokenizer.

#include <memory>
#include <string>

#include "io/model_folder.h"
#include "ir/graph.h"
#include "models/llama/llama_config.h"
#include "text/tokenizer.h"

namespace hearth {

class LanguageModel {
 public:
  // Opens a Hugging Face folder, checks that every weight of the architecture is there with its shape, maps the weights
  // (nothing is copied), and loads the tokenizer. Throws Error{file, format, unsupported, shape} naming what is wrong.
  static LanguageModel load(const std::string& folder);

  const std::string& path() const { return folder_->path(); }
  const ModelFolder& folder() const { return *folder_; }
  const LlamaConfig& config() const { return config_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  std::vector<LinearModule> linear_modules() const { return llama_linear_modules(config_); }
  int64_t parameters() const;  // elements of all weights
  DType stored_dtype() const;  // of most of the weight bytes

 private:
  std::shared_ptr<const ModelFolder> folder_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  LlamaConfig config_;
};

// Weights of a folder as graph inputs, made when first asked for, and bound to a session afterwards.
class WeightInputs {
 public:
  WeightInputs(Graph& graph, const ModelFolder& folder) : graph_(graph), folder_(folder) {}
  Value operator()(const std::string& name);
  // Binds every weight input of the session (inputs named "weight:...") to the mapped bytes.
  static void bind(class Session& session, const ModelFolder& folder);

 private:
  Graph& graph_;
  const ModelFolder& folder_;
  std::map<std::string, Value> values_;
};

}  // namespace hearth
