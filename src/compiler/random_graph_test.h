// SPDX-License-Identifier: Apache-2.0
#pragma once
// Random graphs for tests. A recipe is a list of steps; each takes values made before it, and a step that does not fit
// is left out, so that any part of a recipe is a recipe: failures shrink by leaving steps out. For every value the
// builder knows a bound, and by how much two right evaluations may differ. Small integers stay exact in every dtype, so
// most graphs must agree to the bit whatever is fused, moved or computed in place.

#include <functional>
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

// |x| <= bound; x is a multiple of unit as long as it is exact.
struct Tracked {
  Value value;
  double bound = 0, unit = 1, error = 0;
  bool exact() const { return error == 0; }
};

struct RandomStyle {
  // Floats are any numbers, and what decides (a maximum, a sort) is kept apart, so that there are derivatives and small
  // differences decide nothing. Otherwise all inputs are small integers.
  bool real_inputs = false;
  std::vector<DType> floats = {};  // those that occur; empty: all
  int64_t most_elements = 3000;
};

// What a recipe builds in a graph. Its inputs come from `given`, or are made when that is null.
struct RandomBuild {
  Graph& graph;
  RandomStyle style = {};
  const Values* given = nullptr;

  struct Input {
    std::string name;
    TensorType type;
    std::vector<double> values;
  };
  struct Output {
    Tracked value;
    std::string donor;  // the input whose place it takes, or empty
  };
  std::vector<Input> inputs = {};
  std::vector<Output> outputs = {};
  std::set<std::string> only_reference = {};  // operations to force there, in the mixed run
  bool reversible = true;                     // has reverse derivatives: no while loop
};
void build_random(const Recipe& recipe, RandomBuild& build);

struct RandomGraph {
  explicit RandomGraph(const Recipe& recipe);

  Graph graph;
  std::vector<Bytes> inputs;
  std::vector<double> errors;            // per output; 0: exact
  std::set<std::string> only_reference;  // operations to force there, in the mixed run
};

// Results of the plan, with inputs that lie on 64 bytes: matmul's sums may depend on where a line begins.
std::vector<Bytes> run_random_plan(const Plan& plan, const std::vector<Bytes>& inputs);

// Empty, or how the graph's compiled forms disagree: cpu with reference against reference alone, forced mixes, the plan
// read back from bytes.
std::string check_random_graph(const RandomGraph& random);

// The shortest part of the recipe found for which `failure` still gives a text, as text: `show` of it, and its steps.
std::string shrunk_failure(Recipe recipe, const std::function<std::string(const Recipe&)>& failure,
                           const std::function<std::string(const Recipe&)>& show);

// to_text without the lines of nodes that no output needs.
std::string live_text(const Graph& graph);

// HEARTH_RANDOM_GRAPHS=first,count instead of these; HEARTH_RANDOM_GRAPHS=seed runs one.
struct SeedRange {
  uint64_t first = 0, count = 1;
};
SeedRange random_seeds(uint64_t count);

}  // namespace hearth
