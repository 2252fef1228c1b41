// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags that shape a training step, shared by finetune and inspect.

#include "cli/flags.h"
#include "train/trainer.h"

namespace hearth {

struct StepFlags {
  int64_t block_size = 256, batch_size = 8;
  std::string dtype = "f32";
  bool checkpointing = false;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("block-size", block_size, "tokens in a block of a text", {.minimum = 2, .maximum = 1 << 24});
    flag("batch-size", batch_size, "blocks or examples computed together", {.minimum = 1, .maximum = 65536});
    flag("dtype", dtype, "type of the arithmetic; what is trained and the optimizer stay f32; f16 scales the loss",
         {.allowed = {"f32", "bf16", "f16"}});
    flag("checkpointing", checkpointing, "compute each layer again in the backward pass: less memory, more time");
  }
};

inline void apply(const StepFlags& flags, TrainingArguments* arguments) {
  arguments->batch_size = flags.batch_size;
  parse_dtype(flags.dtype, &arguments->dtype);
  arguments->checkpointing = flags.checkpointing;
}

}  // namespace hearth
