// SPDX-License-Identifier: Apache-2.0
#pragma once
// The memory that common jobs take with a model, from their compiled plans.

#include <string>
#include <vector>

#include "train/trainer.h"

namespace hearth {

struct JobMemory {
  std::string job;  // "generate", "finetune"
  int64_t batch_size = 1, tokens = 0;
  DType dtype = DType::f32;
  bool checkpointing = false;
  int64_t bytes = 0;  // peak resident
};

std::vector<JobMemory> memory_of_jobs(const LanguageModel& model);

// One block of tokens for each place in a batch: enough to compile a training step for.
TokenBlocks blank_blocks(int64_t batch_size, int64_t block_size);

}  // namespace hearth
