// SPDX-License-Identifier: Apache-2.0
#pragma once
// What control flow passes to its bodies.

#include "plan/plan.h"

namespace hearth {

// Inputs [first, first + count) of an instruction go to the last `count` inputs of a body.
struct Captured {
  size_t first = 0, count = 0;
};
// One per body, from the attribute `captures`; `before`: inputs that stand before the captured ones.
std::vector<Captured> captured_by_bodies(const PlanInstruction& instruction, size_t before);

// Throws Error{format} when a while or case instruction and its bodies do not fit.
void check_control(const Plan& plan, size_t instruction);

}  // namespace hearth
