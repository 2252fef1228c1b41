// SPDX-License-Identifier: Apache-2.0
#include "ops/row_program/row_program_impl.h"

namespace hearth {
const RowTable* row_table_scalar() { return &kTable; }
}  // namespace hearth
