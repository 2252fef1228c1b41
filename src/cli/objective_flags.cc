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
  for (const char* name : {"label-smoothing", "z-loss"}) {
    if (dpo && given.count(name))
      throw UsageError(cat("--", name, " does not go with --objective dpo, whose loss is of pairs",
                           name == std::string("z-loss") ? "" : "; --dpo-label-smoothing smooths those"));
    if (!flags.teacher.empty() && given.count(name))
      throw UsageError(cat("--", name, " does not go with --teacher, which smooths the labels already"));
  }
  for (const char* name : {"teacher-temperature", "teacher-weight"})
    if (flags.teacher.empty() && given.count(name)) throw UsageError(cat("--", name, " belongs to --teacher"));
  if (dpo && !flags.teacher.empty()) throw UsageError("--teacher does not go with --objective dpo; choose one");
  if (!flags.teacher.empty())
    return {.kind = Objective::Kind::distillation,
            .preference = {},
            .distillation = {flags.teacher_temperature, flags.teacher_weight}};
  if (!dpo) return {};
  if (flags.dpo_label_smoothing > 0 && flags.dpo_loss != "sigmoid")
    throw UsageError(cat("--dpo-label-smoothing belongs to --dpo-loss sigmoid, not ", flags.dpo_loss));
  Objective objective;
  objective.kind = Objective::Kind::preference;
  objective.preference.beta = flags.beta;
  objective.preference.label_smoothing = flags.dpo_label_smoothing;
  objective.preference.loss = flags.dpo_loss == "ipo"     ? PreferenceLoss::ipo
                              : flags.dpo_loss == "hinge" ? PreferenceLoss::hinge
                                                          : PreferenceLoss::sigmoid;
  return objective;
}

}  // namespace hearth
