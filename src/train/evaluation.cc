// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "train/training_session.h"

namespace hearth {

EvalReport TrainingSession::evaluate() {
  HEARTH_CHECK(eval, state, "evaluate: the trainer was given no evaluation data");
  open();
  Batches order(*eval, {.batch_size = options_.batch});
  Batch part;
  EvalReport report;
  const Objective next_token;  // what held-out data is measured by, but for preferences
  const Objective& objective = arguments.objective.prefers() ? arguments.objective : next_token;
  ObjectiveSums sums(objective);
  double hits = 0;
  for (int64_t i = 0; i < order.per_epoch(); ++i) {
    order.fill(0, i, part);
    bind_batch(*evaluation_, part, eval_reference_);
    evaluation_->run();
    sums.add(*evaluation_, part);
    hits += *static_cast<const int32_t*>(evaluation_->output("hits"));
    report.tokens += part.counted;
  }
  report.loss = sums.mean_loss();
  report.accuracy = hits / double(std::max<int64_t>(1, sums.counted()));
  report.metrics = sums.mean_metrics();
  return report;
}

}  // namespace hearth
