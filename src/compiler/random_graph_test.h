// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random graphs for tests. A recipe is a list of steps; each takes values made before it, and a step that does not fit
// is left out, so that any part of a recipe is a recipe: failures shrink by leaving steps out. For every value the
// builder knows a bound, and by how much two right evaluations may differ. Small integers stay exact in every dtype, so
// most graphs must agree to the bit whatever is fused, moved or computed in place.

#include <set>
#include <string>
#include <vector>

#include "array/run_graph.h"
#include "ir/graph.h"

namespace hearth {

struct RandomStep {
  uint32_t what = 0;
  uint32_t choices[6] = {};
};
using Recipe = std::vector<RandomStep>;

Recipe random_recipe(uint64_t seed, int steps);

struct RandomGraph {
  explicit RandomGraph(const Recipe& recipe);

  Graph graph;
  std::vector<Bytes> inputs;
  std::vector<double> errors;            // per output; 0: exact
  std::set<std::string> only_reference;  // operations to force there, in the mixed run
};

// Empty, or how the graph's compiled forms disagree: cpu with reference against reference alone, forced mixes, the plan
// read back from bytes.
std::string check_random_graph(const RandomGraph& random);

// The shortest part of the recipe found that still fails, as text: graph, failure, and steps.
std::string shrunk_failure(Recipe recipe);

}  // namespace hearth
