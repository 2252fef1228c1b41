// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags that say when a run is evaluated, when it ends and what of it is kept.

#include "cli/flags.h"
#include "train/run_control.h"

namespace hearth {

struct ControlFlags {
  int64_t eval_every = 0, early_stop_patience = 0;
  double early_stop_threshold = 0;
  bool keep_best = false;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("evaluation (--eval-data)");
    flag("eval-every", eval_every, "steps between evaluations",
         {.minimum = 0, .maximum = 1e12, .default_text = "0 = after each epoch"});
    flag("early-stop-patience", early_stop_patience,
         "end after so many evaluations in a row without a lower loss than the best",
         {.minimum = 0, .maximum = 1e12, .default_text = "0 = never"});
    flag("early-stop-threshold", early_stop_threshold, "a lower loss counts when it is lower by more than this",
         {.minimum = 0});
    flag("keep-best", keep_best, "save what had the lowest loss, not the last; its checkpoint is kept, too");
  }
};

inline RunControlOptions control_options(const ControlFlags& flags) {
  return {.eval_every = flags.eval_every,
          .early_stop_patience = flags.early_stop_patience,
          .early_stop_threshold = flags.early_stop_threshold,
          .keep_best = flags.keep_best};
}

// Throws UsageError for a flag without --eval-data that needs it.
inline void check_control(const ControlFlags& flags, const std::string& eval_data) {
  const char* name = flags.early_stop_patience > 0 ? "early-stop-patience"
                     : flags.keep_best             ? "keep-best"
                     : flags.eval_every > 0        ? "eval-every"
                                                   : nullptr;
  if (name && eval_data.empty()) throw UsageError(cat("--", name, " needs --eval-data"));
  if (flags.early_stop_threshold > 0 && flags.early_stop_patience == 0)
    throw UsageError("--early-stop-threshold needs --early-stop-patience");
}

}  // namespace hearth
