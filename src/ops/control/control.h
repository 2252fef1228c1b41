// SPDX-License-Identifier: Apache-2.0
#pragma once
// Control flow. Functions given here are called once, to write a graph (a body) from values; a value of the surrounding
// graph that they use is captured. Throw Error{shape}, {dtype} or {value} that name the value when a body does not give
// what the operation needs.
//
//   while_loop   state = init; while (cond(state)) state = body(state). Types of the state never change.
//                No reverse derivative: how often it runs is not known; forward derivatives and vmap work.
//   cond         pred ? on_true() : on_false(); only one of them runs.
//   switch_case  branches[index](); an index that is none takes the last.
//   scan         for i in 0..length: (carry, y_i) = body(carry, x_i); gives the last carry and all y stacked along a
//                new first axis. Derivatives of both directions; the reverse one keeps the carry of every step and
//                computes the rest of the step again.
//   map          f of every x_i, stacked: scan without a carry.

#include <functional>

#include "ir/graph.h"

namespace hearth {

Values while_loop(const std::function<Value(const Values&)>& cond, const std::function<Values(const Values&)>& body,
                  const Values& init);
// state = body(i, state) for i (an i32 scalar) in [start, stop). Has derivatives of both directions.
Values fori_loop(int64_t start, int64_t stop, const std::function<Values(const Value& i, const Values&)>& body,
                 const Values& init);

Values cond(const Value& pred, const std::function<Values()>& on_true, const std::function<Values()>& on_false);
Values switch_case(const Value& index, const std::vector<std::function<Values()>>& branches);

struct ScanResult {
  Values carry, ys;
};
struct ScanOptions {
  int64_t length = -1;   // needed when there are no xs
  bool reverse = false;  // from the last x to the first; ys[i] still belongs to xs[i]
};
using ScanBody = std::function<ScanResult(const Values& carry, const Values& x)>;
ScanResult scan(Graph& graph, const ScanBody& body, const Values& init, const Values& xs, ScanOptions options = {});

Values map(const std::function<Values(const Values&)>& f, const Values& xs);

// Nodes from finished bodies, for rules: inputs as the operation's contract in control.cc says.
struct Body {
  std::shared_ptr<const Graph> graph;
  Values captured;  // read by the last inputs of the graph
};
// Traces f with inputs of these types; `outer` is the graph around it.
Body trace_body(Graph& outer, const std::vector<TensorType>& types, const std::function<Values(const Values&)>& f);
Values while_node(Graph& graph, const Body& cond, const Body& body, const Values& init);
Values case_node(Graph& graph, const Value& index, const std::vector<Body>& branches);
// Outputs: carry..., ys...
Values scan_node(Graph& graph, const Body& body, const Values& init, const Values& xs, ScanOptions options);

}  // namespace hearth
