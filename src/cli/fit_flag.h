// SPDX-License-Identifier: Apache-2.0
#pragma once
// --fit: batches chosen for the memory there is.

#include <optional>
#include <string>

#include "cli/finetune.h"
#include "train/fit.h"

namespace hearth {

// Sets --batch-size, --grad-accum and --checkpointing to what fit_memory() chooses; nothing without --fit. A resumed
// run takes what its checkpoint was computed with. Throws UsageError for a --fit that is no size.
std::optional<Fit> apply_fit(FinetuneFlags* flags, const Objective& objective, const LanguageModel& model,
                             LoraAdapter* adapter, const TokenBlocks& train, const TokenBlocks* eval);

// "4 x 2 rows, checkpointing: 512 MiB of 600 MiB; too large: 8 x 1 (900 MiB)"
std::string fit_text(const Fit& fit);

}  // namespace hearth
