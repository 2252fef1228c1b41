// SPDX-License-Identifier: Apache-2.0
#pragma once
// What updates the trained tensors: --optimizer and each one's parameters.

#include "cli/flags.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

struct OptimizerFlags {
  std::string optimizer = "adamw";
  std::vector<std::string> args;
  double weight_decay = 0;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("optimizer", optimizer, "what makes steps of gradients", {.allowed = optimizer_names(), .value_name = "NAME"});
    flag("optimizer-args", args, "the optimizer's parameters, by their names in PyTorch and transformers",
         {.value_name = "NAME=VALUE"});
    flag("weight-decay", weight_decay, "pull towards 0 of all but biases and norms", {.minimum = 0});
  }
};

// Throws UsageError for a parameter that the optimizer does not have, or a value out of its range.
OptimizerOptions optimizer_options(const OptimizerFlags& flags);

}  // namespace hearth
