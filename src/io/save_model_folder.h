// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes a model folder that transformers loads.

#include <functional>
#include <string>
#include <vector>

#include "io/json.h"
#include "io/tensor_writer.h"

namespace hearth {

struct SaveModelOptions {
  WeightFormat format = WeightFormat::safetensors;
  int64_t shard_limit_bytes = 5'000'000'000;  // more than that is split into several files
  std::string source_folder = {};             // tokenizer files, templates and generation_config.json come from here
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress = {};  // of writing; one call at a time
  TensorBytes expected = {};  // what every byte read back is compared with; without it, names and types are
};

// Writes config.json, the weights (holding a few MiB of them in memory) and copies of the source's tokenizer files,
// reads everything back, and only then gives the folder its name. An existing model folder is replaced as a whole; a
// folder with anything else in it is refused. Returns the names of the files written. Throws Error{file}.
std::vector<std::string> save_model_folder(const std::string& folder, const Json& config,
                                           const std::vector<NewTensor>& tensors, const TensorBytes& bytes,
                                           const SaveModelOptions& options = {});

// The files that save_model_folder copies from its source, where they exist.
const std::vector<std::string>& copied_model_files();

// How transformers splits: in the order given, a new shard when the limit would be passed, a larger tensor alone.
std::vector<std::vector<NewTensor>> split_in_shards(const std::vector<NewTensor>& tensors, int64_t limit_bytes);

}  // namespace hearth
