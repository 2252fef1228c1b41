// SPDX-License-Identifier: Apache-2.0
#include "compiler/fuse.h"

namespace hearth {

constexpr size_t kCheapOperations = 8;

std::optional<Recomputable> recomputable(const Graph& graph, const Views& views, const std::vector<bool>& compute,
                                         Value value) {
  std::optional<Value> leaf;
  Recomputable result;
  std::vector<Value> open = {value};
  while (!open.empty()) {
    const Value v = open.back();
    open.pop_back();
    const Node& node = graph.node(v);
    if (!compute[size_t(v.node)]) {
      if (leaf && !(*leaf == v)) return std::nullopt;
      leaf = v;
      continue;
    }
    result.nodes.push_back(v.node);
    if (node.op->row_kind != RowKind::elementwise || result.nodes.size() > kCheapOperations) return std::nullopt;
    for (const Value& in : node.inputs) {
      const View view = views(in);
      if (graph.node(view.base).op->row_kind == RowKind::constant) {
        if (!graph.node(view.base).attrs.has("value")) return std::nullopt;
        continue;
      }
      if (!is_identity(view) || view.base.type().elements() != value.type().elements()) return std::nullopt;
      open.push_back(view.base);
    }
  }
  if (!leaf) return std::nullopt;
  result.leaf = *leaf;
  return result;
}

}  // namespace hearth
