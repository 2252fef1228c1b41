// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <sstream>
#include <unordered_map>

#include "base/error.h"
#include "compiler/passes.h"

namespace hearth {

Rewriter::Rewriter(const Graph& from) : from_(from), to_(std::make_unique<Graph>()) {
  for (const GraphInput& input : from.inputs()) {
    Node node = from.node(input.node);
    replace(input.node, to_->add_node(std::move(node)));
  }
}

std::vector<Value> Rewriter::mapped(const std::vector<Value>& old) const {
  std::vector<Value> values;
  for (const Value& value : old) values.push_back((*this)(value));
  return values;
}

void Rewriter::replace(int32_t node, const std::vector<Value>& values) {
  for (size_t i = 0; i < values.size(); ++i) map_[{node, int32_t(i)}] = values[i];
}

void Rewriter::copy(int32_t id) {
  Node node = from_.node(id);
  node.inputs = mapped(node.inputs);
  replace(id, to_->add_node(std::move(node)));
}

void Rewriter::finish() {
  for (const GraphOutput& output : from_.outputs())
    to_->mutable_outputs().push_back({output.name, (*this)(output.value), output.donor, output.donor_is_a_hint});
}

std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<bool> live(size_t(graph.size()), false);
  for (const GraphOutput& output : graph.outputs()) live[size_t(output.value.node)] = true;
  for (int32_t id = graph.size() - 1; id >= 0; --id) {
    if (!live[size_t(id)]) continue;
    for (const Value& in : graph.node(id).inputs) live[size_t(in.node)] = true;
  }
  return live;
}

namespace {

// Equal text, equal node: operation, inputs, attributes and types.
std::string key_of(const Node& node) {
  std::ostringstream key;
  key.precision(17);
  key << node.op->name;
  for (const Value& in : node.inputs) key << ' ' << in.node << '.' << in.output;
  key << node.attrs;
  for (const TensorType& type : node.types) key << type;
  for (const auto& body : node.bodies) key << '\n' << to_text(*body);
  return key.str();
}

// Whether every element of the value is the number `wanted`.
bool is_splat(Value value, double wanted) {
  for (;;) {
    const Node& node = value.graph->node(value);
    if (node.op->name == "broadcast_in_dim" || node.op->name == "reshape") {
      value = node.inputs[0];
    } else if (node.op->name == "constant" && node.attrs.has("value") && is_float(node.types[0].dtype)) {
      return node.attrs.real("value") == wanted;
    } else {
      return false;
    }
  }
}

// The parts of complex(re, im) are re and im.
Value part_of_pair(const Node& node) {
  const Node& pair = node.inputs[0].graph->node(node.inputs[0]);
  return pair.op->name == "complex" ? pair.inputs[node.op->name == "real" ? 0 : 1] : Value{};
}

// x * 1, x / 1 and x reshaped to its own shape are x, bit for bit.
Value unchanged(const Node& node) {
  if (node.op->name == "real" || node.op->name == "imag") return part_of_pair(node);
  if (node.op->name == "reshape" && node.inputs[0].type() == node.types[0]) return node.inputs[0];
  if (node.op->name == "multiply" && is_splat(node.inputs[1], 1)) return node.inputs[0];
  if (node.op->name == "multiply" && is_splat(node.inputs[0], 1)) return node.inputs[1];
  if (node.op->name == "divide" && is_splat(node.inputs[1], 1)) return node.inputs[0];
  return {};
}

// Operations that give all that others give.
const std::set<std::string>& subsuming_ops() {
  static const std::set<std::string> names = [] {
    std::set<std::string> all;
    for (const OpInfo& op : all_ops()) all.insert(op.subsumed_by);
    return all;
  }();
  return names;
}

}  // namespace

std::unique_ptr<Graph> simplify(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  Rewriter rewriter(graph);
  std::unordered_map<std::string, std::vector<Value>> seen;
  std::unordered_map<std::string, const OpInfo*>
      subsuming;  // operations present in the live graph, by key of operation, inputs, attributes and bodies
  const auto call_key = [](const std::string& op, const Node& node) {
    std::ostringstream key;
    key.precision(17);
    key << op;
    for (const Value& v : node.inputs) key << ' ' << v.node << '.' << v.output;
    key << node.attrs;
    for (const auto& body : node.bodies) key << '\n' << to_text(*body);
    return key.str();
  };
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (live[size_t(id)] && subsuming_ops().count(node.op->name))
      subsuming.emplace(call_key(node.op->name, node), node.op);
  }
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& old = graph.node(id);
    if (!live[size_t(id)] || old.op->name == "input") continue;
    Node node = old;
    node.inputs = rewriter.mapped(old.inputs);
    if (!old.op->subsumed_by.empty() && subsuming.count(call_key(old.op->subsumed_by, old))) {
      node.op = &find_op(old.op->subsumed_by);
      node.types = node.op->infer({node.op->name, node.inputs, node.attrs, node.bodies});
    }
    const Value same = unchanged(node);
    if (same.valid()) {
      rewriter.replace(id, {same});
      continue;
    }
    if (!node.op->pure) {
      rewriter.replace(id, rewriter.to().add_node(std::move(node)));
      continue;
    }
    std::string key = key_of(node);
    const auto found = seen.find(key);
    if (found != seen.end()) {
      rewriter.replace(id, found->second);
      continue;
    }
    std::vector<Value> values = rewriter.to().add_node(std::move(node));
    rewriter.replace(id, values);
    seen.emplace(std::move(key), std::move(values));
  }
  rewriter.finish();
  return rewriter.take();
}

}  // namespace hearth
