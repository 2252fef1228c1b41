// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plans compiled before, by the structure of the graph: what a loop over arrays runs again and again is compiled once.

#include <memory>
#include <string>

#include "ir/graph.h"
#include "runtime/session.h"

namespace hearth {

// Part of a graph that some values need: its nodes renumbered from 0, its inputs in the order in which they are met.
struct Subgraph {
  std::vector<int32_t> nodes;   // in graph order, inputs included
  std::vector<int32_t> inputs;  // numbers in graph.inputs() of those needed, in order
};
Subgraph needed_by(const Graph& graph, const std::vector<Value>& values);

// Equal for graphs that compile to the same plan. donors: per value the index in Subgraph::inputs whose memory it may
// take over, or -1.
std::string structure_of(const Graph& graph, const Subgraph& part, const std::vector<Value>& values,
                         const std::vector<int32_t>& donors);

// A session for the part, from the cache or compiled now. Its inputs are those of the part in order, its outputs the
// values; they are bound for each run. Valid until the next call.
Session& session_for(const Graph& graph, const Subgraph& part, const std::vector<Value>& values,
                     const std::vector<int32_t>& donors);

struct PlanCacheStatistics {
  int64_t plans = 0, hits = 0, misses = 0;
};
PlanCacheStatistics plan_cache_statistics();
void clear_plan_cache();

}  // namespace hearth
