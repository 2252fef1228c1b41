// SPDX-License-Identifier: Apache-2.0
#pragma once
// The graph: everything a user calls becomes nodes of about a hundred primitive operations and a few composites.
// Nodes are stored in an order in which every input stands before its users; nothing is ever removed from a Graph,
// passes build new ones. Not safe for use from several threads at once.
//
// Some operations (while, case, scan, map, reduce_with_body ...) have bodies: graphs of their own whose inputs and
// outputs the operation's contract names. A body is written as Graph(&outer); a value of an outer graph that is used
// inside becomes an input of the body, listed in captures().

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/attrs.h"
#include "base/shape.h"

namespace hearth {

class Graph;
struct OpInfo;

// One output of one node. Cheap to copy; lives as long as its graph.
struct Value {
  Graph* graph = nullptr;
  int32_t node = -1;
  int32_t output = 0;

  bool valid() const { return node >= 0; }
  const TensorType& type() const;
  const Dims& dims() const { return type().dims; }
  DType dtype() const { return type().dtype; }
  int64_t rank() const { return type().rank(); }
  int64_t dim(int64_t axis) const { return dims()[size_t(axis < 0 ? axis + rank() : axis)]; }  // -1 is the last axis
  friend bool operator==(const Value&, const Value&) = default;
};
std::ostream& operator<<(std::ostream& out, const Value& value);  // f32[2,3], after the name of an input

struct HashValue {
  size_t operator()(const Value& v) const {
    return std::hash<const void*>()(v.graph) ^ (size_t(v.node) * 0x9e3779b97f4a7c15u + size_t(v.output) * 0x85ebca6bu);
  }
};
template <class T>
using ValueMap = std::unordered_map<Value, T, HashValue>;
using ValueSet = std::unordered_set<Value, HashValue>;

using Values = std::vector<Value>;

struct Node {
  const OpInfo* op = nullptr;
  std::vector<Value> inputs = {};
  Attrs attrs = {};
  std::vector<TensorType> types = {};  // of the outputs
  std::string scope = {};              // place in the model, for reports and errors
  int32_t checkpoint = 0;              // not 0: belongs to this checkpoint region, recomputed in the backward pass
  bool kept = false;                   // in spite of its region: the policy keeps its values for the backward pass
  std::vector<std::shared_ptr<const Graph>> bodies = {};
};

struct GraphInput {
  std::string name;
  int32_t node;
};
struct GraphOutput {
  std::string name;
  Value value;
  int32_t donor = -1;            // index of the input whose memory this output takes over (updated in place), or -1
  bool donor_is_a_hint = false;  // only where the output can be computed there; otherwise it gets memory of its own
};

class Graph {
 public:
  Graph() = default;
  explicit Graph(Graph* outer) : outer_(outer), depth_(outer ? outer->depth_ + 1 : 0) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  Graph(Graph&&) = delete;

  Value input(const std::string& name, TensorType type);
  void output(const std::string& name, Value value);
  // The output takes over the memory of the named input, which must have the same type.
  void output_in_place(const std::string& name, Value value, const std::string& donor);

  using Bodies = std::vector<std::shared_ptr<const Graph>>;
  // Adds a node; types come from the operation's shape rule, which throws Error when the inputs do not fit. The node
  // goes to the innermost graph among this one, those of its inputs, and the one that is being traced inside of them.
  std::vector<Value> add_all(const std::string& op, std::vector<Value> inputs, Attrs attrs = {}, Bodies bodies = {});
  Value add(const std::string& op, std::vector<Value> inputs, Attrs attrs = {}, Bodies bodies = {}) {
    return add_all(op, std::move(inputs), std::move(attrs), std::move(bodies))[0];
  }
  std::vector<Value> add_node(Node node);  // inputs already belong to this graph; types given

  // The value in this graph: itself, or the input (for a constant: the copy) that stands for a value of an outer graph.
  Value here(const Value& value);
  Graph* outer() const { return outer_; }
  const std::vector<Value>& captures() const { return captures_; }  // values of outer(): the last inputs()
  void forget_outer() { outer_ = nullptr; }  // a finished body lives longer than the graph it was written in

  const Node& node(int32_t id) const { return nodes_[size_t(id)]; }
  const Node& node(Value value) const { return nodes_[size_t(value.node)]; }
  int32_t size() const { return static_cast<int32_t>(nodes_.size()); }
  const std::vector<GraphInput>& inputs() const { return inputs_; }
  const std::vector<GraphOutput>& outputs() const { return outputs_; }
  std::vector<GraphOutput>& mutable_outputs() { return outputs_; }
  int32_t input_index(int32_t node) const;  // index in inputs() of an input node
  void keep(int32_t id) { nodes_[size_t(id)].kept = true; }

  int32_t checkpoint_region = 0;  // given to nodes as they are added
  int32_t checkpoint_regions = 0;

 private:
  Graph* outer_ = nullptr;
  int32_t depth_ = 0;
  std::deque<Node> nodes_;
  std::vector<GraphInput> inputs_;
  std::vector<GraphOutput> outputs_;
  std::vector<Value> captures_;
  std::map<std::pair<int32_t, int32_t>, Value> captured_;  // (node, output) of outer() -> its stand-in here
};

// While one exists, functions on values that write bodies (loops, branches, transforms) write them into this graph.
class Tracing {
 public:
  explicit Tracing(Graph& graph);
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

 private:
  Graph* before_;
};
// The graph that is being traced on this thread when it lies inside `graph`; otherwise `graph`.
Graph& innermost(Graph& graph);
// The same of the innermost of the values' graphs. Needs a value.
Graph& graph_of(const std::vector<Value>& values);

// Checks every rule that later stages rely on (order, types as the shape rules give them, outputs exist). Throws
// Error{bug}.
void verify(const Graph& graph);

// One line a node: %3 = add(%1, %2) : f32[2,3]  # layers.0.mlp
std::string to_text(const Graph& graph);

}  // namespace hearth
