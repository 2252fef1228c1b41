// SPDX-License-Identifier: Apache-2.0
// sgd and lion: one state at most, element by element.
#include "ops/elementwise/elementwise.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

//   g' = g + wd p,  m' = momentum m + (1 - dampening) g' (the first: g'),  p' = p - lr m'   [nesterov: g' + momentum
//   m']
Update sgd_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const Value g = args.decay() == 0 ? args.gradient : args.gradient + args.parameter * args.decay();
  if (o.momentum == 0) return {args.parameter - args.rate * g, {}};
  const Value m = args.states[0] * o.momentum + (o.dampening == 0 ? g : g * args.first);
  const Value step = o.nesterov ? g + m * o.momentum : m;
  return {args.parameter - args.rate * step, {m}};
}

//   p' = p (1 - lr wd) - lr sign(beta1 m + (1 - beta1) g),  m' = beta2 m + (1 - beta2) g
Update lion_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const Value &m = args.states[0], &g = args.gradient;
  const Value step = sign(m * o.beta1 + g * (1 - o.beta1));
  return {decayed(args) - args.rate * step, {m * o.beta2 + g * (1 - o.beta2)}};
}

}  // namespace hearth
