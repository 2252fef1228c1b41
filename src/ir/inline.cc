// SPDX-License-Identifier: Apache-2.0
#include "ir/inline.h"

#include "base/error.h"
#include "ir/op.h"

namespace hearth {
namespace {

// The values that stand for those of a body, while its nodes are written again.
class Replay {
 public:
  Replay(const Graph& body, const std::vector<Value>& inputs) : body_(body), values_(size_t(body.size())) {
    HEARTH_CHECK(inputs.size() == body.inputs().size(), bug, "inline: ", inputs.size(), " inputs for a body of ",
                 body.inputs().size());
    for (size_t i = 0; i < inputs.size(); ++i) values_[size_t(body.inputs()[i].node)] = {inputs[i]};
  }
  Value operator()(const Value& old) const { return values_[size_t(old.node)][size_t(old.output)]; }
  std::vector<Value> inputs_of(const Node& node) const {
    std::vector<Value> in;
    for (const Value& value : node.inputs) in.push_back((*this)(value));
    return in;
  }
  void set(int32_t node, std::vector<Value> values) { values_[size_t(node)] = std::move(values); }
  std::vector<Value> outputs() const {
    std::vector<Value> out;
    for (const GraphOutput& output : body_.outputs()) out.push_back((*this)(output.value));
    return out;
  }

 private:
  const Graph& body_;
  std::vector<std::vector<Value>> values_;
};

}  // namespace

std::vector<Value> inline_graph(Graph& to, const Graph& body, const std::vector<Value>& inputs) {
  std::vector<Value> here;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorType& wanted = body.node(body.inputs().at(i).node).types[0];
    HEARTH_CHECK(inputs[i].type() == wanted, bug, "inline: input ", i, " is ", inputs[i], ", the body wants ", wanted);
    here.push_back(to.here(inputs[i]));
  }
  Replay replay(body, here);
  for (int32_t id = 0; id < body.size(); ++id) {
    if (body.node(id).op->name == "input") continue;
    Node node = body.node(id);
    node.inputs = replay.inputs_of(node);
    node.checkpoint = to.checkpoint_region;
    replay.set(id, to.add_node(std::move(node)));
  }
  return replay.outputs();
}

std::vector<Value> inline_elementwise(Graph& to, const Graph& body, const std::vector<Value>& inputs,
                                      const Dims& dims) {
  Replay replay(body, inputs);
  for (int32_t id = 0; id < body.size(); ++id) {
    const Node& node = body.node(id);
    if (node.op->name == "input") continue;
    HEARTH_CHECK(node.types.size() == 1 && node.types[0].rank() == 0 &&
                     (node.op->row_kind == RowKind::elementwise || node.op->row_kind == RowKind::constant),
                 unsupported, "a body of scalars may hold element-wise operations only; it has ", node.op->name, " of ",
                 node.types[0]);
    Attrs attrs = node.attrs;
    if (node.op->row_kind == RowKind::constant) {
      Value scalar = to.add(node.op->name, {}, attrs);
      replay.set(id, {to.add("broadcast_in_dim", {scalar}, {{"shape", dims}, {"dims", Dims{}}})});
    } else {
      replay.set(id, to.add_all(node.op->name, replay.inputs_of(node), std::move(attrs)));
    }
  }
  // An output that depends on no input is the same for every element, and was stretched above.
  return replay.outputs();
}

}  // namespace hearth
