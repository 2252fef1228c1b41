// SPDX-License-Identifier: Apache-2.0
#pragma once
// The output folder of a training run, and what a resumed run must have in common with the run it goes on with.

#include <string>

#include "cli/finetune.h"

namespace hearth {

// Throws Error{file} when the folder holds files that no run of Hearth wrote, or is a file, or is one that is read.
void check_output_folder(const FinetuneFlags& flags);

// JSON object: flag name -> value; for files their sizes and contents, so that they may be moved. teacher: that of
// a distillation.
std::string describe_run(const FinetuneFlags& flags, const LanguageModel& model,
                         const LanguageModel* teacher = nullptr);

}  // namespace hearth
