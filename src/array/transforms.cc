// SPDX-License-Identifier: Apache-2.0
#include "array/transforms.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "ir/op.h"
#include "ops/barrier/barrier.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {
namespace {

class Reverse {
 public:
  Reverse(Graph& graph, const std::vector<Value>& wrt)
      : graph_(graph), size_(graph.size()), active_(size_t(size_), false), is_wrt_(size_t(size_), false) {
    int32_t first = size_;
    for (const Value& value : wrt) {
      active_[size_t(value.node)] = is_wrt_[size_t(value.node)] = true;
      first = std::min(first, value.node);
    }
    for (int32_t id = first; id < size_; ++id) {
      const Node& node = graph.node(id);
      for (const Value& in : node.inputs) {
        if (active_[size_t(in.node)] && node.op->differentiable) active_[size_t(id)] = true;
      }
    }
  }

  void add_cotangent(const Value& value, const Value& cotangent) {
    const Value to = before_barriers(value);
    Value& sum = cotangents_[{to.node, to.output}];
    sum = sum.valid() ? sum + cotangent : cotangent;
  }

  Value cotangent(const Value& value) const {
    const auto found = cotangents_.find({value.node, value.output});
    return found == cotangents_.end() ? Value{} : found->second;
  }

  void run() {
    for (int32_t id = size_ - 1; id >= 0; --id) {
      if (active_[size_t(id)] && !graph_.node(id).inputs.empty()) differentiate(id);
    }
  }

 private:
  // A barrier is the identity: cotangents go to what stands before it, and so are summed in the same order as without
  // it. That is why a checkpoint changes no bit.
  Value before_barriers(Value value) const {
    while (graph_.node(value).op->name == "optimization_barrier" && !is_wrt_[size_t(value.node)])
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
    if (node.checkpoint) recompute(node.checkpoint);
    Scope scope("grad " + node.scope);
    VjpArgs args{graph_, node.attrs, {}, {}, cotangent_of_out, {}, {}, false, node.bodies};
    bool wanted = false;
    for (const Value& in : node.inputs) {
      args.in.push_back(recomputed(in, node.checkpoint));
      args.wanted.push_back(active_[size_t(in.node)] && is_float(in.dtype()));
      wanted = wanted || args.wanted.back();
    }
    if (!wanted) return;
    for (const Value& value : out) args.out.push_back(recomputed(value, node.checkpoint));
    args.grad.resize(args.in.size());
    if (node.op->vjp) node.op->vjp(args);
    if (!node.op->vjp || args.use_decomposition) through_decomposition(node, args);
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (args.wanted[i] && args.grad[i].valid()) add_cotangent(node.inputs[i], args.grad[i]);
    }
  }

  static void through_decomposition(const Node& node, VjpArgs& args) {
    HEARTH_CHECK(node.op->is_composite(), unsupported, node.op->name, ": has no derivative");
    const std::vector<Value> outputs = node.op->decomposed(args.graph, node, args.in);
    std::vector<Value> some_outputs, some_cotangents, wrt;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!args.cotangent[i].valid()) continue;
      some_outputs.push_back(outputs[i]);
      some_cotangents.push_back(args.cotangent[i]);
    }
    for (size_t i = 0; i < args.in.size(); ++i) {
      if (args.wanted[i]) wrt.push_back(args.in[i]);
    }
    const std::vector<Value> grads = vjp(some_outputs, some_cotangents, wrt);
    for (size_t i = 0, next = 0; i < args.in.size(); ++i) {
      if (args.wanted[i]) args.grad[i] = grads[next++];
    }
  }

  // Builds the second computation of a checkpoint region, once, when the backward pass first enters it. It reads the
  // region's inputs through a barrier that the incoming cotangents enter too, so it cannot start before they exist, and
  // no pass can merge it with the first.
  void recompute(int32_t region) {
    auto [entry, fresh] = copies_.try_emplace(region);
    if (!fresh) return;
    std::map<std::pair<int32_t, int32_t>, Value>& copy = entry->second;
    std::vector<int32_t> members;
    std::vector<Value> outside, through;
    for (int32_t id = 0; id < size_; ++id) {
      if (graph_.node(id).checkpoint != region) continue;
      members.push_back(id);
      for (const Value& in : graph_.node(id).inputs) {
        const Node& source = graph_.node(in);
        const bool argument = graph_.node(id).op->name == "optimization_barrier";
        const bool kept = (source.op->name == "input" && !argument) || source.op->row_kind == RowKind::constant;
        if (source.checkpoint != region && !kept && copy.try_emplace({in.node, in.output}).second)
          outside.push_back(in);
      }
    }
    through = outside;
    for (int32_t id : members) {
      for (size_t i = 0; i < graph_.node(id).types.size(); ++i) {
        const Value arriving = cotangent({&graph_, id, int32_t(i)});
        if (arriving.valid()) through.push_back(arriving);
      }
    }
    if (!outside.empty()) {
      const std::vector<Value> passed = optimization_barrier(through);
      for (size_t i = 0; i < outside.size(); ++i) copy[{outside[i].node, outside[i].output}] = passed[i];
    }
    for (int32_t id : members) {
      Node again = graph_.node(id);
      again.checkpoint = 0;
      again.scope = "again " + again.scope;
      for (Value& in : again.inputs) in = lookup(copy, in);
      const std::vector<Value> values = graph_.add_node(again);
      for (size_t i = 0; i < values.size(); ++i) copy[{id, int32_t(i)}] = values[i];
    }
  }

  static Value lookup(const std::map<std::pair<int32_t, int32_t>, Value>& copy, const Value& value) {
    const auto found = copy.find({value.node, value.output});
    return found == copy.end() ? value : found->second;
  }
  Value recomputed(const Value& value, int32_t region) const {
    return region == 0 ? value : lookup(copies_.at(region), value);
  }

  Graph& graph_;
  const int32_t size_;  // nodes there were before the derivative
  std::vector<bool> active_, is_wrt_;
  std::map<std::pair<int32_t, int32_t>, Value> cotangents_;
  std::map<int32_t, std::map<std::pair<int32_t, int32_t>, Value>> copies_;  // per checkpoint region
};

}  // namespace

