// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of an adapter that stand in place of the model's weights, as its config selects them.

#include <map>
#include <string>
#include <vector>

#include "train/lora.h"

namespace hearth {

// Whole weights (modules_to_save, biases) and rows (trainable_token_indices) with the model's values. Throws
// Error{value} for what selects nothing, Error{unsupported} for what a tied output layer cannot have.
std::map<std::string, TrainedWeight> selected_weights(const LanguageModel& model, const LoraConfig& config);

// Puts an adapter file's tensors into them. Throws Error{shape} listing what is missing, unexpected or of another
// shape.
void fill_weights(std::map<std::string, TrainedWeight>* weights, const Adapter& read);

float load_float(const TensorRef& tensor, int64_t i);
AlignedFloats load_floats(const TensorRef& tensor);

}  // namespace hearth
