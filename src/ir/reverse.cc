// SPDX-License-Identifier: Apache-2.0
// Reverse derivatives: the walk of pull_back.
#include "base/error.h"
#include "ir/checkpoint_regions.h"
#include "ir/derivative.h"
#include "ir/op.h"

namespace hearth {

Value zeros(Graph& graph, const TensorType& type) {
  const Attrs::Item zero = is_inexact(type.dtype) ? Attrs::Item(0.0) : Attrs::Item(int64_t(0));
  return graph.add("constant", {}, {{"value", zero}, {"dtype", int64_t(type.dtype)}, {"shape", type.dims}});
}

namespace {

class Reverse {
 public:
  Reverse(const Stretch& stretch, const std::vector<Value>& wrt)
      : stretch_(stretch),
        graph_(*stretch.graph),
        wrt_(wrt.begin(), wrt.end()),
        active_(size_t(stretch.last - stretch.first), false),
        regions_(stretch) {
    for (int32_t id = stretch_.first; id < stretch_.last; ++id) {
      const Node& node = graph_.node(id);
      if (!node.op->differentiable) continue;
      for (const Value& in : node.inputs) {
        if (active(in)) active_[size_t(id - stretch_.first)] = true;
      }
    }
  }

  void add_cotangent(const Value& value, const Value& cotangent) {
    HEARTH_CHECK(cotangent.type() == value.type(), bug, "derivative: the cotangent of ", value, " is ", cotangent);
    Value& sum = cotangents_[before_barriers(value)];
    sum = sum.valid() ? graph_.add("add", {sum, cotangent}) : cotangent;
  }

  Value cotangent(const Value& value) const {
    const auto found = cotangents_.find(value);
    return found == cotangents_.end() ? Value{} : found->second;
  }

  void run() {
    for (int32_t id = stretch_.last - 1; id >= stretch_.first; --id) {
      if (active_[size_t(id - stretch_.first)]) differentiate(id);
    }
  }

 private:
  bool inside(const Value& value) const { return value.node >= stretch_.first && value.node < stretch_.last; }
  bool active(const Value& value) const {
    return (inside(value) && active_[size_t(value.node - stretch_.first)]) || wrt_.count(value);
  }

  // A barrier is the identity: cotangents go to what stands before it, and so are summed in the same order as without
  // it. That is why a checkpoint changes no bit.
  Value before_barriers(Value value) const {
    while (inside(value) && graph_.node(value).op->name == "optimization_barrier" && !wrt_.count(value))
      value = graph_.node(value).inputs[size_t(value.output)];
    return value;
  }

  void differentiate(int32_t id) {
    const Node node = graph_.node(id);  // a copy: the graph grows below
    std::vector<Value> out, cotangent_of_out;
    bool any = false;
    for (size_t i = 0; i < node.types.size(); ++i) {
      out.push_back({&graph_, id, int32_t(i)});
      cotangent_of_out.push_back(cotangent(out.back()));
      any = any || cotangent_of_out.back().valid();
    }
    if (!any) return;
    const int32_t region = regions_.region_of(node);
    if (region) regions_.enter(region, [this](const Value& value) { return cotangent(value); });
    Scope scope(node.scope.empty() ? "grad" : "grad " + node.scope);
    VjpArgs args{graph_, node.attrs, {}, {}, cotangent_of_out, {}, {}, false, node.bodies};
    bool wanted = false;
    for (const Value& in : node.inputs) {
      args.in.push_back(regions_.again(in, region));
      args.wanted.push_back(active(in) && is_inexact(in.dtype()));
      wanted = wanted || args.wanted.back();
    }
    if (!wanted) return;
    for (const Value& value : out) args.out.push_back(regions_.again(value, region));
    args.grad.resize(args.in.size());
    apply_rule(node, args);
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (args.wanted[i] && args.grad[i].valid()) add_cotangent(node.inputs[i], args.grad[i]);
    }
  }

  static void apply_rule(const Node& node, VjpArgs& args) {
    if (node.op->vjp) {
      node.op->vjp(args);
      if (args.use_decomposition) through_decomposition(node, args);
    } else if (node.op->jvp) {
      transpose_jvp(node, args);
    } else {
      through_decomposition(node, args);
    }
  }

  static void through_decomposition(const Node& node, VjpArgs& args) {
    HEARTH_CHECK(node.op->is_composite(), unsupported, node.op->name, ": has no derivative");
    Graph& to = innermost(args.graph);
    const int32_t first = to.size();
    const std::vector<Value> outputs = node.op->decomposed(to, node, args.in);
    pull_into(args, {&to, first}, outputs, args.cotangent, args.in);
  }

  // The tangents of the outputs are linear in those of the inputs. So their derivative by these, taken at zero, is the
  // one that is sought.
  static void transpose_jvp(const Node& node, VjpArgs& args) {
    Graph& to = innermost(args.graph);
    const int32_t first = to.size();
    JvpArgs forward{args.graph, node, args.in, args.out, std::vector<Value>(args.in.size()), {}};
    forward.out_tangent.resize(args.out.size());
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (args.wanted[i]) forward.tangent[i] = zeros_like(args.in[i]);
    }
    node.op->jvp(forward);
    pull_into(args, {&to, first}, forward.out_tangent, args.cotangent, forward.tangent);
  }

  // args.grad = what `cotangents` of `outputs` give by `sources`, which stand for the node's inputs.
  static void pull_into(VjpArgs& args, const Stretch& stretch, const std::vector<Value>& outputs,
                        const std::vector<Value>& cotangents, const std::vector<Value>& sources) {
    std::vector<Value> some_outputs, some_cotangents, wrt;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!cotangents[i].valid() || !outputs[i].valid()) continue;
      some_outputs.push_back(outputs[i]);
      some_cotangents.push_back(cotangents[i]);
    }
    for (size_t i = 0; i < sources.size(); ++i) {
      if (args.wanted[i]) wrt.push_back(sources[i]);
    }
    const std::vector<Value> grads = pull_back(stretch, some_outputs, some_cotangents, wrt);
    for (size_t i = 0, next = 0; i < sources.size(); ++i) {
      if (args.wanted[i]) args.grad[i] = grads[next++];
    }
  }

  const Stretch stretch_;
  Graph& graph_;
  const ValueSet wrt_;
  std::vector<bool> active_;  // per node of the stretch
  ValueMap<Value> cotangents_;
  CheckpointRegions regions_;
};

}  // namespace

std::vector<Value> pull_back(const Stretch& stretch, const std::vector<Value>& outputs,
                             const std::vector<Value>& cotangents, const std::vector<Value>& wrt) {
  std::vector<Value> sources;
  for (const Value& value : wrt) sources.push_back(stretch.graph->here(value));
  Reverse reverse(stretch, sources);
  for (size_t i = 0; i < outputs.size(); ++i) reverse.add_cotangent(stretch.graph->here(outputs[i]), cotangents[i]);
  reverse.run();
  std::vector<Value> grads;
  for (const Value& value : sources) grads.push_back(reverse.cotangent(value));
  return grads;
}

}  // namespace hearth
