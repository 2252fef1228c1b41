// SPDX-License-Identifier: Apache-2.0
#include "train/loss_scale.h"

namespace hearth {

bool LossScale::update(bool finite) {
  constexpr double kGrowth = 2, kBackoff = 0.5, kSmallest = 0x1p-10;
  constexpr int64_t kGrowthInterval = 2000;
  if (!finite) {
    ++skipped_;
    good_ = 0;
    scale_ *= kBackoff;
    return scale_ >= kSmallest;
  }
  if (++good_ < kGrowthInterval) return true;
  good_ = 0;
  scale_ *= kGrowth;
  return true;
}

Json LossScale::state() const { return {{"scale", scale_}, {"good", good_}, {"skipped", skipped_}}; }

void LossScale::restore(const JsonView& state) {
  scale_ = state.number("scale");
  good_ = state.integer("good", {.min = 0});
  skipped_ = state.integer("skipped", {.min = 0});
}

}  // namespace hearth
