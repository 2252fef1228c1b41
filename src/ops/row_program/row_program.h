// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kernel "row_program": interprets args.program (plan/row_program.h) over args.in and args.out, tile by tile.

#include <vector>

#include "base/isa.h"
#include "device/kernel.h"

namespace hearth {

void run_row_program(const KernelArgs& args);
// With the kernels of one instruction set, which this machine must have. Tests and benchmarks compare them.
void run_row_program_with(Isa isa, const KernelArgs& args);

}  // namespace hearth
