// SPDX-License-Identifier: Apache-2.0
#include "io/save_model_folder.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "io/model_folder.h"
#include "io/nearest.h"

namespace hearth {
namespace {

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

// "model-00001-of-00003.safetensors"; a single file has no number.
std::string shard_name(WeightFormat format, size_t i, size_t count) {
  const bool bin = format == WeightFormat::bin;
  const std::string stem = bin ? "pytorch_model" : "model", end = bin ? ".bin" : ".safetensors";
  char number[64] = "";
  if (count > 1) std::snprintf(number, sizeof number, "-%05zu-of-%05zu", i + 1, count);
  return stem + number + end;
}

// Writes the weights and returns the index as transformers sorts it.
Json write_shards(const std::string& folder, const std::vector<std::vector<NewTensor>>& shards, int64_t total_bytes,
                  const TensorBytes& bytes, const SaveModelOptions& options) {
  std::map<std::string, std::string> file_of;
  int64_t done = 0, parameters = 0;
  // What is read back next comes from memory whether the disk has it or not, so the disk may go on meanwhile.
  TensorFileOptions file_options{.format = options.format, .sync = AtomicFile::Sync::with_folder};
  if (options.progress) {
    file_options.progress = [&](int64_t more) { options.progress(done += more, total_bytes); };
  }
  for (size_t i = 0; i < shards.size(); ++i) {
    const std::string name = shard_name(options.format, i, shards.size());
    write_tensor_file(join_path(folder, name), shards[i], bytes, file_options);
    for (const NewTensor& tensor : shards[i]) {
      file_of[tensor.name] = name;
      if (tensor.same_as.empty()) parameters += tensor.type.elements();
    }
  }
  Json index = {{"metadata", {{"total_parameters", parameters}, {"total_size", total_bytes}}}};
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

// Names of tensors whose bytes are not as expected.
std::vector<std::string> different_tensors(const ModelFolder& written, const std::vector<NewTensor>& tensors,
                                           const TensorBytes& expected) {
  std::vector<const TensorRef*> found;
  for (const NewTensor& tensor : tensors) found.push_back(written.find(tensor.name));
  std::vector<std::atomic<bool>> differs(tensors.size());
  for_parts(tensors, [&](size_t i, int64_t begin, std::span<std::byte> room) {
    const std::span<const std::byte> wanted = expected(tensors[i], begin, room);
    if (std::memcmp(wanted.data(), found[i]->data + begin, wanted.size()) != 0) differs[i] = true;
  });
  std::vector<std::string> names;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (differs[i]) names.push_back(tensors[i].name);
  }
  return names;
}

// transformers fills a missing weight with random numbers and hardly says so; therefore look before anyone loads it.
void verify(const std::string& folder, const std::vector<NewTensor>& tensors, const TensorBytes& expected) {
  const ModelFolder written = ModelFolder::open(folder);
  std::vector<std::string> wrong, unexpected = written.names();
  std::sort(unexpected.begin(), unexpected.end());
  for (const NewTensor& tensor : tensors) {
    const TensorRef* found = written.find(tensor.name);
    if (!found || found->type != tensor.type) wrong.push_back(tensor.name);
    const auto it = std::lower_bound(unexpected.begin(), unexpected.end(), tensor.name);
    if (it != unexpected.end() && *it == tensor.name) unexpected.erase(it);
  }
  if (wrong.empty() && expected) wrong = different_tensors(written, tensors, expected);
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
    if (!tensor.same_as.empty()) continue;
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
  for (const NewTensor& tensor : tensors) {  // what shares bytes lies in the file that has them
    if (tensor.same_as.empty()) continue;
    const auto holds = [&](const std::vector<NewTensor>& shard) {
      return std::any_of(shard.begin(), shard.end(), [&](const NewTensor& t) { return t.name == tensor.same_as; });
    };
    std::find_if(shards.begin(), shards.end(), holds)->push_back(tensor);
  }
  return shards;
}

std::vector<std::string> save_model_folder(const std::string& folder, const Json& config,
                                           const std::vector<NewTensor>& tensors, const TensorBytes& bytes,
                                           const SaveModelOptions& options) {
  HEARTH_CHECK(!tensors.empty(), value, "save: there are no tensors to write to '", folder, "'");
  HEARTH_CHECK(options.shard_limit_bytes > 0, value, "save: the size limit of a file must be positive, is ",
               options.shard_limit_bytes);
  check_replaceable(folder, options.source_folder);
  AtomicFolder target(folder);
  int64_t total_bytes = 0;
  for (const NewTensor& tensor : tensors) total_bytes += tensor.same_as.empty() ? tensor.type.bytes() : 0;
  check_space(folder, total_bytes);

  write_file_atomic(join_path(target.temporary(), "config.json"), dump_json(config) + "\n");
  if (!options.source_folder.empty()) copy_source_files(options.source_folder, target.temporary());
  const auto shards = split_in_shards(tensors, options.shard_limit_bytes);
  const Json index = write_shards(target.temporary(), shards, total_bytes, bytes, options);
  if (shards.size() > 1) {
    const char* name =
        options.format == WeightFormat::bin ? "pytorch_model.bin.index.json" : "model.safetensors.index.json";
    write_file_atomic(join_path(target.temporary(), name), dump_json(index) + "\n");
  }
  verify(target.temporary(), tensors, options.expected);
  std::vector<std::string> names = list_folder(target.temporary());
  check_replaceable(folder, options.source_folder);  // again: writing may have taken minutes
  target.commit(AtomicFolder::Existing::replace);
  return names;
}

}  // namespace hearth
