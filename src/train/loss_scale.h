// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dynamic loss scaling for f16, whose smallest numbers are 6e-8: the loss is multiplied by a scale before the backward
// pass and the gradients are divided by it in f32. A step whose gradients overflow is skipped and halves the scale;
// 2000 good steps in a row double it. The rules and numbers are those of torch.amp.GradScaler. Source: Micikevicius et
// al. 2017, arXiv:1710.03740, section 3.2.

#include <cstdint>

#include "io/json.h"

namespace hearth {

class LossScale {
 public:
  double scale() const { return scale_; }
  int64_t skipped() const { return skipped_; }  // steps so far
  // After a step. False when the scale has become so small that it cannot be what made the gradients overflow.
  bool update(bool finite);

  Json state() const;
  void restore(const JsonView& state);

 private:
  double scale_ = 65536;
  int64_t good_ = 0, skipped_ = 0;  // good: since the scale changed
};

}  // namespace hearth
