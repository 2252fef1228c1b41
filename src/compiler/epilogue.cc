// SPDX-License-Identifier: Apache-2.0
// Joins a matmul with the additions that follow it: a second, low-rank product (LoRA's update) becomes a few more K
// steps of the same tiles, and a residual or another product's result is added while a tile is in registers. Saves one
// pass over C for each. Sums stay in f32 until the one rounding at the end, so 16-bit results are at least as exact as
// step by step.
#include <algorithm>

#include "base/error.h"
#include "compiler/passes.h"
#include "ops/matmul/matmul_rule.h"

namespace hearth {
namespace {

// A second product this thin is worth more K steps; a thicker one gets a matmul of its own.
constexpr int64_t kLowRank = 256;

struct Product {
  Value a, b;  // in the new graph
  Dims a_contract, b_contract;
  int64_t k = 1;
  double scale = 1;
};

// What a node of the old graph amounts to: products and an addend that a later addition may take over.
struct Chain {
  std::vector<Product> products;
  Value addend;
};

class Joiner {
 public:
  Joiner(const Graph& graph, const Backends& backends)
      : graph_(graph), backends_(backends), rewriter_(graph), uses_(size_t(graph.size()), 0) {
    const std::vector<bool> live = live_nodes(graph);
    for (int32_t id = 0; id < graph.size(); ++id) {
      if (!live[size_t(id)]) continue;
      for (const Value& in : graph.node(id).inputs) ++uses_[size_t(in.node)];
    }
    for (const GraphOutput& output : graph.outputs()) uses_[size_t(output.value.node)] += 2;  // must exist by itself
  }

  std::unique_ptr<Graph> run() {
    for (int32_t id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_.node(id);
      if (node.op->name == "input") continue;
      if (node.op->name == "add" && join(id, node)) continue;
      rewriter_.copy(id);
      remember(id, node);
    }
    rewriter_.finish();
    return rewriter_.take();
  }

 private:
  void remember(int32_t id, const Node& node) {
    if (node.op->name == "dot_general" && takes_more(node.types[0].dtype) && node.attrs.list("lhs_batch").empty() &&
        backends_[0]->refuse(graph_, node).empty() && backends_[0]->kernel(node) == "matmul") {
      Product p{rewriter_(node.inputs[0]), rewriter_(node.inputs[1]), node.attrs.list("lhs_contract"),
                node.attrs.list("rhs_contract")};
      for (int64_t axis : p.a_contract) p.k *= node.inputs[0].dim(axis);
      chains_[id] = {{p}, {}};
    }
    if (node.op->name != "multiply") return;
    for (size_t i = 0; i < 2; ++i) {  // a product times a number
      double number = 0;
      const Chain* chain = chain_of(node.inputs[i]);
      if (!chain || chain->products.size() != 1 || chain->addend.valid() || !splat(node.inputs[1 - i], &number))
        continue;
      Chain scaled = *chain;
      scaled.products[0].scale *= number;
      chains_[id] = scaled;
      return;
    }
  }

  // What the kernel can add to a product in the same pass.
  static bool takes_more(DType t) { return is_float(t) && t != DType::f64; }

  const Chain* chain_of(const Value& old) const {
    const auto found = chains_.find(old.node);
    return found == chains_.end() || uses_[size_t(old.node)] != 1 ? nullptr : &found->second;
  }

  static bool splat(Value value, double* number) {
    for (;;) {
      const Node& node = value.graph->node(value);
      if (node.op->name == "broadcast_in_dim" || node.op->name == "reshape") {
        value = node.inputs[0];
      } else {
        if (node.op->name != "constant" || !node.attrs.has("value")) return false;
        *number = node.attrs.real("value");
        return true;
      }
    }
  }

  // Additions of something that is stored anyway: not of a broadcast bias, which would have to be written out first.
  static bool stored(const Value& old) {
    const Node& node = old.graph->node(old);
    return node.op->row_kind != RowKind::view && node.op->row_kind != RowKind::constant;
  }

  bool join(int32_t id, const Node& node) {
    const Chain *x = chain_of(node.inputs[0]), *y = chain_of(node.inputs[1]);
    Chain joined;
    if (x && y && takes_low_rank(*x, *y)) {
      joined = with_low_rank(*x, *y);
    } else if (x && y && takes_low_rank(*y, *x)) {
      joined = with_low_rank(*y, *x);
    } else if (x && takes_addend(*x) && stored(node.inputs[1])) {
      joined = {x->products, rewriter_(node.inputs[1])};
    } else if (y && takes_addend(*y) && stored(node.inputs[0])) {
      joined = {y->products, rewriter_(node.inputs[0])};
    } else {
      return false;
    }
    rewriter_.replace(id, rewriter_.to().add_node(make_node(joined, node)));
    chains_[id] = joined;
    return true;
  }

  static bool takes_low_rank(const Chain& base, const Chain& update) {
    return base.products.size() == 1 && base.products[0].scale == 1 && update.products.size() == 1 &&
           !update.addend.valid() && update.products[0].k <= kLowRank && update.products[0].k < base.products[0].k;
  }
  static Chain with_low_rank(const Chain& base, const Chain& update) {
    return {{base.products[0], update.products[0]}, base.addend};
  }
  static bool takes_addend(const Chain& chain) { return !chain.addend.valid() && chain.products[0].scale == 1; }

  Node make_node(const Chain& chain, const Node& like) const {
    Attrs attrs{{"dtype", int64_t(like.types[0].dtype)}, {"shape", like.types[0].dims}};
    Node node{.op = &find_op("matmul_epilogue")};
    for (size_t i = 0; i < chain.products.size(); ++i) {
      const Product& p = chain.products[i];
      node.inputs.push_back(p.a);
      node.inputs.push_back(p.b);
      attrs.set(i ? "a2_contract" : "a_contract", p.a_contract).set(i ? "b2_contract" : "b_contract", p.b_contract);
      if (i) attrs.set("scale2", p.scale);
    }
    if (chain.addend.valid()) {
      node.inputs.push_back(chain.addend);
      attrs.set("addend", int64_t(1));
    }
    node.attrs = std::move(attrs);
    node.types = like.types;
    node.scope = like.scope;
    return node;
  }

  const Graph& graph_;
  const Backends& backends_;
  Rewriter rewriter_;
  std::vector<int32_t> uses_;
  std::map<int32_t, Chain> chains_;  // by node of the old graph
};

}  // namespace

std::unique_ptr<Graph> join_epilogues(const Graph& graph, const Backends& backends) {
  return Joiner(graph, backends).run();
}

}  // namespace hearth
