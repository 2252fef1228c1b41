// SPDX-License-Identifier: Apache-2.0
#pragma once
// optimization_barrier: the identity of all its inputs, which no pass looks through. Keeps a recomputation apart from
// the first computation, and orders it after whatever else enters the barrier.

#include "ir/graph.h"

namespace hearth {

std::vector<Value> optimization_barrier(const std::vector<Value>& values);

}  // namespace hearth
