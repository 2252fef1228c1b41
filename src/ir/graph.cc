// SPDX-License-Identifier: Apache-2.0
#include "ir/graph.h"

#include <algorithm>
#include <sstream>

#include "base/error.h"
#include "ir/op.h"

namespace hearth {

const TensorType& Value::type() const { return graph->node(node).types[size_t(output)]; }

// A reshape to the same shape is how transforms (fresh() in array/transforms.cc) make a value of their own of an
// argument: messages name what it stands for.
static Value behind_identities(Value value) {
  while (value.graph->node(value).op->name == "reshape" &&
         value.graph->node(value.graph->node(value).inputs[0]).types[0] == value.type())
    value = value.graph->node(value).inputs[0];
  return value;
}

// Nodes have numbers, but whoever reads a message has not seen the graph. Names that begin with a dot are for the
// graph.
std::ostream& operator<<(std::ostream& out, const Value& shown) {
  if (!shown.valid()) return out << "%?";
  const Value value = behind_identities(shown);
  const Node& node = value.graph->node(value.node);
  if (node.op->name == "input") {
    const std::string& name = node.attrs.text("name");
    if (!name.starts_with('.')) out << name << ' ';
  }
  return out << value.type();
}

Value Graph::input(const std::string& name, TensorType type) {
  for (const GraphInput& other : inputs_) {
    HEARTH_CHECK(other.name != name, value, "graph: two inputs are named '", name, "'");
  }
  const int32_t id = size();
  nodes_.push_back(
      {.op = &find_op("input"), .attrs = {{"name", name}}, .types = {std::move(type)}, .scope = Scope::current()});
  inputs_.push_back({name, id});
  return {this, id, 0};
}

void Graph::output(const std::string& name, Value value) {
  for (const GraphOutput& other : outputs_)
    HEARTH_CHECK(other.name != name, value, "graph: two outputs are named '", name, "'");
  outputs_.push_back({name, value, -1});
}

void Graph::output_in_place(const std::string& name, Value value, const std::string& donor) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].name != donor) continue;
    const TensorType& type = node(inputs_[i].node).types[0];
    HEARTH_CHECK(type == value.type(), shape, "graph: output '", name, "' is ", value.type(),
                 " and cannot take the place of input '", donor, "', ", type);
    for (const GraphOutput& other : outputs_) {
      HEARTH_CHECK(other.donor != int32_t(i), value, "graph: outputs '", other.name, "' and '", name,
                   "' both want the place of input '", donor, "'");
    }
    output(name, value);
    outputs_.back().donor = static_cast<int32_t>(i);
    return;
  }
  HEARTH_FAIL(value, "graph: output '", name, "' wants the place of input '", donor, "', which does not exist");
}

std::vector<Value> Graph::add_all(const std::string& op, std::vector<Value> inputs, Attrs attrs, Bodies bodies) {
  const OpInfo& info = find_op(op);
  Graph* deepest = this;
  for (const Value& in : inputs) {
    HEARTH_CHECK(in.valid(), bug, op, ": an input is no value");
    if (in.graph->depth_ > deepest->depth_) deepest = in.graph;
  }
  deepest = &innermost(*deepest);
  if (deepest != this) return deepest->add_all(op, std::move(inputs), std::move(attrs), std::move(bodies));
  for (Value& in : inputs) in = here(in);
  std::vector<TensorType> types = info.infer({op, inputs, attrs, bodies});
  return add_node({.op = &info,
                   .inputs = std::move(inputs),
                   .attrs = std::move(attrs),
                   .types = std::move(types),
                   .scope = Scope::current(),
                   .checkpoint = checkpoint_region,
                   .bodies = std::move(bodies)});
}

Value Graph::here(const Value& value) {
  if (value.graph == this) return value;
  HEARTH_CHECK(outer_, value, "graph: ", value, " belongs to another graph\n  hint: a value made inside a transformed",
               " function (grad, vmap, scan ...) ends with it; return it from there");
  const Value outside = outer_->here(value);
  const auto [found, fresh] = captured_.try_emplace({outside.node, outside.output});
  if (!fresh) return found->second;
  const Node& source = outer_->node(outside);
  if (source.op->row_kind == RowKind::constant) {
    found->second = add_node({.op = source.op, .attrs = source.attrs, .types = source.types})[0];
  } else {
    const std::string name = "captured " + std::to_string(captures_.size());
    captures_.push_back(outside);
    found->second = add_node({.op = &find_op("input"), .attrs = {{"name", name}}, .types = {outside.type()}})[0];
  }
  return found->second;
}

