// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a run leaves behind besides its adapter: log.jsonl, TensorBoard events, loss.svg.

#include <optional>
#include <string>

#include "train/metrics/jsonl_log.h"
#include "train/metrics/tensorboard.h"
#include "train/trainer.h"

namespace hearth {

class RunLog {
 public:
  // Goes on after `step` when it is larger than 0. An empty folder name: nothing is written.
  RunLog(const std::string& folder, int64_t step);
  void step(const StepReport& report);
  void evaluation(const EvalReport& report);
  void draw();  // loss.svg from the log

 private:
  std::string folder_;
  std::optional<JsonlLog> jsonl_;
  std::optional<TensorBoardWriter> board_;
};

}  // namespace hearth
