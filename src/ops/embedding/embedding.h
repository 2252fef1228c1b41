// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "ir/graph.h"

namespace hearth {

// y[..., :] = table[ids[...], :]     table [V,C], ids i32 [...] -> [..., C]. An id outside [0, V) gives a row of zeros.
// Memory-bound: reads and writes one row an id. Its derivative by the table sums rows in rising order of the ids'
// places, so it has the same bits for any number of threads.
Value embedding(const Value& table, const Value& ids);

}  // namespace hearth
