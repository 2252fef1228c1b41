// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth merge: writes a model with an adapter's updates added to its weights.

#include "cli/flags_command.h"

namespace hearth {

struct MergeFlags {
  std::string model, output;
  std::vector<std::string> adapter;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("model", model, "folder of the base model, which stays as it is", {.needed = true, .path = PathKind::folder});
    flag("adapter", adapter,
         "PEFT folder with LoRA updates; several, with commas between, are added one after the other",
         {.needed = true, .path = PathKind::folder});
    flag("output", output, "new model folder, in the type that the base has",
         {.needed = true, .path = PathKind::folder});
  }
};

int run_merge(const MergeFlags& flags, const CommonFlags& common);

}  // namespace hearth
