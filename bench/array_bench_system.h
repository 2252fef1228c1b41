// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace hearth::bench {

// Building, differentiating and compiling a training step of a 26-layer Llama, all of its parameters trained by AdamW.
double llama_compile_seconds();

// By how much the process grows between step steps / 10 and the end of an eager loop that evaluates every step.
double loop_growth_bytes(int64_t steps);

}  // namespace hearth::bench