std::vector<Value> vjp(const std::vector<Value>& outputs, const std::vector<Value>& cotangents,
                       const std::vector<Value>& wrt) {
  if (outputs.empty() || wrt.empty()) {
    std::vector<Value> zeros;
    for (const Value& value : wrt) zeros.push_back(scalar_like(value, 0));
    return zeros;
  }
  Graph& graph = *outputs[0].graph;
  HEARTH_CHECK(outputs.size() == cotangents.size(), value, "vjp: ", outputs.size(), " outputs, ", cotangents.size(),
               " cotangents");
  for (size_t i = 0; i < outputs.size(); ++i) {
    HEARTH_CHECK(outputs[i].type() == cotangents[i].type(), shape, "vjp: cotangent ", i, " is ", cotangents[i].type(),
                 ", the output is ", outputs[i].type());
  }
  const int32_t region = graph.checkpoint_region;
  graph.checkpoint_region = 0;
  Reverse reverse(graph, wrt);
  for (size_t i = 0; i < outputs.size(); ++i) reverse.add_cotangent(outputs[i], cotangents[i]);
  reverse.run();
  graph.checkpoint_region = region;
  std::vector<Value> grads;
  for (const Value& value : wrt) {
    const Value sum = reverse.cotangent(value);
    grads.push_back(sum.valid() ? sum : scalar_like(value, 0));
  }
  return grads;
}

std::vector<Value> gradients(const Value& scalar, const std::vector<Value>& wrt) {
  HEARTH_CHECK(scalar.rank() == 0 && is_float(scalar.dtype()), shape, "grad: needs a float scalar; it is ", scalar);
  return vjp({scalar}, {constant(*scalar.graph, 1, scalar.dtype())}, wrt);
}

Function value_and_grad(Function f, std::vector<size_t> argnums) {
  return [f = std::move(f), argnums = std::move(argnums)](const std::vector<Value>& arguments) {
    std::vector<Value> results = f(arguments), wrt;
    HEARTH_CHECK(!results.empty(), value, "grad: the function returns nothing");
    for (size_t i : argnums) {
      HEARTH_CHECK(i < arguments.size(), value, "grad: argument ", i, " does not exist; there are ", arguments.size());
      wrt.push_back(arguments[i]);
    }
    for (const Value& g : gradients(results[0], wrt)) results.push_back(g);
    return results;
  };
}

Function grad(Function f, std::vector<size_t> argnums) {
  const size_t count = argnums.size();
  return [inner = value_and_grad(std::move(f), std::move(argnums)), count](const std::vector<Value>& arguments) {
    std::vector<Value> results = inner(arguments);
    return std::vector<Value>(results.end() - long(count), results.end());
  };
}

// Graph inputs enter a region through a barrier, so that the second computation is not taken for the first. Those that
// f reads without being called with them, as models do with their weights, are read as they lie.
static std::vector<Value> behind_barrier(Graph& graph, std::vector<Value> arguments) {
  std::vector<Value> inputs;
  for (const Value& value : arguments) {
    if (graph.node(value).op->name == "input") inputs.push_back(value);
  }
  if (inputs.empty()) return arguments;
  const std::vector<Value> passed = optimization_barrier(inputs);
  size_t next = 0;
  for (Value& value : arguments) {
    if (graph.node(value).op->name == "input") value = passed[next++];
  }
  return arguments;
}

Function checkpoint(Function f) {
  return [f = std::move(f)](const std::vector<Value>& arguments) {
    HEARTH_CHECK(!arguments.empty(), value, "checkpoint: the function needs an argument");
    Graph& graph = *arguments[0].graph;
    const int32_t outer = graph.checkpoint_region;
    if (outer != 0) return f(arguments);  // inside another region: recomputed with it
    graph.checkpoint_region = ++graph.checkpoint_regions;
    std::vector<Value> results = f(behind_barrier(graph, arguments));
    graph.checkpoint_region = outer;
    return results;
  };
}

}  // namespace hearth
