// SPDX-License-Identifier: Apache-2.0
#include "io/save_model_folder.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <new>

#include "base/error.h"
#include "base/file.h"
#include "io/model_folder.h"
#include "io/nearest.h"
#include "io/safetensors.h"

namespace hearth {
namespace {

struct AlignedDelete {
  void operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{64}); }
};

// Grows to the largest tensor and serves them all.
class TensorBuffer {
 public:
  std::span<std::byte> get(int64_t bytes) {
    if (bytes > capacity_) {
      bytes_.reset(static_cast<std::byte*>(::operator new (static_cast<size_t>(bytes), std::align_val_t{64})));
      capacity_ = bytes;
    }
    return {bytes_.get(), static_cast<size_t>(bytes)};
  }

 private:
  std::unique_ptr<std::byte, AlignedDelete> bytes_;
  int64_t capacity_ = 0;
};

bool is_model_file(const std::string& name) {
  static const std::vector<std::string> others = {
      "config.json",   "model.safetensors.index.json", "README.md", ".gitattributes",
      "training.json", "pytorch_model.bin.index.json", "LICENSE",   "LICENSE.txt"};
  const auto& copied = copied_model_files();
  const std::filesystem::path path(name);
  const bool weights = path.extension() == ".safetensors" || name.rfind("pytorch_model", 0) == 0;
  return weights || std::find(others.begin(), others.end(), name) != others.end() ||
         std::find(copied.begin(), copied.end(), name) != copied.end();
}

void check_replaceable(const std::string& folder, const std::string& source) {
  if (!exists(folder)) return;
  HEARTH_CHECK(is_folder(folder), file, "save: '", folder, "' is a file; choose the name of a new folder");
  const std::vector<std::string> names = list_folder(folder);
  if (names.empty()) return;
  HEARTH_CHECK(source.empty() || !same_file(folder, source), file, "save: '", folder,
               "' is the folder that the model comes from\n  hint: choose the name of a new folder");
  std::vector<std::string> strangers;
  for (const std::string& name : names) {
    if (!is_model_file(name) || is_folder(join_path(folder, name))) strangers.push_back(name);
  }
  const bool is_model = std::find(names.begin(), names.end(), "config.json") != names.end();
  HEARTH_CHECK(is_model && strangers.empty(), file, "save: folder '", folder, "' exists and ",
               is_model ? "holds more than a model: " + list_names(strangers) : "is no model folder",
               "; it stays as it is\n  hint: choose the name of a new folder");
}

void check_space(const std::string& folder, int64_t bytes) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(parent_folder(folder), error);
  if (error) return;  // then the write itself will tell
  HEARTH_CHECK(space.available >= static_cast<uintmax_t>(bytes), file, "save: '", folder, "' needs ", bytes,
               " bytes, but its disk has ", space.available, " left\n  hint: free some space or choose another folder");
}

// Writes the weights and returns the index as transformers sorts it.
Json write_shards(const std::string& folder, const std::vector<std::vector<NewTensor>>& shards, int64_t total_bytes,
                  const FillTensor& fill, const SaveModelOptions& options) {
  TensorBuffer buffer;
  std::map<std::string, std::string> file_of;
  int64_t done = 0, parameters = 0;
  for (size_t i = 0; i < shards.size(); ++i) {
    char name[64] = "model.safetensors";
    if (shards.size() > 1) std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    SafetensorsWriter writer(join_path(folder, name));
    for (const NewTensor& tensor : shards[i]) writer.declare(tensor.name, tensor.type);
    for (const auto& [tensor, type] : writer.order()) {
      const std::span<std::byte> bytes = buffer.get(type.bytes());
      fill({tensor, type}, bytes);
      writer.write(tensor, bytes);
      file_of[tensor] = name;
      parameters += type.elements();
      done += type.bytes();
      if (options.progress) options.progress(done, total_bytes);
    }
    writer.commit();
  }
  Json index = {{"metadata", {{"total_parameters", parameters}, {"total_size", done}}}};
  index["weight_map"] = Json::object();
  auto& members = *index["weight_map"].get_ptr<Json::object_t*>();
  for (const auto& [tensor, file] : file_of) members.push_back({tensor, file});
  return index;
}

