// SPDX-License-Identifier: Apache-2.0
#include "ir/rules.h"

#include "ir/batch.h"
#include "ir/derivative.h"

namespace hearth {

Dims with_first(int64_t first, Dims rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

Dims axes_after_batch(Dims axes) {
  for (int64_t& axis : axes) ++axis;
  return axes;
}

static Value reshaped(const Value& x, const Dims& shape) { return x.graph->add("reshape", {x}, {{"shape", shape}}); }

Value fold_batch(const Value& x) {
  Dims shape(x.dims().begin() + 1, x.dims().end());
  shape[0] *= x.dim(0);
  return reshaped(x, shape);
}

Value unfold_batch(const Value& x, int64_t size) {
  Dims shape = with_first(size, x.dims());
  shape[1] = size == 0 ? 0 : shape[1] / size;
  return reshaped(x, shape);
}

void batch_same(BatchArgs& args) {
  std::vector<Value> in;
  for (size_t i = 0; i < args.in.size(); ++i) in.push_back(args.with_batch(i));
  args.out = args.graph.add_all(args.node.op->name, std::move(in), args.node.attrs, args.node.bodies);
}

void batch_decomposition(BatchArgs& args) {
  Graph one(&args.graph);
  std::vector<Value> in;
  std::vector<Batched> inputs;
  for (size_t i = 0; i < args.in.size(); ++i) {
    in.push_back(one.input(std::to_string(i), args.node.inputs[i].type()));
    inputs.push_back({args.in[i], args.batched[i]});
  }
  {
    Tracing tracing(one);
    const std::vector<Value> out = args.node.op->decomposed(one, args.node, in);
    for (size_t i = 0; i < out.size(); ++i) one.output(std::to_string(i), one.here(out[i]));
  }
  for (const Value& value : one.captures()) inputs.push_back({value, false});
  for (const Batched& out : batch_into(args.graph, one, inputs, args.size)) {
    args.out.push_back(out.value);
    args.out_batched.push_back(out.batched);
  }
}

// Example b of a batched value.
static Value example(const Value& x, int64_t b) {
  Dims start(x.dims().size(), 0), limit = x.dims(), ones(x.dims().size(), 1);
  start[0] = b;
  limit[0] = b + 1;
  const Value row = x.graph->add("slice", {x}, {{"start", start}, {"limit", limit}, {"strides", ones}});
  return reshaped(row, {x.dims().begin() + 1, x.dims().end()});
}

void batch_one_by_one(BatchArgs& args) {
  const std::vector<TensorType>& types = args.node.types;
  std::vector<std::vector<Value>> rows(types.size());
  for (int64_t b = 0; b < args.size; ++b) {
    std::vector<Value> in = args.in;
    for (size_t i = 0; i < in.size(); ++i) {
      if (args.batched[i]) in[i] = example(in[i], b);
    }
    const std::vector<Value> out = args.graph.add_all(args.node.op->name, in, args.node.attrs, args.node.bodies);
    for (size_t o = 0; o < out.size(); ++o) rows[o].push_back(reshaped(out[o], with_first(1, out[o].dims())));
  }
  for (size_t o = 0; o < types.size(); ++o) {
    if (args.size == 0) {
      args.out.push_back(zeros(args.graph, {types[o].dtype, with_first(0, types[o].dims)}));
    } else {
      args.out.push_back(args.graph.add("concatenate", rows[o], {{"dimension", int64_t(0)}}));
    }
  }
}

void jvp_linear(JvpArgs& args) {
  std::vector<Value> in = args.in;
  for (size_t i = 0; i < in.size(); ++i) {
    if (args.tangent[i].valid()) {
      in[i] = args.tangent[i];
    } else if (is_inexact(in[i].dtype())) {
      in[i] = zeros_like(in[i]);
    }
  }
  args.out_tangent = args.graph.add_all(args.node.op->name, std::move(in), args.node.attrs, args.node.bodies);
}

}  // namespace hearth
