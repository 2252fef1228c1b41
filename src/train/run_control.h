// SPDX-License-Identifier: Apache-2.0
#pragma once
// What evaluations decide: which step was the best so far, and when a run that no longer improves ends.

#include <cstdint>
#include <optional>

#include "io/json.h"

namespace hearth {

struct RunControlOptions {
  int64_t eval_every = 0;  // steps between evaluations; 0: after each epoch
  // > 0: the run ends after so many evaluations in a row whose loss is not lower than the best by more than the
  // threshold: transformers' EarlyStoppingCallback.
  int64_t early_stop_patience = 0;
  double early_stop_threshold = 0;
  bool keep_best = false;  // what is saved in the end is what had the lowest loss: load_best_model_at_end

  bool needs_evaluations() const { return eval_every > 0 || early_stop_patience > 0 || keep_best; }
};

class RunControl {
 public:
  explicit RunControl(const RunControlOptions& options) : options_(options) {}

  // Takes the loss of an evaluation after a step; true when none was lower before. One that is not finite never is.
  bool observe(double loss, int64_t step);
  bool should_stop() const { return options_.early_stop_patience > 0 && without_ >= options_.early_stop_patience; }
  std::optional<int64_t> best_step() const { return best_step_; }
  double best_loss() const { return best_loss_; }  // of best_step()

  Json state() const;
  void restore(const JsonView& state);

 private:
  RunControlOptions options_;
  std::optional<int64_t> best_step_;
  double best_loss_ = 0;
  int64_t without_ = 0;  // evaluations in a row without progress
};

}  // namespace hearth
