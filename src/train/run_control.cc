// SPDX-License-Identifier: Apache-2.0
#include "train/run_control.h"

#include <cmath>

namespace hearth {

bool RunControl::observe(double loss, int64_t step) {
  const bool better = std::isfinite(loss) && (!best_step_ || loss < best_loss_);
  const bool enough = better && (!best_step_ || best_loss_ - loss > options_.early_stop_threshold);
  without_ = enough ? 0 : without_ + 1;
  if (!better) return false;
  best_step_ = step;
  best_loss_ = loss;
  return true;
}

Json RunControl::state() const {
  Json state = {{"without_progress", without_}};
  if (best_step_) {
    state["best_step"] = *best_step_;
    state["best_loss"] = best_loss_;
  }
  return state;
}

void RunControl::restore(const JsonView& state) {
  without_ = state.integer("without_progress", {.min = 0});
  if (!state.has("best_step")) return;
  best_step_ = state.integer("best_step", {.min = 0});
  best_loss_ = state.number("best_loss");
}

}  // namespace hearth
