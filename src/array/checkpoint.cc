// SPDX-License-Identifier: Apache-2.0
// checkpoint marks the nodes of a region, and those of them that the policy keeps; ir/checkpoint_regions.h computes the
// others again.
#include <algorithm>

#include "array/transforms.h"
#include "base/error.h"
#include "ir/op.h"
#include "ops/barrier/barrier.h"

namespace hearth {
namespace {

// Graph inputs enter a region through a barrier, so that the second computation is not taken for the first. Those that
// f reads without being called with them, as models do with their weights, are read as they lie.
std::vector<Value> behind_barrier(Graph& graph, std::vector<Value> arguments) {
  std::vector<Value> inputs;
  for (Value& value : arguments) {
    value = graph.here(value);
    if (graph.node(value).op->name == "input") inputs.push_back(value);
  }
  if (inputs.empty()) return arguments;
  const std::vector<Value> passed = optimization_barrier(inputs);
  size_t next = 0;
  for (Value& value : arguments) {
    if (graph.node(value).op->name == "input") value = passed[next++];
  }
  return arguments;
}

bool lies_in(const std::string& scope, const std::string& around) {
  return scope.compare(0, around.size(), around) == 0 &&
         (around.empty() || scope.size() == around.size() || scope[around.size()] == '.');
}

// Nodes from `first` on whose values a node of another scope reads, or that f returns.
std::vector<bool> leaving(const Graph& graph, int32_t first, const std::vector<Value>& results) {
  std::vector<bool> leaves(size_t(graph.size() - first), false);
  for (const Value& value : results) {
    if (value.graph == &graph && value.node >= first) leaves[size_t(value.node - first)] = true;
  }
  for (int32_t id = first; id < graph.size(); ++id) {
    for (const Value& in : graph.node(id).inputs) {
      if (in.node >= first && !lies_in(graph.node(id).scope, graph.node(in).scope))
        leaves[size_t(in.node - first)] = true;
    }
  }
  return leaves;
}

void keep_by(const CheckpointPolicy& policy, Graph& graph, int32_t first, const std::vector<Value>& results) {
  const std::vector<bool> leaves = leaving(graph, first, results);
  for (int32_t id = first; id < graph.size(); ++id) {
    if (graph.node(id).op->name != "input" && policy(graph.node(id), leaves[size_t(id - first)])) graph.keep(id);
  }
}

bool has_part(const std::string& scope, const std::string& name) {
  for (size_t at = scope.find(name); at != std::string::npos; at = scope.find(name, at + 1)) {
    const bool begins = at == 0 || scope[at - 1] == '.', ends = at + name.size() == scope.size();
    if (begins && (ends || scope[at + name.size()] == '.')) return true;
  }
  return false;
}

}  // namespace

CheckpointPolicy save_nothing() { return nullptr; }

CheckpointPolicy save_everything() {
  return [](const Node&, bool) { return true; };
}

CheckpointPolicy save_dots() {
  return [](const Node& node, bool) {
    const std::string& op = node.op->name;
    return op == "dot_general" || op == "attention" || op == "convolution";
  };
}

CheckpointPolicy save_scopes(std::vector<std::string> names) {
  return [names = std::move(names)](const Node& node, bool leaves_scope) {
    return leaves_scope &&
           std::any_of(names.begin(), names.end(), [&](const std::string& name) { return has_part(node.scope, name); });
  };
}

Function checkpoint(Function f, CheckpointPolicy policy) {
  return [f = std::move(f), policy = std::move(policy)](const std::vector<Value>& arguments) {
    HEARTH_CHECK(!arguments.empty(), value, "checkpoint: the function needs an argument");
    Graph& graph = graph_of(arguments);
    const int32_t outer = graph.checkpoint_region;
    if (outer != 0) return f(arguments);  // inside another region: recomputed with it
    graph.checkpoint_region = ++graph.checkpoint_regions;
    std::vector<Value> results;
    try {
      const std::vector<Value> entered = behind_barrier(graph, arguments);
      const int32_t first = graph.size();
      results = f(entered);
      if (policy) keep_by(policy, graph, first, results);
    } catch (...) {
      graph.checkpoint_region = outer;
      throw;
    }
    graph.checkpoint_region = outer;
    return results;
  };
}

}  // namespace hearth
