// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which row-program instruction computes an element-wise operation at a dtype. RowOp::none: there is none.

#include "ir/op.h"

namespace hearth {

// Of operations whose instruction follows from their name and the dtype of their first input: a row of the table.
RowOp row_instruction_of(const Node& node);

RowOp compare_instruction(const std::string& direction, DType of);  // "EQ" "NE" "LT" "LE" "GT" "GE"
RowOp convert_instruction(DType from, DType to);
RowOp select_instruction(DType of);

}  // namespace hearth
