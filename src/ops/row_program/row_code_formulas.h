// SPDX-License-Identifier: Apache-2.0
#pragma once
// Records what instructions of row programs compute.

#include "ops/row_program/row_code_record.h"
#include "ops/row_program/row_program_table.h"

namespace hearth {

// Whether an element-wise instruction or a reduction can be recorded.
bool is_recorded(RowOp op);

// The value of an instruction on values; of a reduction, the accumulator a combined with the element b.
int record_op(CodeRecord* record, RowOp op, int a, int b, int c);
int record_multiply_add(CodeRecord* record, int a, int b, int c);  // a b + c, rounded once
int record_rounded(CodeRecord* record, int a);                     // to bf16, in the upper half of the word
uint32_t record_start(RowOp reduction);                            // what combined with any element is that element

}  // namespace hearth
