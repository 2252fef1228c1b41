// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives of a stretch of a graph, as graph: what the function transforms of array/ and the rules of operations
// with bodies are made of. New nodes go to the graph's innermost() one. Both walks are loops over the stretch: time and
// memory grow with its length, not with that of the graph.

#include <vector>

#include "ir/graph.h"

namespace hearth {

// Nodes first .. last-1 of a graph. What lies before is constant, whatever it depends on.
struct Stretch {
  Graph* graph;
  int32_t first = 0, last = graph->size();
};

// Reverse: cotangents of `outputs` in, those of `wrt` out; invalid where nothing depends on one. Throws
// Error{unsupported} naming the operation when one on the path has no derivative.
std::vector<Value> pull_back(const Stretch& stretch, const std::vector<Value>& outputs,
                             const std::vector<Value>& cotangents, const std::vector<Value>& wrt);

// Forward: tangents of `wrt` in (invalid: zero), those of `outputs` out; invalid where zero.
std::vector<Value> push_forward(const Stretch& stretch, const std::vector<Value>& outputs,
                                const std::vector<Value>& wrt, const std::vector<Value>& tangents);

Value zeros(Graph& graph, const TensorType& type);
inline Value zeros_like(const Value& x) { return zeros(*x.graph, x.type()); }

}  // namespace hearth
