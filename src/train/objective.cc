// SPDX-License-Identifier: Apache-2.0
#include "train/objective.h"

#include <cmath>

#include "base/error.h"
#include "train/batches.h"

namespace hearth {

std::vector<std::string> Objective::metrics() const {
  if (!prefers()) return {};
  return {"rewards/accuracies", "rewards/margins", "rewards/chosen",
          "rewards/rejected",   "logps/chosen",    "logps/rejected"};
}

int64_t Objective::counted(const Batch& batch) const {
  return prefers() ? int64_t(batch.rows.size()) / 2 : batch.counted;
}

void Objective::check(const TokenBlocks& data) const {
  HEARTH_CHECK(prefers() == (data.together == 2), value,
               prefers() ? "preference tuning needs pairs of answers; the data has none"
                         : "pairs of answers need preference tuning\n  hint: --objective dpo");
  if (!prefers()) return;
  HEARTH_CHECK(!data.packed(), value, "pairs of answers cannot share rows\n  hint: leave out --packing");
  const PreferenceOptions& p = preference;
  HEARTH_CHECK(std::isfinite(p.beta) && p.beta > 0, value, "beta must be above 0; it is ", p.beta);
  HEARTH_CHECK(p.label_smoothing >= 0 && p.label_smoothing < 0.5, value,
               "label smoothing of preferences must be in [0, 0.5); it is ", p.label_smoothing);
  HEARTH_CHECK(p.label_smoothing == 0 || p.loss == PreferenceLoss::sigmoid, value,
               "label smoothing of preferences belongs to the sigmoid loss");
}

}  // namespace hearth
