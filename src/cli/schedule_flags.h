// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the learning rate goes: --schedule with the names of transformers, and each one's parameters.

#include "cli/flags.h"
#include "train/schedule.h"

namespace hearth {

struct ScheduleFlags {
  double lr = 2e-4, warmup_steps = 0;
  std::string schedule = "linear";
  std::vector<std::string> args;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("lr", lr, "largest learning rate", {.maximum = 1e6, .above = 0});
    flag("schedule", schedule, "how the learning rate goes, by transformers' names",
         {.allowed = schedule_names(), .value_name = "NAME"});
    flag("schedule-args", args, "the schedule's parameters, by their names in transformers",
         {.value_name = "NAME=VALUE"});
    flag("warmup-steps", warmup_steps, "steps in which the learning rate rises from 0; below 1: their share of all",
         {.minimum = 0});
  }
};

// Throws UsageError for a parameter that the schedule does not have, or a value out of its range.
ScheduleOptions schedule_options(const ScheduleFlags& flags);

}  // namespace hearth
