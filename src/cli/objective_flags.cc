// SPDX-License-Identifier: Apache-2.0
#include "cli/objective_flags.h"

namespace hearth {

Objective make_objective(const ObjectiveFlags& flags, const std::set<std::string>& given) {
  const bool dpo = flags.objective == "dpo";
  for (const char* name : {"beta", "dpo-loss", "dpo-label-smoothing"})
    if (!dpo && given.count(name)) throw UsageError(cat("--", name, " belongs to --objective dpo"));
  for (const char* name : {"loss-on", "packing"})
    if (dpo && given.count(name))
      throw UsageError(cat("--", name, " does not go with --objective dpo, which compares whole answers row by row"));
  if (!dpo) return {};
  if (flags.dpo_label_smoothing > 0 && flags.dpo_loss != "sigmoid")
    throw UsageError(cat("--dpo-label-smoothing belongs to --dpo-loss sigmoid, not ", flags.dpo_loss));
  Objective objective{.kind = Objective::Kind::preference};
  objective.preference.beta = flags.beta;
  objective.preference.label_smoothing = flags.dpo_label_smoothing;
  objective.preference.loss = flags.dpo_loss == "ipo"     ? PreferenceLoss::ipo
                              : flags.dpo_loss == "hinge" ? PreferenceLoss::hinge
                                                          : PreferenceLoss::sigmoid;
  return objective;
}

}  // namespace hearth
