// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bodies written into the graph that uses them.

#include "ir/graph.h"

namespace hearth {

// Adds the nodes of `body` to `to`, reading `inputs` (one per input of the body, in order, of the same types) where the
// body reads its inputs. Returns the values of the body's outputs.
std::vector<Value> inline_graph(Graph& to, const Graph& body, const std::vector<Value>& inputs);

// The same for a body of scalars, done to each element of arrays that all have the sizes `dims`. Throws
// Error{unsupported} when the body does more than element-wise operations.
std::vector<Value> inline_elementwise(Graph& to, const Graph& body, const std::vector<Value>& inputs, const Dims& dims);

}  // namespace hearth
