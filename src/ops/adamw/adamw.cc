// SPDX-License-Identifier: Apache-2.0
#include "ops/adamw/adamw.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {

AdamWState adamw(const AdamWState& state, const Value& gradient, const Value& learning_rate, const Value& correction1,
                 const Value& correction2, const AdamWOptions& options) {
  const std::vector<Value> out = gradient.graph->add_all(
      "adamw", {state.parameter, gradient, state.m, state.v, learning_rate, correction1, correction2},
      {{"beta1", options.beta1},
       {"beta2", options.beta2},
       {"eps", options.eps},
       {"weight_decay", options.weight_decay}});
  return {out[0], out[1], out[2]};
}

static std::vector<TensorType> infer(const InferArgs& args) {
  const TensorType& p = args.in[0].type();
  for (size_t i = 1; i < 4; ++i) {
    HEARTH_CHECK(args.in[i].type() == p, shape,
                 "adamw: gradient and states must be like the parameter\n  parameter is ", args.in[0], "\n  input ", i,
                 " is ", args.in[i]);
  }
  for (size_t i = 4; i < 7; ++i) {
    HEARTH_CHECK(args.in[i].rank() == 0 && args.in[i].dtype() == p.dtype, shape, "adamw: input ", i,
                 " must be a scalar; it is ", args.in[i]);
  }
  return {p, p, p};
}

static std::vector<Value> decompose(Graph&, const std::vector<Value>& in, const Attrs& attrs) {
  const Value &p = in[0], &g = in[1], &rate = in[4], &correction1 = in[5], &correction2 = in[6];
  const double beta1 = attrs.real("beta1"), beta2 = attrs.real("beta2"), decay = attrs.real("weight_decay");
  const Value m = in[2] * beta1 + g * (1 - beta1);
  const Value v = in[3] * beta2 + g * g * (1 - beta2);
  const Value step = rate / correction1 * m / (sqrt(v) / sqrt(correction2) + attrs.real("eps"));
  const Value shrunk = decay == 0 ? p : p * (1.0 - rate * decay);
  return {shrunk - step, m, v};
}

// The states and the gradient of all examples at once, where these share the learning rate and the corrections.
static void batch(BatchArgs& b) {
  for (size_t i = 4; i < 7; ++i) {
    if (b.batched[i]) return batch_decomposition(b);
  }
  std::vector<Value> in = b.in;
  for (size_t i = 0; i < 4; ++i) in[i] = b.with_batch(i);
  b.out = b.graph.add_all("adamw", in, b.node.attrs);
}

std::vector<OpInfo> adamw_ops() {
  return {{.name = "adamw", .doc = "one AdamW step", .infer = infer, .decompose = decompose, .batch = batch}};
}

}  // namespace hearth
