// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth evaluate: how well a model predicts a text.

#include "cli/flags_command.h"

namespace hearth {

struct EvaluateFlags {
  std::string model, adapter, data;
  std::string blocks = "stream", dtype = "f32";
  int64_t block_size = 256, batch_size = 8;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("files");
    flag("model", model, "folder with config.json, weights and tokenizer", {.needed = true, .path = PathKind::folder});
    flag("adapter", adapter, "PEFT folder with LoRA updates", {.path = PathKind::folder, .default_text = "none"});
    flag("data", data, "text, or .jsonl or .json of examples", {.needed = true, .path = PathKind::file});
    flag.group("evaluation");
    flag("blocks", blocks, "stream: one <s>, then the whole text; textdataset: special tokens around each block",
         {.allowed = {"stream", "textdataset"}});
    flag("block-size", block_size, "tokens in a block; the text's tail is dropped", {.minimum = 2, .maximum = 1 << 24});
    flag("batch-size", batch_size, "blocks computed together", {.minimum = 1, .maximum = 65536});
    flag("dtype", dtype, "type of the arithmetic", {.allowed = {"f32", "bf16"}});
  }
};

int run_evaluate(const EvaluateFlags& flags, const CommonFlags& common);

}  // namespace hearth
