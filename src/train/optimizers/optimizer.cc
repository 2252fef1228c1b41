// SPDX-License-Identifier: Apache-2.0
#include "train/optimizers/optimizer.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ops/adamw/adamw.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {

const std::vector<std::string>& optimizer_names() {
  static const std::vector<std::string> names = {"adamw", "sgd", "adafactor", "lion", "muon", "adamw_8bit"};
  return names;
}

OptimizerKind optimizer_kind(const std::string& name) {
  const std::vector<std::string>& names = optimizer_names();
  const auto found = std::find(names.begin(), names.end(), name);
  HEARTH_CHECK(found != names.end(), value, "optimizer: there is no '", name, "'");
  return OptimizerKind(found - names.begin());
}

OptimizerOptions OptimizerOptions::of(OptimizerKind kind) {
  OptimizerOptions o{.kind = kind};
  if (kind == OptimizerKind::lion) o.beta2 = 0.99;
  if (kind == OptimizerKind::muon) {
    o.momentum = 0.95;
    o.nesterov = true;
  }
  return o;
}

// What really updates a tensor: muon and adamw_8bit leave some to adamw.
static OptimizerKind kind_for(const OptimizerOptions& o, const TrainedTensor& tensor) {
  const bool to_adamw = (o.kind == OptimizerKind::muon && !(tensor.hidden_matrix && tensor.dims.size() == 2)) ||
                        (o.kind == OptimizerKind::adamw_8bit && tensor.size() < o.min_8bit_size);
  return to_adamw ? OptimizerKind::adamw : o.kind;
}

std::vector<StateSpec> optimizer_states(const OptimizerOptions& o, const TrainedTensor& tensor) {
  const TensorType like{DType::f32, tensor.dims};
  switch (kind_for(o, tensor)) {
    case OptimizerKind::adamw: return {{"m", like}, {"v", like}};
    case OptimizerKind::sgd: return o.momentum == 0 ? std::vector<StateSpec>{} : std::vector<StateSpec>{{"m", like}};
    case OptimizerKind::adafactor: return adafactor_states(o, tensor);
    case OptimizerKind::lion:
    case OptimizerKind::muon: return {{"m", like}};
    case OptimizerKind::adamw_8bit: return adamw_8bit_states(tensor);
  }
  return {};
}

std::array<double, 2> step_numbers(const OptimizerOptions& o, int64_t step) {
  if (o.kind == OptimizerKind::sgd) return {step == 1 ? 1 : 1 - o.dampening, 0};
  if (o.kind == OptimizerKind::adafactor) return {std::pow(double(step), o.decay_rate), 0};
  return {1 - std::pow(o.beta1, double(step)), 1 - std::pow(o.beta2, double(step))};
}

Update optimizer_update(const UpdateArgs& args) {
  switch (kind_for(args.options, args.tensor)) {
    case OptimizerKind::adamw: return adamw_update(args);
    case OptimizerKind::sgd: return sgd_update(args);
    case OptimizerKind::adafactor: return adafactor_update(args);
    case OptimizerKind::lion: return lion_update(args);
    case OptimizerKind::muon: return muon_update(args);
    case OptimizerKind::adamw_8bit: return adamw_8bit_update(args);
  }
  return {};
}

Value decayed(const UpdateArgs& args) {
  return args.decay() == 0 ? args.parameter : args.parameter * (1.0 - args.rate * args.decay());
}

Update adamw_update(const UpdateArgs& args) {
  const OptimizerOptions& o = args.options;
  const AdamWState next = adamw({args.parameter, args.states[0], args.states[1]}, args.gradient, args.rate, args.first,
                                args.second, {o.beta1, o.beta2, o.eps, args.decay()});
  return {next.parameter, {next.m, next.v}};
}

}  // namespace hearth
