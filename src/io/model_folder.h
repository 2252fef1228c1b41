// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model folder as Hugging Face writes it: config.json, generation_config.json and the weights, mapped in place:
// safetensors files, or where there are none pytorch_model.bin, one or several, as in transformers.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/json.h"
#include "io/tensor_file.h"

namespace hearth {

// Copies share the mapped files. Any thread may read.
class ModelFolder {
 public:
  // Checks every header, reads no tensor bytes: milliseconds whatever the size. Throws Error{file}, Error{format} or
  // Error{unsupported} naming the file and what to do.
  static ModelFolder open(const std::string& folder);

  // A folder whose weights do not exist yet: a config, and tensors that have names and types but no data. Tokenizer
  // files are looked for in `folder`.
  static ModelFolder without_weights(const std::string& folder, Json config, std::vector<TensorRef> tensors);

  const std::string& path() const { return path_; }
  const Json& config() const { return config_; }
  JsonView config_view() const { return JsonView(config_, join_path(path_, "config.json")); }
  const std::optional<Json>& generation_config() const { return generation_config_; }

  const std::vector<std::string>& names() const { return names_; }  // shard by shard, in order of the bytes
  const TensorRef* find(const std::string& name) const;             // null when absent
  const TensorRef& tensor(const std::string& name) const;  // Error{format} when absent, Error{file} when changed
  const TensorRef& tensor(const std::string& name, const Dims& expected) const;  // Error{shape} when it differs
  int64_t total_bytes() const { return total_bytes_; }                           // of all tensors

  // Error{file} if any weight file changed on disk since open(). About 1 us per file: call it now and then while
  // working.
  void check_unchanged() const;

 private:
  void open_weights();
  void open_shards(const std::string& index_name);
  void add_file(std::shared_ptr<const TensorFile> file);

  std::string path_, weights_name_;
  Json config_;
  std::optional<Json> generation_config_;
  std::vector<std::shared_ptr<const TensorFile>> files_;
  std::unordered_map<std::string, size_t> file_of_;  // tensor -> place in files_
  std::vector<std::string> names_;
  std::unordered_map<std::string, TensorRef> blank_;  // of without_weights()
  int64_t total_bytes_ = 0;
};

// config.json of a model folder alone. The same errors.
Json read_model_config(const std::string& folder);

// (tensor, file) pairs of a model.safetensors.index.json or pytorch_model.bin.index.json; refuses file names that lead
// out of the folder.
std::vector<std::pair<std::string, std::string>> parse_weight_index(std::string_view text, const std::string& path);

}  // namespace hearth
