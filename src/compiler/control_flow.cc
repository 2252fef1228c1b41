// SPDX-License-Identifier: Apache-2.0
#include "compiler/control_flow.h"

namespace hearth {
namespace {

// The first `in_place` outputs take the memory of the inputs of the same number.
Plan compile_body(const Graph& body, const Backends& backends, size_t in_place) {
  const std::unique_ptr<Graph> graph = simplify(body);
  for (size_t i = 0; i < in_place; ++i) graph->mutable_outputs()[i].donor = int32_t(i);
  return lower(partition(*graph, backends, nullptr), backends);
}

}  // namespace

void emit_control(Emitter& emitter, const Graph& graph, const Views& views, const Backends& backends, int32_t id) {
  const Node& node = graph.node(id);
  const bool loop = node.op->name == "while";
  const size_t state = loop ? node.types.size() : 0;
  Emitter::Call call{.kernel = node.op->name, .attrs = node.attrs, .scope = node.scope};
  for (const Value& in : node.inputs) call.in.push_back(emitter.dense(views(in), in.type(), 0));
  for (size_t i = 0; i < node.types.size(); ++i) {
    const int32_t buffer = emitter.new_buffer(node.types[i], 0);
    emitter.set_buffer({const_cast<Graph*>(&graph), id, int32_t(i)}, buffer);
    call.out.push_back(emitter.tensor(buffer, node.types[i]));
  }
  for (size_t i = 0; i < node.bodies.size(); ++i)
    call.bodies.push_back(emitter.add_body(compile_body(*node.bodies[i], backends, i == 1 ? state : 0)));
  for (size_t i = 0; i < state; ++i) call.in_place.push_back({int(i), int(i)});
  emitter.emit(std::move(call));
}

}  // namespace hearth
