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

// A maximum or a minimum is found as three integers of the elements' bits: the largest signed one, the largest and the
// smallest unsigned one. Of numbers above zero the signed order is theirs, of those below the unsigned one is theirs
// turned around, and NaN lies at the ends of both.
constexpr int kExtremes = 3;
inline bool is_extreme(RowOp op) { return op == RowOp::max_row_f32 || op == RowOp::min_row_f32; }
int record_extreme(CodeRecord* record, int which, int a, int b);

// What an accumulator of a reduction begins with: combined with any element it is that element.
uint32_t record_start(RowOp reduction, int accumulator);

}  // namespace hearth
