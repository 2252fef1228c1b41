// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which row-program instructions compute an element-wise operation at a dtype.

#include "ir/op.h"

namespace hearth {

// Of operations whose instruction follows from their name and the dtype of their first input: a row of the table.
RowRecipe row_instruction_of(const Node& node);

RowRecipe compare_instruction(const std::string& direction, DType of);  // "EQ" "NE" "LT" "LE" "GT" "GE"
RowRecipe convert_instruction(DType from, DType to);
RowRecipe select_instruction(DType of);

// Brings the low bits of a narrow integer's register back into its range; none for other dtypes.
RowOp wrap_instruction(DType of);

}  // namespace hearth
