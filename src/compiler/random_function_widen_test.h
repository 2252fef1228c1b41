// SPDX-License-Identifier: Apache-2.0
#pragma once
// The same graph in f64.

#include <memory>

#include "ir/graph.h"
#include "ir/op.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {

inline DType widened(DType t) { return is_complex(t) ? DType::complex128 : is_float(t) ? DType::f64 : t; }

// Every float is an f64 and every complex number a complex128, in bodies too.
inline std::shared_ptr<Graph> widened(const Graph& graph) {
  auto wide = std::make_shared<Graph>();
  std::vector<Values> map;
  const auto mapped = [&](const Value& v) { return map[size_t(v.node)][size_t(v.output)]; };
  for (int32_t id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    if (node.op->name == "bitcast_convert") {  // bits are those of the narrow number
      const Value x = convert(mapped(node.inputs[0]), graph.node(node.inputs[0]).types[0].dtype);
      const Value bits = bitcast_convert(x, node.types[0].dtype);
      map.push_back({convert(bits, widened(node.types[0].dtype))});
      continue;
    }
    for (Value& in : node.inputs) in = mapped(in);
    for (TensorType& type : node.types) type.dtype = widened(type.dtype);
    if (node.attrs.has("dtype")) node.attrs.set("dtype", int64_t(widened(DType(node.attrs.integer("dtype")))));
    for (auto& body : node.bodies) body = widened(*body);
    map.push_back(wide->add_node(std::move(node)));
  }
  for (const GraphOutput& out : graph.outputs()) wide->output(out.name, mapped(out.value));
  return wide;
}

}  // namespace hearth