void copy_source_files(const std::string& source, const std::string& folder) {
  for (const std::string& name : copied_model_files()) {
    const std::string from = join_path(source, name);
    if (!exists(from)) continue;
    std::error_code error;
    std::filesystem::copy_file(from, join_path(folder, name), error);
    if (error) fail_file("cannot copy '" + from + "' to", join_path(folder, name), error.value());
  }
}

// transformers fills a missing weight with random numbers and hardly says so; therefore look before anyone loads it.
void verify(const std::string& folder, const std::vector<NewTensor>& tensors) {
  const ModelFolder written = ModelFolder::open(folder);
  std::vector<std::string> wrong, unexpected = written.names();
  std::sort(unexpected.begin(), unexpected.end());
  for (const NewTensor& tensor : tensors) {
    const TensorRef* found = written.find(tensor.name);
    if (!found || found->type != tensor.type) wrong.push_back(tensor.name);
    const auto it = std::lower_bound(unexpected.begin(), unexpected.end(), tensor.name);
    if (it != unexpected.end() && *it == tensor.name) unexpected.erase(it);
  }
  HEARTH_CHECK(wrong.empty() && unexpected.empty(), file, "save: what was read back from '", folder,
               "' differs from what was written\n  missing or changed: ", list_names(wrong),
               "\n  unexpected: ", list_names(unexpected), "\n  hint: is the disk failing?");
}

}  // namespace

const std::vector<std::string>& copied_model_files() {
  static const std::vector<std::string> names = {"tokenizer.json",
                                                 "tokenizer.model",
                                                 "tokenizer_config.json",
                                                 "special_tokens_map.json",
                                                 "added_tokens.json",
                                                 "vocab.json",
                                                 "merges.txt",
                                                 "chat_template.jinja",
                                                 "chat_template.json",
                                                 "generation_config.json"};
  return names;
}

std::vector<std::vector<NewTensor>> split_in_shards(const std::vector<NewTensor>& tensors, int64_t limit_bytes) {
  // Source: huggingface_hub, serialization/_base.py, split_state_dict_into_shards_factory.
  std::vector<std::vector<NewTensor>> shards;
  std::vector<NewTensor> current;
  int64_t current_bytes = 0;
  for (const NewTensor& tensor : tensors) {
    const int64_t bytes = tensor.type.bytes();
    if (bytes > limit_bytes) {
      shards.push_back({tensor});
      continue;
    }
    if (current_bytes + bytes > limit_bytes) {
      shards.push_back(std::move(current));
      current.clear();
      current_bytes = 0;
    }
    current.push_back(tensor);
    current_bytes += bytes;
  }
  if (!current.empty() || shards.empty()) shards.push_back(std::move(current));
  return shards;
}

std::vector<std::string> save_model_folder(const std::string& folder, const Json& config,
                                           const std::vector<NewTensor>& tensors, const FillTensor& fill,
                                           const SaveModelOptions& options) {
  HEARTH_CHECK(!tensors.empty(), value, "save: there are no tensors to write to '", folder, "'");
  HEARTH_CHECK(options.shard_limit_bytes > 0, value, "save: the size limit of a file must be positive, is ",
               options.shard_limit_bytes);
  check_replaceable(folder, options.source_folder);
  AtomicFolder target(folder);
  int64_t total_bytes = 0;
  for (const NewTensor& tensor : tensors) total_bytes += tensor.type.bytes();
  check_space(folder, total_bytes);

  write_file_atomic(join_path(target.temporary(), "config.json"), dump_json(config) + "\n");
  if (!options.source_folder.empty()) copy_source_files(options.source_folder, target.temporary());
  const auto shards = split_in_shards(tensors, options.shard_limit_bytes);
  const Json index = write_shards(target.temporary(), shards, total_bytes, fill, options);
  if (shards.size() > 1) {
    write_file_atomic(join_path(target.temporary(), "model.safetensors.index.json"), dump_json(index) + "\n");
  }
  verify(target.temporary(), tensors);
  std::vector<std::string> names = list_folder(target.temporary());
  check_replaceable(folder, options.source_folder);  // again: writing may have taken minutes
  target.commit(AtomicFolder::Existing::replace);
  return names;
}

}  // namespace hearth
