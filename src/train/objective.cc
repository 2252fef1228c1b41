// SPDX-License-Identifier: Apache-2.0
#include "train/objective.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/nearest.h"
#include "models/language_model.h"
#include "train/batches.h"

namespace hearth {

std::vector<std::string> Objective::metrics() const {
  if (distils()) return {"distillation/kl", "distillation/cross_entropy"};
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
  if (distils()) {
    const DistillationOptions& d = distillation;
    HEARTH_CHECK(std::isfinite(d.temperature) && d.temperature > 0, value,
                 "the teacher's temperature must be above 0; it is ", d.temperature);
    HEARTH_CHECK(d.weight >= 0 && d.weight <= 1, value, "the teacher's weight must be in [0, 1]; it is ", d.weight);
  }
  if (!prefers()) return;
  HEARTH_CHECK(!data.packed(), value, "pairs of answers cannot share rows\n  hint: leave out --packing");
  const PreferenceOptions& p = preference;
  HEARTH_CHECK(std::isfinite(p.beta) && p.beta > 0, value, "beta must be above 0; it is ", p.beta);
  HEARTH_CHECK(p.label_smoothing >= 0 && p.label_smoothing < 0.5, value,
               "label smoothing of preferences must be in [0, 0.5); it is ", p.label_smoothing);
  HEARTH_CHECK(p.label_smoothing == 0 || p.loss == PreferenceLoss::sigmoid, value,
               "label smoothing of preferences belongs to the sigmoid loss");
}

void check_teacher(const LanguageModel& student, const LanguageModel& teacher, int64_t block_size) {
  const Tokenizer &own = student.tokenizer(), &other = teacher.tokenizer();
  const auto name = [](const Tokenizer& t, int32_t id) { return t.has(id) ? "'" + t.token(id) + "'" : "nothing"; };
  for (int32_t id = 0; id < std::max(own.vocab_size(), other.vocab_size()); ++id) {
    HEARTH_CHECK(name(own, id) == name(other, id), value, "--teacher '", teacher.path(),
                 "' has another tokenizer: token ", id, " is ", printable(name(other, id)), ", the model's is ",
                 printable(name(own, id)), "\n  hint: a teacher must write with the same tokens");
  }
  HEARTH_CHECK(block_size <= teacher.spec().max_positions, value, "--teacher '", teacher.path(), "' has a context of ",
               teacher.spec().max_positions, " tokens, and rows have ", block_size);
}

}  // namespace hearth
