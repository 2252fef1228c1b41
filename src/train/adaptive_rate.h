// SPDX-License-Identifier: Apache-2.0
#pragma once
// A learning rate that goes by the losses seen: reduce_lr_on_plateau (torch's ReduceLROnPlateau) and greedy
// (transformers' GreedyLR, arXiv:2512.14527).

#include <vector>

#include "io/json.h"

namespace hearth {

struct AdaptiveRateOptions {
  bool raises = false;  // greedy: rises after good losses, too
  double factor = 0.1;  // the rate is multiplied by it after more than `patience` losses without a new best
  int64_t patience = 10;
  double threshold = 1e-4;  // a new best is lower by this much
  bool relative = true;     // ... times the best
  int64_t cooldown = 0;     // losses that do not count after a fall
  double min_rate = 0;
  double eps = 1e-8;  // smaller changes are not made
  // greedy:
  int64_t warmup = 0;  // losses that do not count after a rise
  double max_rate = 1;
  bool smooth = false;  // goes by the mean of the last `window` losses
  int64_t window = 50;
  int64_t reset_start = 500;  // begins anew after so many falls at min_rate

  static AdaptiveRateOptions greedy();  // its defaults
};

class AdaptiveRate {
 public:
  AdaptiveRate(const AdaptiveRateOptions& options, double rate);
  double rate() const { return s_.rate; }
  void observe(double loss);
  Json state() const;
  void restore(const JsonView& state);  // bit for bit what state() described

 private:
  struct State {
    double rate = 0, best = 0;
    int64_t bad = 0, good = 0, cooldown = 0, warmup = 0, falls_left = 0;
    std::vector<double> window = {};
    double window_sum = 0;
  };
  bool is_better(double loss) const;
  double smoothed(double loss);
  void fall();
  void rise();
  State fresh() const;

  AdaptiveRateOptions options_;
  double initial_ = 0;
  State s_;
};

}  // namespace hearth
