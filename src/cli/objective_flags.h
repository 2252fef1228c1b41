// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags that say what finetune makes smaller.

#include <set>

#include "cli/flags.h"
#include "train/objective.h"

namespace hearth {

struct ObjectiveFlags {
  std::string objective = "next-token", dpo_loss = "sigmoid";
  double beta = 0.1, dpo_label_smoothing = 0, teacher_temperature = 1, teacher_weight = 0.5;
  std::string teacher;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("objective");
    flag("objective", objective, "next-token, or dpo: learn from pairs of answers which one is better",
         {.allowed = {"next-token", "dpo"}});
    flag("beta", beta, "dpo: how strongly the model is held to what it was before", {.maximum = 1e6, .above = 0});
    flag("dpo-loss", dpo_loss, "dpo: loss of a pair", {.allowed = {"sigmoid", "ipo", "hinge"}});
    flag("dpo-label-smoothing", dpo_label_smoothing, "dpo: share of pairs that are taken to be the wrong way round",
         {.minimum = 0, .maximum = 0.499});
    flag("teacher", teacher, "folder of a larger model with the same tokens: learn to predict what it predicts",
         {.path = PathKind::folder, .default_text = "none"});
    flag("teacher-temperature", teacher_temperature, "softens teacher and model alike before they are compared",
         {.maximum = 1e4, .above = 0});
    flag("teacher-weight", teacher_weight, "share of the teacher in the loss; the rest is the text's",
         {.minimum = 0, .maximum = 1});
  }
};

// The teacher is not set. Throws UsageError for flags that belong to another objective. given: names of the flags that
// the user set.
Objective make_objective(const ObjectiveFlags& flags, const std::set<std::string>& given);

}  // namespace hearth
