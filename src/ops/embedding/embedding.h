// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[..., :] = table[ids[...], :]     table [V,C], ids i32 [...] -> [..., C]. An id outside [0, V) gives a row of zeros.
// Memory-bound: reads and writes one row an id.
Value embedding(const Value& table, const Value& ids);

}  // namespace hearth
