// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth inspect: what the compiler makes of a training step, stage by stage.

#include "cli/flags_command.h"
#include "cli/lora_flags.h"
#include "cli/training_flags.h"

namespace hearth {

struct InspectFlags {
  std::string model, plan, save_plan;
  std::string stage = "all";
  LoraFlags lora;
  StepFlags step;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("what");
    flag("model", model, "show the training step of this model folder", {.path = PathKind::folder});
    flag("plan", plan, "show this plan file instead", {.path = PathKind::file});
    flag("stage", stage,
         "graph: after simplifying; partition: what runs where and why; programs: fused row programs; memory: the "
         "plan's instructions and where their tensors lie",
         {.allowed = {"all", "graph", "partition", "programs", "memory"}});
    flag("save-plan", save_plan, "write the training step as a plan file", {.path = PathKind::file});
    lora.visit(flag);
    flag.group("training step");
    step.visit(flag);
  }
};

int run_inspect(const InspectFlags& flags, const CommonFlags& common);

}  // namespace hearth
