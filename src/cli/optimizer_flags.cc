// SPDX-License-Identifier: Apache-2.0
#include "cli/optimizer_flags.h"

#include "cli/named_values.h"

namespace hearth {

static void declare_beta(FlagTable& flag, const char* name, double& beta) {
  flag(name, beta, "of a running mean", {.minimum = 0, .maximum = 0.999999});
}

static void declare_adamw(FlagTable& flag, OptimizerOptions& o) {
  declare_beta(flag, "beta1", o.beta1);
  declare_beta(flag, "beta2", o.beta2);
  flag("eps", o.eps, "added to the root of the second moment", {.minimum = 0});
}

static void declare_momentum(FlagTable& flag, OptimizerOptions& o) {
  flag("momentum", o.momentum, "of the running sum of gradients", {.minimum = 0, .maximum = 0.999999});
  flag("nesterov", o.nesterov, "the gradient counts once more");
}

OptimizerOptions optimizer_options(const OptimizerFlags& flags) {
  OptimizerOptions o = OptimizerOptions::of(optimizer_kind(flags.optimizer));
  FlagTable flag;
  switch (o.kind) {
    case OptimizerKind::adamw: declare_adamw(flag, o); break;
    case OptimizerKind::adamw_8bit:
      declare_adamw(flag, o);
      flag("min_8bit_size", o.min_8bit_size, "smaller tensors keep f32 states", {.minimum = 0});
      break;
    case OptimizerKind::sgd:
      declare_momentum(flag, o);
      flag("dampening", o.dampening, "of the gradient in the running sum", {.minimum = 0, .maximum = 1});
      break;
    case OptimizerKind::lion:
      declare_beta(flag, "beta1", o.beta1);
      declare_beta(flag, "beta2", o.beta2);
      break;
    case OptimizerKind::muon:
      declare_momentum(flag, o);
      declare_adamw(flag, o);
      flag("ns_steps", o.ns_steps, "of the orthogonalisation", {.minimum = 1, .maximum = 99});
      flag("adjust_lr_fn", o.adjust_lr, "how the rate goes by a matrix's form",
           {.allowed = {"original", "match_rms_adamw"}});
      break;
    case OptimizerKind::adafactor:
      flag("decay_rate", o.decay_rate, "power of the step in 1 - beta2", {.minimum = -10, .maximum = -0.000001});
      flag("eps1", o.square_eps, "added to the square of the gradient", {.above = 0});
      flag("eps2", o.scale_eps, "least size of a tensor", {.minimum = 0});
      flag("clip_threshold", o.clip_threshold, "largest size of a step", {.above = 0});
      flag("scale_parameter", o.scale_parameter, "steps relative to the tensor's size");
      declare_beta(flag, "beta1", o.first_moment);
      break;
  }
  set_named_values(flag, flags.args, "optimizer-args", flags.optimizer);
  o.weight_decay = flags.weight_decay;
  const bool plain = o.momentum > 0 && o.dampening == 0;
  if (o.kind == OptimizerKind::sgd && o.nesterov && !plain)
    throw UsageError("--optimizer-args: nesterov needs a momentum and no dampening");
  return o;
}

}  // namespace hearth
