// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several tests of the compiler ask of a plan.

#include <string>

#include "plan/plan.h"

namespace hearth {

// How many instructions call the kernel.
inline int count(const Plan& plan, const std::string& kernel) {
  int n = 0;
  for (const PlanInstruction& instruction : plan.instructions) n += instruction.kernel == kernel;
  return n;
}

}  // namespace hearth
