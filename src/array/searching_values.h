// SPDX-License-Identifier: Apache-2.0
#pragma once
// For the files of this folder.

#include "ir/graph.h"

namespace hearth {

// i32 places of v (any shape) in sorted [n], of one dtype; NaN is the largest number.
Value search_sorted(const Value& sorted, const Value& v, bool right);

}  // namespace hearth
