// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs a program with the kernels of one instruction set.

#include "device/kernel.h"
#include "ops/row_program/row_program_table.h"

namespace hearth {

void run_row_program_on(const RowTable& table, const KernelArgs& args);

}  // namespace hearth
