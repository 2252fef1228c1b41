// SPDX-License-Identifier: Apache-2.0
#include "array/plan_cache.h"

#include <algorithm>
#include <unordered_map>

#include "array/kept_by_use.h"
#include "compiler/compile.h"
#include "ir/op.h"

namespace hearth {
namespace {

constexpr size_t kPlansKept = 1024;

bool is_input(const Node& node) {
  static const OpInfo& input = find_op("input");
  return node.op == &input;
}

// Bytes of the key.
class Key {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void number(const T& x) { bytes_.append(reinterpret_cast<const char*>(&x), sizeof x); }
  template <class T>
  void list(const T& values) {
    number(values.size());
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  }
  void type(const TensorType& t) {
    number(t.dtype);
    list(t.dims);
  }
  void attributes(const Attrs& attrs) {
    number(attrs.items().size());
    for (const auto& [name, item] : attrs.items()) {
      list(name);
      number(item.index());
      std::visit(
          [this](const auto& x) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(x)>>)
              number(x);
            else
              list(x);
          },
          item);
    }
  }
  void reserve(size_t bytes) { bytes_.reserve(bytes); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

struct PlanCache {
  KeptByUse<std::unique_ptr<Session>> sessions{kPlansKept};
  PlanCacheStatistics statistics;
};

PlanCache& cache() {
  static PlanCache& the_cache = *new PlanCache;
  return the_cache;
}

// The part as a graph of its own.
std::unique_ptr<Graph> extract(const Graph& graph, const Subgraph& part, const std::vector<Value>& values,
                               const std::vector<int32_t>& donors) {
  auto alone = std::make_unique<Graph>();
  std::unordered_map<int32_t, std::vector<Value>> map;
  for (const int32_t input : part.inputs) {
    const int32_t id = graph.inputs()[size_t(input)].node;
    map[id] = alone->add_node(graph.node(id));
  }
  for (const int32_t id : part.nodes) {
    if (is_input(graph.node(id))) continue;
    Node node = graph.node(id);
    for (Value& in : node.inputs) in = map.at(in.node)[size_t(in.output)];
    map[id] = alone->add_node(std::move(node));
  }
  for (size_t i = 0; i < values.size(); ++i) {
    const Value& value = map.at(values[i].node)[size_t(values[i].output)];
    alone->mutable_outputs().push_back({"output " + std::to_string(i), value, donors[i], true});
  }
  return alone;
}

}  // namespace

Subgraph needed_by(const Graph& graph, const std::vector<Value>& values) {
  Subgraph part;
  std::vector<int32_t> stack;
  std::vector<bool> seen(size_t(graph.size()), false);
  const auto visit = [&](int32_t id) {
    if (seen[size_t(id)]) return;
    seen[size_t(id)] = true;
    part.nodes.push_back(id);
    stack.push_back(id);
  };
  for (const Value& value : values) visit(value.node);
  while (!stack.empty()) {
    const int32_t id = stack.back();
    stack.pop_back();
    for (const Value& in : graph.node(id).inputs) visit(in.node);
  }
  std::sort(part.nodes.begin(), part.nodes.end());
  for (const int32_t id : part.nodes) {
    if (is_input(graph.node(id))) part.inputs.push_back(graph.input_index(id));
  }
  return part;
}

std::string structure_of(const Graph& graph, const Subgraph& part, const std::vector<Value>& values,
                         const std::vector<int32_t>& donors) {
  Key key;
  key.reserve(96 * part.nodes.size());
  const auto number = [&](int32_t id) {  // its place in the part, so that equal parts have equal keys
    return int32_t(std::lower_bound(part.nodes.begin(), part.nodes.end(), id) - part.nodes.begin());
  };
  for (const int32_t id : part.nodes) {
    const Node& node = graph.node(id);
    key.number(node.op);
    for (const TensorType& type : node.types) key.type(type);
    if (is_input(node)) continue;
    key.number(node.inputs.size());
    for (const Value& in : node.inputs) {
      key.number(number(in.node));
      key.number(in.output);
    }
    key.attributes(node.attrs);
    key.number(node.checkpoint);
    key.list(node.scope);
    key.number(node.bodies.size());
    for (const auto& body : node.bodies) key.list(to_text(*body));
  }
  for (const Value& value : values) {
    key.number(number(value.node));
    key.number(value.output);
  }
  key.list(donors);
  return key.take();
}

Session& session_for(const Graph& graph, const Subgraph& part, const std::vector<Value>& values,
                     const std::vector<int32_t>& donors) {
  std::string key = structure_of(graph, part, values, donors);
  PlanCache& plans = cache();
  if (const std::unique_ptr<Session>* known = plans.sessions.find(key)) {
    ++plans.statistics.hits;
    return **known;
  }
  Plan plan = compile(*extract(graph, part, values, donors));
  auto session = std::make_unique<Session>(std::move(plan), SessionOptions{.own_outputs = false});
  ++plans.statistics.misses;
  return *plans.sessions.add(std::move(key), std::move(session));
}

PlanCacheStatistics plan_cache_statistics() {
  PlanCacheStatistics statistics = cache().statistics;
  statistics.plans = int64_t(cache().sessions.size());
  return statistics;
}
void clear_plan_cache() { cache().sessions.clear(); }

}  // namespace hearth
