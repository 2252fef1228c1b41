// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program.h"
#include "ops/row_program/row_program_run.h"

namespace hearth {

static const RowTable& table_for(Isa isa) {
  if (isa >= Isa::avx512 && row_table_avx512()) return *row_table_avx512();
  if (isa >= Isa::avx2 && row_table_avx2()) return *row_table_avx2();
  return *row_table_scalar();
}

void run_row_program_with(Isa isa, const KernelArgs& args) { run_row_program_on(table_for(isa), args); }

void run_row_program(const KernelArgs& args) {
  static const RowTable& table = table_for(isa());
  run_row_program_on(table, args);
}

std::vector<KernelInfo> row_program_kernels();
std::vector<KernelInfo> row_program_kernels() { return {{"row_program", run_row_program, nullptr}}; }

}  // namespace hearth
