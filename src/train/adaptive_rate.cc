// SPDX-License-Identifier: Apache-2.0
#include "train/adaptive_rate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace hearth {

AdaptiveRateOptions AdaptiveRateOptions::greedy() {
  return {.raises = true, .factor = 0.95, .threshold = 1e-6, .relative = false, .min_rate = 1e-3};
}

AdaptiveRate::AdaptiveRate(const AdaptiveRateOptions& options, double rate)
    : options_(options), initial_(rate), s_(fresh()) {
  HEARTH_CHECK(options.factor > 0 && options.factor < 1, value, "schedule: factor must be above 0 and below 1; it is ",
               options.factor);
}

AdaptiveRate::State AdaptiveRate::fresh() const {
  return {.rate = initial_, .best = std::numeric_limits<double>::infinity(), .falls_left = options_.reset_start};
}

bool AdaptiveRate::is_better(double loss) const {
  return loss < (options_.relative ? s_.best * (1 - options_.threshold) : s_.best - options_.threshold);
}

// A running sum, as GreedyLR keeps it: its rounding errors are part of the state.
double AdaptiveRate::smoothed(double loss) {
  s_.window.push_back(loss);
  s_.window_sum += loss;
  if (int64_t(s_.window.size()) > options_.window) {
    s_.window_sum -= s_.window.front();
    s_.window.erase(s_.window.begin());
  }
  return s_.window_sum / double(s_.window.size());
}

void AdaptiveRate::fall() {
  const double lower = std::max(s_.rate * options_.factor, options_.min_rate);
  if (s_.rate - lower > options_.eps) s_.rate = lower;
  if (options_.raises && s_.rate <= options_.min_rate && --s_.falls_left <= 0) s_ = fresh();
}

void AdaptiveRate::rise() {
  const double higher = std::min(s_.rate / options_.factor, options_.max_rate);
  if (higher - s_.rate > options_.eps) s_.rate = higher;
  s_.falls_left = options_.reset_start;
}

void AdaptiveRate::observe(double loss) {
  // Differs: GreedyLR's mean would stay NaN after one such loss.
  if (options_.smooth && std::isfinite(loss)) loss = smoothed(loss);
  const bool waits = s_.cooldown > 0 || s_.warmup > 0;
  // While it waits, ReduceLROnPlateau still notes a new best; GreedyLR does not look.
  if (!waits || !options_.raises) {
    const bool better = is_better(loss);
    if (better) s_.best = loss;
    s_.good = better ? s_.good + 1 : 0;
    s_.bad = better ? 0 : s_.bad + 1;
  }
  if (waits) {
    --(s_.cooldown > 0 ? s_.cooldown : s_.warmup);
    s_.bad = s_.good = 0;
  } else if (options_.raises && s_.good > options_.patience) {
    rise();
    s_.warmup = options_.warmup;
    s_.good = 0;
  } else if (s_.bad > options_.patience) {
    fall();
    s_.cooldown = options_.cooldown;
    s_.bad = 0;
  }
}

Json AdaptiveRate::state() const {
  Json state = {{"rate", s_.rate},     {"bad", s_.bad},
                {"good", s_.good},     {"cooldown", s_.cooldown},
                {"warmup", s_.warmup}, {"falls_left", s_.falls_left},
                {"window", s_.window}, {"window_sum", s_.window_sum}};
  if (std::isfinite(s_.best)) state["best"] = s_.best;  // none yet: JSON has no infinity
  return state;
}

void AdaptiveRate::restore(const JsonView& state) {
  s_ = fresh();
  s_.rate = state.number("rate", {.min = 0});
  s_.best = state.number_or("best", s_.best);
  s_.bad = state.integer("bad", {.min = 0});
  s_.good = state.integer("good", {.min = 0});
  s_.cooldown = state.integer("cooldown", {.min = 0});
  s_.warmup = state.integer("warmup", {.min = 0});
  s_.falls_left = state.integer("falls_left");
  for (const Json& loss : state.get("window")) {
    if (!loss.is_number()) state.refuse("window", "a list of numbers");
    s_.window.push_back(loss.get<double>());
  }
  s_.window_sum = state.number("window_sum");
}

}  // namespace hearth
