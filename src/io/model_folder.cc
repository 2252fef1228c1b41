// SPDX-License-Identifier: Apache-2.0
#include "io/model_folder.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "io/nearest.h"

namespace hearth {

// In the order in which transformers looks for them: a single file, then several.
struct WeightNames {
  const char *single, *index;
};
constexpr WeightNames kWeightNames[] = {{"model.safetensors", "model.safetensors.index.json"},
                                        {"pytorch_model.bin", "pytorch_model.bin.index.json"}};

static bool ends_with(const std::string& name, std::string_view end) {
  return name.size() >= end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
}

// What a folder without config.json probably is.
static std::string explain_missing_config(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == "adapter_config.json") {
      return "\n  it holds a LoRA adapter; name the base model here and the adapter beside it";
    }
    if (ends_with(name, ".gguf"))
      return "\n  it holds the GGUF file '" + name + "'; Hearth needs the Hugging Face folder";
  }
  return "\n  hint: a model folder holds config.json, *.safetensors and the tokenizer's files";
}

Json read_model_config(const std::string& folder) {
  HEARTH_CHECK(exists(folder), file, "load: there is no folder '", folder, "'\n  hint: check the spelling of the path");
  HEARTH_CHECK(is_folder(folder), file, "load: '", folder, "' is a file; name the folder that holds config.json");
  const std::string path = join_path(folder, "config.json");
  HEARTH_CHECK(exists(path), file, "load: folder '", folder, "' has no config.json",
               explain_missing_config(list_folder(folder)));
  Json config = read_json_file(path);
  JsonView(config, path);  // refuses what is no object
  return config;
}

std::vector<std::pair<std::string, std::string>> parse_weight_index(std::string_view text, const std::string& path) {
  const Json json = parse_json(text, path, {.unique_keys = true});
  const JsonView map = JsonView(json, path).object("weight_map");
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [tensor, file] : map.json().items()) {
    if (!file.is_string()) map.refuse(tensor, "the name of a file");
    const std::string name = file.get<std::string>();
    HEARTH_CHECK(name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos && name != "..", format,
                 file_name(path), ": tensor '", printable(tensor), "' lies in '", printable(name),
                 "', which is outside the folder\n  file ", path);
    HEARTH_CHECK(ends_with(name, ".safetensors") || ends_with(name, ".bin"), format, file_name(path), ": tensor '",
                 printable(tensor), "' lies in '", printable(name), "', which is no .safetensors or .bin file\n  file ",
                 path);
    entries.emplace_back(tensor, name);
  }
  HEARTH_CHECK(!entries.empty(), format, file_name(path), ": 'weight_map' is empty\n  file ", path);
  return entries;
}

ModelFolder ModelFolder::open(const std::string& folder) {
  ModelFolder model;
  model.path_ = folder;
  model.config_ = read_model_config(folder);
  const std::string generation = join_path(folder, "generation_config.json");
  if (exists(generation)) {
    model.generation_config_ = read_json_file(generation);
    JsonView(*model.generation_config_, generation);
  }
  model.open_weights();
  return model;
}

ModelFolder ModelFolder::without_weights(const std::string& folder, Json config, std::vector<TensorRef> tensors) {
  ModelFolder model;
  model.path_ = folder;
  model.config_ = std::move(config);
  for (TensorRef& tensor : tensors) {
    model.names_.push_back(tensor.name);
    model.total_bytes_ += tensor.bytes();
    model.blank_[tensor.name] = std::move(tensor);
  }
  return model;
}

void ModelFolder::open_weights() {
  for (const auto& [single, index] : kWeightNames) {
    if (exists(join_path(path_, single))) {
      weights_name_ = cat(single, " has");
      return add_file(TensorFile::open(join_path(path_, single)));
    }
    if (exists(join_path(path_, index))) return open_shards(index);
  }
  for (const std::string& name : list_folder(path_)) {
    HEARTH_CHECK(!ends_with(name, ".pth") && !ends_with(name, ".h5") && !ends_with(name, ".msgpack"), unsupported,
                 "load: folder '", path_, "' has its weights in '", name, "', which Hearth does not read",
                 "\n  hint: take the version of the model with safetensors or pytorch_model.bin files");
  }
  HEARTH_FAIL(file, "load: folder '", path_, "' has neither ", kWeightNames[0].single, " nor ", kWeightNames[0].index,
              ", nor pytorch_model.bin\n  hint: was the download complete?");
}

