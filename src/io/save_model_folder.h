// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes a model folder that transformers loads.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/shape.h"
#include "io/json.h"

namespace hearth {

struct NewTensor {
  std::string name;
  TensorType type;
};

// Fills `out` with the bytes of one tensor; `out` is 64-byte aligned and has exactly type.bytes() bytes. Called once
// per tensor, one at a time, in the order of the bytes in the files, which is not that of the list.
using FillTensor = std::function<void(const NewTensor& tensor, std::span<std::byte> out)>;

struct SaveModelOptions {
  int64_t shard_limit_bytes = 5'000'000'000;  // more than that is split into several files
  std::string source_folder = {};             // tokenizer files, templates and generation_config.json come from here
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress = {};
};

// Writes config.json, the weights (holding one tensor in memory at a time) and copies of the source's tokenizer files,
// reads everything back, and only then gives the folder its name. An existing model folder is replaced as a whole; a
// folder with anything else in it is refused. Returns the names of the files written. Throws Error{file}.
std::vector<std::string> save_model_folder(const std::string& folder, const Json& config,
                                           const std::vector<NewTensor>& tensors, const FillTensor& fill,
                                           const SaveModelOptions& options = {});

// The files that save_model_folder copies from its source, where they exist.
const std::vector<std::string>& copied_model_files();

// How transformers splits: in the order given, a new shard when the limit would be passed, a larger tensor alone.
std::vector<std::vector<NewTensor>> split_in_shards(const std::vector<NewTensor>& tensors, int64_t limit_bytes);

}  // namespace hearth
