// SPDX-License-Identifier: Apache-2.0
#pragma once
// A body done for a whole batch of examples at once: what vmap and the batch rules of operations with bodies are made
// of. A loop over the body's live nodes; each is done by its operation's batch rule, by what it is (element-wise), by
// its decomposition, or one example after the other. Nodes that no batched value reaches are done once.

#include <memory>
#include <vector>

#include "ir/graph.h"

namespace hearth {

// A value for each example, along its first axis; or one for all of them.
struct Batched {
  Value value;
  bool batched = false;
};

// The outputs of `body` for a batch. `inputs` are those of the body, captures included, as values of `to`.
std::vector<Batched> batch_into(Graph& to, const Graph& body, const std::vector<Batched>& inputs, int64_t size);

// The body for a batch, as a body: inputs named in `batched` and outputs named in `out_batched` have the batch as their
// first axis. `out_batched` says in which outputs the batch is wanted and comes back with those that have it besides.
std::shared_ptr<const Graph> batched_body(const Graph& body, const std::vector<bool>& batched, int64_t size,
                                          std::vector<bool>& out_batched);

// x with the batch as a new first axis, the same for all examples.
Value repeat_for_batch(const Value& x, int64_t size);

}  // namespace hearth
