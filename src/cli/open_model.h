// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several commands do with the folders and files they are given.

#include <memory>
#include <string>

#include "text/dataset.h"
#include "train/lora.h"

namespace hearth {

// The adapter of a PEFT folder; null when folder is empty.
std::unique_ptr<LoraAdapter> open_adapter(const LanguageModel& model, const std::string& folder);

// Cuts a text file into blocks. Throws Error{value} when block_size does not fit in the model's context.
TokenBlocks open_blocks(const LanguageModel& model, const std::string& text_file, const std::string& form,
                        int64_t block_size);

// "f32", "bf16", or "auto": bf16 where the weights are stored so and the processor multiplies it, else f32.
DType arithmetic_dtype(const LanguageModel& model, const std::string& name);

}  // namespace hearth
