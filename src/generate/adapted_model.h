// SPDX-License-Identifier: Apache-2.0
#pragma once
// A model with several adapters at once: logits of a batch of texts, each with adapters of its own.

#include <memory>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "train/adapter_set.h"

namespace hearth {

class AdaptedModel {
 public:
  // Both must outlive this; adapters are neither added nor moved, but may be swapped. dtype: of the arithmetic, f32 or
  // bf16. Compiles when first needed, for as many texts and tokens as are needed.
  AdaptedModel(const LanguageModel& model, AdapterSet& adapters, DType dtype = DType::f32);
  ~AdaptedModel();

  // [B][V] of the tokens behind the texts. `active`: the adapters of each text, or one entry for all of them. Throws
  // Error{value} for texts that are empty or too long, tokens that the model lacks, and unknown adapters.
  std::vector<std::vector<float>> logits(const std::vector<std::vector<int32_t>>& texts,
                                         const std::vector<ActiveAdapters>& active);
  int64_t compiled() const;  // how often something was

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth
