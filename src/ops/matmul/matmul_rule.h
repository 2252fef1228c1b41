// SPDX-License-Identifier: Apache-2.0
#pragma once
// The axes of a dot_general node by their role.

#include "ir/graph.h"

namespace hearth {

struct DotShape {
  Dims a_batch, b_batch, a_contract, b_contract, a_free, b_free;
};
DotShape dot_shape(const Node& node);
Dims free_axes(int64_t rank, const Dims& batch, const Dims& contract);

}  // namespace hearth
