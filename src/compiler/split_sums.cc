// SPDX-License-Identifier: Apache-2.0
// The sum of all elements of x[.., W], as the sum of its rows' sums where x is computed from other sums over rows of
// that shape: the kernel that computes x works row by row, has the first sums for one more addition and need not write
// x.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "compiler/passes.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

constexpr size_t kSearchLimit = 64;  // nodes looked at

bool is_passed(const Node& node) {
  return node.op->row_kind == RowKind::elementwise || node.op->name == "reshape" || node.op->name == "broadcast_in_dim";
}

bool sums_rows_of(const Node& node, const Dims& dims) {
  return node.op->name == "reduce" && node.inputs[0].dims() == dims &&
         node.attrs.list("dims") == Dims{int64_t(dims.size()) - 1};
}

bool follows_from_rows(const Graph& graph, const Value& x) {
  std::set<int32_t> seen = {x.node};
  std::vector<int32_t> open = {x.node};
  while (!open.empty() && seen.size() <= kSearchLimit) {
    const Node& node = graph.node(open.back());
    open.pop_back();
    if (sums_rows_of(node, x.dims())) return true;
    if (!is_passed(node)) continue;
    for (const Value& in : node.inputs) {
      if (seen.insert(in.node).second) open.push_back(in.node);
    }
  }
  return false;
}

// Sums of 16-bit numbers would be rounded once more.
bool is_split(const Graph& graph, const Node& node) {
  if (node.op->name != "reduce" || node.attrs.text("kind") != "sum" || node.types[0].dtype != DType::f32) return false;
  const Value& x = node.inputs[0];
  const bool all = x.rank() >= 2 && int64_t(node.attrs.list("dims").size()) == x.rank();
  return all && x.dim(x.rank() - 1) < x.type().elements() && follows_from_rows(graph, x);
}

}  // namespace

std::unique_ptr<Graph> split_sums(const Graph& graph) {
  Rewriter rewriter(graph);
  for (int32_t id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op->name == "input") continue;
    if (!is_split(graph, node)) {
      rewriter.copy(id);
      continue;
    }
    Scope scope(node.scope.empty() ? node.op->name : node.scope);
    const Value x = rewriter(node.inputs[0]);
    Dims others;
    for (int64_t i = 0; i + 1 < x.rank(); ++i) others.push_back(i);
    rewriter.replace(id, {reduce_sum(reduce_sum(x, {x.rank() - 1}), others)});
  }
  rewriter.finish();
  return rewriter.take();
}

}  // namespace hearth