std::vector<Value> Graph::add_node(Node node) {
  const int32_t id = size();
  std::vector<Value> outputs;
  for (size_t i = 0; i < node.types.size(); ++i) outputs.push_back({this, id, static_cast<int32_t>(i)});
  if (node.op->name == "input") inputs_.push_back({node.attrs.text("name"), id});
  nodes_.push_back(std::move(node));
  return outputs;
}

int32_t Graph::input_index(int32_t node) const {
  const auto found = std::lower_bound(inputs_.begin(), inputs_.end(), node,
                                      [](const GraphInput& input, int32_t id) { return input.node < id; });
  return found != inputs_.end() && found->node == node ? int32_t(found - inputs_.begin()) : -1;
}

static thread_local Graph* traced = nullptr;

Tracing::Tracing(Graph& graph) : before_(traced) { traced = &graph; }
Tracing::~Tracing() { traced = before_; }

Graph& innermost(Graph& graph) {
  for (Graph* around = traced; around; around = around->outer()) {
    if (around == &graph) return *traced;
  }
  return graph;
}

Graph& graph_of(const std::vector<Value>& values) {
  Graph* deepest = nullptr;
  for (const Value& value : values) {
    Graph* up = value.graph;
    while (up && up != deepest) up = up->outer();
    if (!deepest || up == deepest) deepest = value.graph;
  }
  HEARTH_CHECK(deepest, bug, "graph: there is no value");
  return innermost(*deepest);
}

void verify(const Graph& graph) {
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    for (const Value& in : node.inputs) {
      HEARTH_CHECK(in.graph == &graph && in.node >= 0 && in.node < id, bug, "graph: node ", id, " (", node.op->name,
                   ") reads a value that does not stand before it");
      HEARTH_CHECK(size_t(in.output) < graph.node(in.node).types.size(), bug, "graph: node ", id, " (", node.op->name,
                   ") reads output ", in.output, " of node ", in.node, ", which does not exist");
    }
    if (node.op->name == "input") continue;
    for (const auto& body : node.bodies) verify(*body);
    HEARTH_CHECK(node.op->infer({node.op->name, node.inputs, node.attrs, node.bodies}) == node.types, bug,
                 "graph: node ", id, " (", node.op->name, ") has types that its shape rule does not give");
  }
  for (const GraphOutput& out : graph.outputs()) {
    HEARTH_CHECK(out.value.graph == &graph && out.value.node >= 0 && out.value.node < graph.size(), bug,
                 "graph: output '", out.name, "' is not a value of this graph");
  }
}

static std::string to_text(const Graph& graph, const std::string& indent) {
  std::ostringstream out;
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    out << indent << '%' << id << " = " << node.op->name << '(';
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      out << (i ? ", " : "") << '%' << node.inputs[i].node;
      if (graph.node(node.inputs[i].node).types.size() > 1) out << '.' << node.inputs[i].output;
    }
    out << ')';
    if (!node.attrs.items().empty()) out << ' ' << node.attrs;
    out << " :";
    for (const TensorType& type : node.types) out << ' ' << type;
    if (!node.scope.empty()) out << "  # " << node.scope;
    if (node.checkpoint) out << "  (checkpoint " << node.checkpoint << ')';
    out << '\n';
    for (size_t i = 0; i < node.bodies.size(); ++i)
      out << indent << "  body " << i << ":\n" << to_text(*node.bodies[i], indent + "    ");
  }
  for (const GraphOutput& output : graph.outputs()) {
    out << indent << "output " << output.name << " = %" << output.value.node;
    if (output.value.output) out << '.' << output.value.output;
    if (output.donor >= 0) out << " in place of input " << graph.inputs()[size_t(output.donor)].name;
    out << '\n';
  }
  return out.str();
}

std::string to_text(const Graph& graph) { return to_text(graph, ""); }

}  // namespace hearth
