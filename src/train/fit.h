// SPDX-License-Identifier: Apache-2.0
#pragma once
// Chooses how many rows are computed together, and whether layers are computed again in the backward pass, so that a
// run fits into memory. The rows of a step stay the same, so its numbers do but for rounding (and the random numbers of
// dropout, which go by micro-batch).

#include <vector>

#include "train/trainer.h"

namespace hearth {

struct FitTrial {
  int64_t batch_size = 0, grad_accum = 0;
  bool checkpointing = false;
  int64_t memory_bytes = 0;  // as estimated
};

struct Fit {
  FitTrial chosen;
  std::vector<FitTrial> too_large;  // what would have been faster, in the order tried
  int64_t limit_bytes = 0;
};

// The choice that should be fastest of those that need at most `limit_bytes`. Compiles a step for each that is tried,
// takes no memory for tensors; `adapter` is moved out and back. Throws Error{value} naming the least that is needed
// when nothing fits.
Fit fit_memory(const LanguageModel& model, LoraAdapter* adapter, const TrainingArguments& arguments,
               const TokenBlocks& train, const TokenBlocks* eval, int64_t limit_bytes);

}  // namespace hearth
