// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the learning rate goes over a run: the twelve schedules of transformers 5.17, optimization.py, with the names and
// defaults of their parameters there.

#include <cstdint>
#include <optional>
#include <string>

#include "train/adaptive_rate.h"

namespace hearth {

enum class ScheduleKind {
  linear,
  cosine,
  cosine_with_restarts,
  polynomial,
  constant,
  constant_with_warmup,
  inverse_sqrt,
  reduce_lr_on_plateau,
  cosine_with_min_lr,
  cosine_warmup_with_min_lr,
  warmup_stable_decay,
  greedy
};
const std::vector<std::string>& schedule_names();     // in the order of ScheduleKind
ScheduleKind schedule_kind(const std::string& name);  // Error{value} for a name that is none of them

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::linear;
  double warmup_steps = 0;                  // below 1: this share of all steps, rounded up
  std::optional<double> cycles = {};        // cosine and its kin: waves, 0.5; cosine_with_restarts: 1
  double end_rate = 1e-7, power = 1;        // polynomial
  std::optional<int64_t> timescale = {};    // inverse_sqrt: the warm-up, or 10000 without one
  std::optional<double> min_rate = {};      // cosine_*_min_lr need it
  std::optional<double> warmup_start = {};  // cosine_warmup_with_min_lr: share of the rate at step 0; else 1 / warm-up
  // warmup_stable_decay needs decay_steps; stable_steps: what warm-up and decay leave. Types: linear, cosine, 1-sqrt.
  std::optional<int64_t> decay_steps = {}, stable_steps = {};
  std::string warmup_type = "linear", decay_type = "cosine";
  double min_ratio = 0;
  AdaptiveRateOptions adaptive = {};  // reduce_lr_on_plateau, greedy
};

// The learning rates of a run of `total_steps` whose largest is `rate` (not with greedy, which may raise it).
class Schedule {
 public:
  // Throws Error{value} for parameters that are missing or make no sense together.
  Schedule(const ScheduleOptions& options, double rate, int64_t total_steps);

  double at(int64_t step) const;  // for the 0-based step
  // reduce_lr_on_plateau and greedy go by losses; the others by the step only, and have no state.
  bool adapts() const { return adaptive_.has_value(); }
  void observe(double loss);
  Json state() const;  // {} without one
  void restore(const JsonView& state);

 private:
  double factor(double step) const;
  double wave(double progress, double end) const;
  double stable_decay(double step) const;

  ScheduleOptions options_;
  double rate_ = 0, warmup_ = 0, total_ = 0;  // steps as numbers: they are divided
  std::optional<AdaptiveRate> adaptive_;
};

}  // namespace hearth