void ModelFolder::open_shards(const std::string& index_name) {
  const std::string index_path = join_path(path_, index_name);
  constexpr int64_t kMaxIndexBytes = 256 << 20;
  const auto entries = parse_weight_index(read_file(index_path, kMaxIndexBytes), index_path);
  std::set<std::string> shards;
  for (const auto& [tensor, file] : entries) shards.insert(file);
  std::vector<std::string> missing;
  for (const std::string& shard : shards) {
    if (!exists(join_path(path_, shard))) missing.push_back(shard);
  }
  HEARTH_CHECK(missing.empty(), file, "load: ", missing.size(), " of ", shards.size(), " files named in ", index_name,
               " are missing: ", list_names(missing), "\n  folder ", path_, "\n  hint: was the download complete?");
  for (const std::string& shard : shards) add_file(TensorFile::open(join_path(path_, shard)));
  weights_name_ = cat("the ", shards.size(), " files of ", index_name, " have");
  for (const auto& [tensor, file] : entries) {
    const auto it = file_of_.find(tensor);
    HEARTH_CHECK(it != file_of_.end(), format, index_name, ": tensor '", printable(tensor), "' is not in '", file,
                 "', nor in any other file\n  folder ", path_);
    const std::string actual = file_name(files_[it->second]->path());
    HEARTH_CHECK(actual == file, format, index_name, ": tensor '", printable(tensor), "' is not in '", file,
                 "', but in '", actual, "'\n  folder ", path_);
  }
}

void ModelFolder::add_file(std::shared_ptr<const TensorFile> file) {
  for (const std::string& name : file->names()) {
    const auto [it, is_new] = file_of_.emplace(name, files_.size());
    HEARTH_CHECK(is_new, format, "load: tensor '", printable(name), "' is in both '",
                 file_name(files_[it->second]->path()), "' and '", file_name(file->path()), "'\n  folder ", path_);
    names_.push_back(name);
  }
  total_bytes_ += file->tensor_bytes();
  files_.push_back(std::move(file));
}

const TensorRef* ModelFolder::find(const std::string& name) const {
  if (const auto blank = blank_.find(name); blank != blank_.end()) return &blank->second;
  const auto it = file_of_.find(name);
  return it == file_of_.end() ? nullptr : files_[it->second]->find(name);
}

const TensorRef& ModelFolder::tensor(const std::string& name) const {
  if (const auto blank = blank_.find(name); blank != blank_.end()) return blank->second;
  const auto it = file_of_.find(name);
  if (it == file_of_.end()) {
    const bool output = name == "lm_head.weight" && file_of_.count("model.embed_tokens.weight");
    HEARTH_FAIL(format, "load: ", weights_name_, " no tensor '", name, "'\n  found ", names_.size(),
                " tensors; nearest: '", output ? "model.embed_tokens.weight" : printable(nearest_name(name, names_)),
                "'", output ? "\n  hint: tied output? set \"tie_word_embeddings\": true in config.json" : "",
                "\n  folder ", path_);
  }
  files_[it->second]->file().check_unchanged();
  return *files_[it->second]->find(name);
}

const TensorRef& ModelFolder::tensor(const std::string& name, const Dims& expected) const {
  const TensorRef& found = tensor(name);
  HEARTH_CHECK(found.type.dims == expected, shape, "load: tensor '", name, "' is ", found.type,
               ", but config.json asks for ", ShowDims{expected}, "\n  folder ", path_,
               "\n  hint: do config.json and the weights belong to the same model?");
  return found;
}

void ModelFolder::check_unchanged() const {
  for (const auto& file : files_) file->file().check_unchanged();
}

}  // namespace hearth
