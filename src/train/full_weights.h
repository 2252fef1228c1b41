// SPDX-License-Identifier: Apache-2.0
#pragma once
// Full tuning: every weight of the model is trained, in f32. To the trainer that is an adapter without LoRA whose whole
// weights are all there are; its files are model folders.

#include <optional>

#include "train/lora.h"

namespace hearth {

// All weights with the model's values, 4 bytes each; the model's files are read once and then leave the memory.
LoraAdapter all_weights(const LanguageModel& model);
// All weights as transformers draws them for a model that is trained from scratch: a function of `seed`.
LoraAdapter new_weights(const LanguageModel& model, uint64_t seed);

// Whether the adapter is what these functions make.
bool is_full(const LanguageModel& model, const LoraAdapter& adapter);

// A model folder that transformers loads: weights rounded to `dtype`, without one to the type that each has in the
// model's folder; config and tokenizer files are the model's. A tied output layer is not written. Throws Error{file}.
void save_full(const LanguageModel& model, const LoraAdapter& weights, const std::string& folder,
               std::optional<DType> dtype);

// What a run has trained, written into its folder or a checkpoint's, and read back bit for bit: a PEFT adapter, or with
// full tuning a model folder "model" below it, in f32.
void save_trained(const LanguageModel& model, const LoraAdapter& adapter, const std::string& folder);
void load_trained(const LanguageModel& model, const std::string& folder, LoraAdapter* adapter);
std::string full_model_path(const std::string& folder);

}  // namespace hearth
