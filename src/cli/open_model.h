// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several commands do with the folders and files they are given.

#include <memory>
#include <string>

#include "text/dataset.h"
#include "text/examples.h"
#include "train/lora.h"

namespace hearth {

// The adapter of a PEFT folder, or the sum of several, with commas between them; null when there is none.
std::unique_ptr<LoraAdapter> open_adapter(const LanguageModel& model, const std::string& folder);

struct DataSource {
  std::string file;
  std::string blocks = "stream";
  int64_t block_size = 256;      // of a text
  ExampleOptions examples = {};  // of .jsonl and .json; max_length 0: 1024, or the model's context
  std::string output = {};       // a folder, which need not exist: tokens too many for the memory lie on its disk
  bool pairs = false;            // the examples are pairs of answers, chosen and rejected
};

// Cuts a text file into blocks, or reads examples. Throws Error{value} when they do not fit in the model's context.
TokenBlocks open_data(const LanguageModel& model, const DataSource& source);

// "f32", "bf16", "f16", or "auto": bf16 where the weights are stored so and the processor multiplies it, else f32.
DType arithmetic_dtype(const LanguageModel& model, const std::string& name);

}  // namespace hearth
