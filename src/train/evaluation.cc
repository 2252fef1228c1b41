// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "train/training_session.h"

namespace hearth {

EvalReport run_evaluation(Session& session, const TokenBlocks& blocks, int64_t batch_size) {
  Batches order(blocks, {.batch_size = batch_size});
  Batch part;
  EvalReport report;
  double sum = 0, hits = 0;
  for (int64_t i = 0; i < order.per_epoch(); ++i) {
    order.fill(0, i, part);
    bind_batch(session, part);
    session.run();
    sum += *static_cast<const float*>(session.output("loss"));
    hits += *static_cast<const int32_t*>(session.output("hits"));
    report.tokens += part.counted;
  }
  report.loss = sum / double(std::max<int64_t>(1, report.tokens));
  report.accuracy = hits / double(std::max<int64_t>(1, report.tokens));
  return report;
}

EvalReport TrainingSession::evaluate() {
  HEARTH_CHECK(eval, state, "evaluate: the trainer was given no evaluation data");
  open();
  return run_evaluation(*evaluation_, *eval, arguments.batch_size);
}

}  // namespace hearth
