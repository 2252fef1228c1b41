// SPDX-License-Identifier: Apache-2.0
#pragma once
// einsum: sums of products in Einstein's notation, NumPy's strings: einsum("bij,bjk->bik", {a, b}). Letters name axes;
// one that is repeated in an operand takes its diagonal; `...` stands for the other axes, which broadcast from the
// right; axes of size 1 stretch. Without `->` the result has the axes of `...` and then, in alphabetical order, the
// letters that occur once. Operands are contracted two at a time, in the order of the fewest multiplications for up to
// 5 operands, else in a greedy one; each contraction is a dot_general. Integers stay in their type and wrap around,
// bool: any of all. Throws Error{value} for a text that cannot be read, Error{shape} when sizes differ or do not fit
// the text.

#include <string>

#include "array/array.h"

namespace hearth {

Array einsum(const std::string& equation, const Arrays& operands);

// The order of contraction: pairs of positions in the list of operands; both go, their product is appended.
std::vector<std::pair<int64_t, int64_t>> einsum_path(const std::string& equation, const Arrays& operands);

}  // namespace hearth
