// SPDX-License-Identifier: Apache-2.0
#pragma once
// What several tests of graph transforms ask of a graph.

#include <string>

#include "ir/graph.h"
#include "ir/op.h"

namespace hearth {

// How many nodes are of the operation.
inline int count(const Graph& graph, const std::string& op) {
  int n = 0;
  for (int32_t id = 0; id < graph.size(); ++id) n += graph.node(id).op->name == op;
  return n;
}

}  // namespace hearth
