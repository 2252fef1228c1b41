// SPDX-License-Identifier: Apache-2.0
#pragma once
// How much memory a training run will take, known before it begins.

#include "plan/plan.h"

namespace hearth {

// Bytes of the weight inputs ("weight:...") that the plan really reads: of an embedding table only what ids can touch
// is unknown, so it counts whole.
int64_t weight_bytes_read(const Plan& plan);

// What kernels and the process need beside arena, weights and states: matmul's packing buffers, attention's tiles,
// code, tokenizer, text.
int64_t working_bytes();

}  // namespace hearth
