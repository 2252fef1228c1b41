// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_table.h"
#if defined(__AVX512F__)
#include "ops/row_program/row_program_impl.h"

namespace hearth {
const RowTable* row_table_avx512() { return &kTable; }
}  // namespace hearth
#else
namespace hearth {
const RowTable* row_table_avx512() { return nullptr; }
}  // namespace hearth
#endif
