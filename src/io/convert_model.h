// SPDX-License-Identifier: Apache-2.0
#pragma once
// Writes a model folder again in another type, in other files, or both.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/dtype.h"
#include "io/tensor_writer.h"

namespace hearth {

struct ConvertOptions {
  std::optional<DType> dtype = {};  // f32, bf16 or f16; without it every tensor keeps its own
  WeightFormat format = WeightFormat::safetensors;
  int64_t shard_limit_bytes = 5'000'000'000;
  std::function<void(int64_t done_bytes, int64_t total_bytes)> progress = {};
};

struct ConvertReport {
  int64_t tensors = 0, converted = 0;  // written, and of these with another type than before
  int64_t bytes = 0;
  std::vector<std::string> files;
  std::vector<std::string> tied;                           // left out: the embedding's bytes under a second name
  std::vector<std::pair<std::string, int64_t>> overflows;  // tensors in which finite numbers became infinite; how many
};

// Floats are rounded to nearest even; other types (masks, positions) stay. As transformers saves, the output layer of a
// model with "tie_word_embeddings" is left out when it has the embedding's bytes, or shares them in a .bin file;
// metadata is {"format": "pt"}. config.json says the new type under the name that it had (torch_dtype or dtype);
// tokenizer files are copied. Everything is read back and compared before the folder gets its name. Throws as
// ModelFolder::open and save_model_folder do.
ConvertReport convert_model(const std::string& folder, const std::string& output, const ConvertOptions& options = {});

}  // namespace hearth
