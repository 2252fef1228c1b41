// SPDX-License-Identifier: Apache-2.0
#pragma once
// The part of a plan's validation that follows its memory through the instructions.

#include "plan/plan.h"

namespace hearth {

// Follows who wrote each byte last. Throws Error{format} when an instruction reads what nobody wrote or what another
// tensor overwrote, when its own outputs, workspace and inputs overlap (an output may lie exactly on an input), when it
// writes a constant or an input that no output takes over, or when an output is left unwritten.
// Expects that tensors, ports and instructions passed the other checks of validate(). Cost: O(n log n) in the
// arguments.
void validate_memory(const Plan& plan);

// "plan: instruction 12 (matmul): " for error messages; `place_in_model` gives the line that ends them.
std::string show_instruction(const Plan& plan, size_t instruction);
std::string place_in_model(const Plan& plan, size_t instruction);
// "tensor 7 f32[2,3]"
std::string show_tensor(const Plan& plan, int32_t tensor);

}  // namespace hearth
