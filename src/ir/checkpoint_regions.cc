// SPDX-License-Identifier: Apache-2.0
#include "ir/checkpoint_regions.h"

#include "ir/op.h"

namespace hearth {

bool CheckpointRegions::computed_again(const Value& value, int32_t region) const {
  const Node& node = stretch_.graph->node(value);
  return node.checkpoint == region && !node.kept && value.node >= stretch_.first && value.node < stretch_.last;
}

// Graph inputs and constants are read as they lie, but for inputs that are arguments of the region: those enter it
// through a barrier of its own.
std::vector<Value> CheckpointRegions::read_from_outside(const std::vector<int32_t>& members, int32_t region) const {
  const Graph& graph = *stretch_.graph;
  std::vector<Value> outside;
  ValueSet seen;
  for (const int32_t id : members) {
    const bool argument = graph.node(id).op->name == "optimization_barrier";
    for (const Value& in : graph.node(id).inputs) {
      const Node& source = graph.node(in);
      const bool as_it_lies = (source.op->name == "input" && !argument) || source.op->row_kind == RowKind::constant;
      if (!as_it_lies && !computed_again(in, region) && seen.insert(in).second) outside.push_back(in);
    }
  }
  return outside;
}

void CheckpointRegions::write_again(int32_t id, Copy& copy) {
  Graph& graph = *stretch_.graph;
  Graph& to = innermost(graph);
  Node node = graph.node(id);
  node.checkpoint = to.checkpoint_region;
  node.kept = false;
  node.scope = "again " + node.scope;
  for (Value& in : node.inputs) {
    const auto found = copy.find(in);
    in = to.here(found == copy.end() ? in : found->second);
  }
  const std::vector<Value> values = to.add_node(std::move(node));
  for (size_t i = 0; i < values.size(); ++i) copy[{&graph, id, int32_t(i)}] = values[i];
}

void CheckpointRegions::enter(int32_t region, const std::function<Value(const Value&)>& cotangent_of) {
  const auto [entry, fresh] = copies_.try_emplace(region);
  if (!fresh) return;
  Graph& graph = *stretch_.graph;
  if (members_.empty()) {
    for (int32_t id = stretch_.first; id < stretch_.last; ++id) {
      const Node& node = graph.node(id);
      if (node.checkpoint != 0 && !node.kept) members_[node.checkpoint].push_back(id);
    }
  }
  const std::vector<int32_t>& members = members_[region];
  const std::vector<Value> outside = read_from_outside(members, region);
  std::vector<Value> through = outside;
  for (const int32_t id : members) {
    for (size_t i = 0; i < graph.node(id).types.size(); ++i) {
      const Value arriving = cotangent_of({&graph, id, int32_t(i)});
      if (arriving.valid()) through.push_back(arriving);
    }
  }
  Copy& copy = entry->second;
  if (!outside.empty()) {
    const std::vector<Value> passed = graph.add_all("optimization_barrier", through);
    for (size_t i = 0; i < outside.size(); ++i) copy[outside[i]] = passed[i];
  }
  for (const int32_t id : members) write_again(id, copy);
}

Value CheckpointRegions::again(const Value& value, int32_t region) const {
  if (region == 0) return value;
  const Copy& copy = copies_.at(region);
  const auto found = copy.find(value);
  return found == copy.end() ? value : found->second;
}

}  // namespace hearth
