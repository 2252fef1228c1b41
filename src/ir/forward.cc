// SPDX-License-Identifier: Apache-2.0
// Forward derivatives: the walk of push_forward.
#include <algorithm>

#include "base/error.h"
#include "ir/derivative.h"
#include "ir/op.h"

namespace hearth {
namespace {

class Forward {
 public:
  Forward(const Stretch& stretch, const std::vector<Value>& outputs) : stretch_(stretch), graph_(*stretch.graph) {
    needed_.insert(outputs.begin(), outputs.end());
    for (int32_t id = stretch_.last - 1; id >= stretch_.first; --id) {
      const Node& node = graph_.node(id);
      if (node.op->differentiable && any_needed(id, node)) needed_.insert(node.inputs.begin(), node.inputs.end());
    }
  }

  // The first tangent of a value stays: that of `wrt`, whatever its node would give.
  void set_tangent(const Value& value, const Value& tangent) {
    HEARTH_CHECK(tangent.type() == value.type(), bug, "derivative: the tangent of ", value, " is ", tangent);
    tangents_.emplace(value, tangent);
  }

  Value tangent(const Value& value) const {
    const auto found = tangents_.find(value);
    return found == tangents_.end() ? Value{} : found->second;
  }

  void run() {
    for (int32_t id = stretch_.first; id < stretch_.last; ++id) {
      const Node& node = graph_.node(id);
      const bool depends = std::any_of(node.inputs.begin(), node.inputs.end(),
                                       [this](const Value& in) { return tangents_.count(in) != 0; });
      if (depends && node.op->differentiable && any_needed(id, node)) push(id);
    }
  }

 private:
  bool needed(const Value& value) const { return needed_.count(value) && is_inexact(value.dtype()); }
  bool any_needed(int32_t id, const Node& node) {
    for (size_t i = 0; i < node.types.size(); ++i) {
      if (needed({&graph_, id, int32_t(i)})) return true;
    }
    return false;
  }

  void push(int32_t id) {
    const Node node = graph_.node(id);  // a copy: the graph grows below
    JvpArgs args{graph_, node, node.inputs, {}, {}, std::vector<Value>(node.types.size())};
    for (const Value& in : node.inputs) args.tangent.push_back(tangent(in));
    for (size_t i = 0; i < node.types.size(); ++i) args.out.push_back({&graph_, id, int32_t(i)});
    Scope scope(node.scope.empty() ? "jvp" : "jvp " + node.scope);
    // The tangents of a checkpoint region belong to it: whoever differentiates them computes them again.
    Graph& to = innermost(graph_);
    const int32_t region = to.checkpoint_region;
    if (region == 0 && &to == &graph_) to.checkpoint_region = node.checkpoint;
    apply_rule(args);
    to.checkpoint_region = region;
    for (size_t i = 0; i < args.out.size(); ++i) {
      if (args.out_tangent[i].valid() && needed(args.out[i])) set_tangent(args.out[i], args.out_tangent[i]);
    }
  }

  void apply_rule(JvpArgs& args) const {
    const OpInfo& op = *args.node.op;
    if (op.jvp) {
      op.jvp(args);
    } else if (op.vjp && is_diagonal(args)) {
      along_the_diagonal(args);
    } else if (!op.vjp || !transpose_vjp(args)) {
      through_decomposition(args);
    }
  }

  static VjpArgs reversed(const JvpArgs& args) {
    VjpArgs reverse{args.graph, args.node.attrs, args.in,         args.out, std::vector<Value>(args.out.size()), {},
                    {},         false,           args.node.bodies};
    for (const Value& tangent : args.tangent) reverse.wanted.push_back(tangent.valid());
    reverse.grad.resize(args.in.size());
    return reverse;
  }

  // Element i of the result depends on element i of each input only, so each derivative is its own transpose. (Not so
  // for complex numbers, as pairs of real ones.)
  static bool is_diagonal(const JvpArgs& args) {
    if (args.node.op->row_kind != RowKind::elementwise || !is_float(args.out[0].dtype())) return false;
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (args.tangent[i].valid() && args.in[i].type() != args.out[0].type()) return false;
    }
    return true;
  }

  static void along_the_diagonal(JvpArgs& args) {
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (!args.tangent[i].valid()) continue;
      VjpArgs reverse = reversed(args);
      reverse.wanted.assign(args.in.size(), false);
      reverse.wanted[i] = true;
      reverse.cotangent[0] = args.tangent[i];
      args.node.op->vjp(reverse);
      Value& sum = args.out_tangent[0];
      const Value& part = reverse.grad[i];
      if (part.valid()) sum = sum.valid() ? args.graph.add("add", {sum, part}) : part;
    }
  }

  // The cotangents of the inputs are linear in those of the outputs, u. So their transpose with respect to u takes
  // tangents of the inputs to those of the outputs. u is zero, but nothing of it is left in the result. False: the rule
  // does not cover this case.
  bool transpose_vjp(JvpArgs& args) const {
    Graph& to = innermost(args.graph);
    const int32_t first = to.size();
    VjpArgs reverse = reversed(args);
    std::vector<Value> u, outputs, tangents;
    std::vector<size_t> index;
    for (size_t i = 0; i < args.out.size(); ++i) {
      if (!needed(args.out[i])) continue;
      u.push_back(reverse.cotangent[i] = zeros_like(args.out[i]));
      index.push_back(i);
    }
    args.node.op->vjp(reverse);
    if (reverse.use_decomposition) return false;
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (!args.tangent[i].valid() || !reverse.grad[i].valid()) continue;
      outputs.push_back(reverse.grad[i]);
      tangents.push_back(args.tangent[i]);
    }
    const std::vector<Value> result = pull_back({&to, first}, outputs, tangents, u);
    for (size_t i = 0; i < u.size(); ++i) args.out_tangent[index[i]] = result[i];
    return true;
  }

  static void through_decomposition(JvpArgs& args) {
    HEARTH_CHECK(args.node.op->is_composite(), unsupported, args.node.op->name, ": has no derivative");
    Graph& to = innermost(args.graph);
    const int32_t first = to.size();
    const std::vector<Value> outputs = args.node.op->decomposed(to, args.node, args.in);
    args.out_tangent = push_forward({&to, first}, outputs, args.in, args.tangent);
  }

  const Stretch stretch_;
  Graph& graph_;
  ValueSet needed_;
  ValueMap<Value> tangents_;
};

}  // namespace

std::vector<Value> push_forward(const Stretch& stretch, const std::vector<Value>& outputs,
                                const std::vector<Value>& wrt, const std::vector<Value>& tangents) {
  std::vector<Value> results;
  for (const Value& value : outputs) results.push_back(stretch.graph->here(value));
  Forward forward(stretch, results);
  for (size_t i = 0; i < wrt.size(); ++i) {
    if (tangents[i].valid()) forward.set_tangent(stretch.graph->here(wrt[i]), tangents[i]);
  }
  forward.run();
  for (Value& value : results) value = forward.tangent(value);
  return results;
}

}  // namespace hearth
