// SPDX-License-Identifier: Apache-2.0
#pragma once
// The stages between a graph and a plan. Graph passes build a new graph; inputs and outputs stay in order.

#include <map>
#include <memory>
#include <vector>

#include "compiler/backend.h"
#include "compiler/compile.h"

namespace hearth {

using Backends = std::vector<std::unique_ptr<Backend>>;

// Copies nodes of one graph into another, following replaced values.
class Rewriter {
 public:
  explicit Rewriter(const Graph& from);
  std::unique_ptr<Graph> take() { return std::move(to_); }
  Graph& to() { return *to_; }
  Value operator()(const Value& old) const { return map_.at({old.node, old.output}); }
  std::vector<Value> mapped(const std::vector<Value>& old) const;
  void replace(int32_t node, const std::vector<Value>& values);
  void copy(int32_t node);  // with mapped inputs
  void finish();            // outputs

 private:
  const Graph& from_;
  std::unique_ptr<Graph> to_;
  std::map<std::pair<int32_t, int32_t>, Value> map_;
};

// Which nodes some output needs.
std::vector<bool> live_nodes(const Graph& graph);

// Common subexpressions (attributes compared too), dead nodes, subsumed operations, products with one.
std::unique_ptr<Graph> simplify(const Graph& graph);

// Decomposes every composite that no backend takes whole, then gives each node a device: index in `backends`.
struct Partition {
  std::unique_ptr<Graph> graph;
  std::vector<int> device;  // per node; -1 for inputs
};
Partition partition(const Graph& graph, const Backends& backends, std::vector<PartitionRow>* report);

// Joins matmul + low-rank matmul + addition into one node, where the cpu takes them.
std::unique_ptr<Graph> join_epilogues(const Graph& graph, const Backends& backends);

// Sums of all elements as sums of sums of rows, where those come with what computes the rows.
std::unique_ptr<Graph> split_sums(const Graph& graph);

Plan lower(const Partition& partition, const Backends& backends);

}  // namespace hearth
