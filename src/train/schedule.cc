// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace hearth {

using enum ScheduleKind;

const std::vector<std::string>& schedule_names() {
  static const std::vector<std::string> names = {"linear",
                                                 "cosine",
                                                 "cosine_with_restarts",
                                                 "polynomial",
                                                 "constant",
                                                 "constant_with_warmup",
                                                 "inverse_sqrt",
                                                 "reduce_lr_on_plateau",
                                                 "cosine_with_min_lr",
                                                 "cosine_warmup_with_min_lr",
                                                 "warmup_stable_decay",
                                                 "greedy"};
  return names;
}

ScheduleKind schedule_kind(const std::string& name) {
  const std::vector<std::string>& names = schedule_names();
  const auto found = std::find(names.begin(), names.end(), name);
  HEARTH_CHECK(found != names.end(), value, "schedule: there is no '", name, "'");
  return ScheduleKind(found - names.begin());
}

static bool by_losses(ScheduleKind kind) { return kind == reduce_lr_on_plateau || kind == greedy; }

static void check(const ScheduleOptions& o, double rate) {
  const std::string& name = schedule_names()[size_t(o.kind)];
  HEARTH_CHECK(o.warmup_steps >= 0, value, "schedule: warm-up steps must not be negative; they are ", o.warmup_steps);
  HEARTH_CHECK(o.warmup_steps == 0 || (o.kind != constant && !by_losses(o.kind)), value, "schedule: ", name,
               " has no warm-up, but ", o.warmup_steps, " steps are asked for\n  hint: constant_with_warmup has one");
  HEARTH_CHECK(o.kind != polynomial || o.end_rate < rate, value, "schedule: polynomial ends at ", o.end_rate,
               ", which is not below the learning rate ", rate);
  const bool needs_least = o.kind == cosine_with_min_lr || o.kind == cosine_warmup_with_min_lr;
  HEARTH_CHECK(!needs_least || o.min_rate, value, "schedule: ", name,
               " needs its least learning rate\n  hint: --schedule-args min_lr=1e-5");
  HEARTH_CHECK(o.kind != warmup_stable_decay || o.decay_steps, value, "schedule: ", name,
               " needs the length of its fall\n  hint: --schedule-args num_decay_steps=100");
}

Schedule::Schedule(const ScheduleOptions& options, double rate, int64_t total_steps)
    : options_(options), rate_(rate), total_(double(total_steps)) {
  check(options, rate);
  warmup_ = options.warmup_steps < 1 ? std::ceil(total_ * options.warmup_steps) : std::floor(options.warmup_steps);
  if (by_losses(options.kind)) adaptive_.emplace(options.adaptive, rate);
}

double Schedule::at(int64_t step) const { return adaptive_ ? adaptive_->rate() : rate_ * factor(double(step)); }

void Schedule::observe(double loss) {
  if (adaptive_) adaptive_->observe(loss);
}
Json Schedule::state() const { return adaptive_ ? adaptive_->state() : Json::object(); }
void Schedule::restore(const JsonView& state) {
  if (adaptive_) adaptive_->restore(state);
}

// Half a wave (or as many cycles as asked for) from 1 to `end`.
double Schedule::wave(double progress, double end) const {
  const double share = 0.5 * (1 + std::cos(std::numbers::pi * options_.cycles.value_or(0.5) * 2 * progress));
  return std::max(0.0, share * (1 - end) + end);
}

// From 1 at progress 0 to 0 at 1.
static double fall(const std::string& type, double progress, double cycles) {
  if (type == "linear") return 1 - progress;
  if (type == "cosine") return 0.5 * (1 + std::cos(std::numbers::pi * cycles * 2 * progress));
  return 1 - std::sqrt(progress);
}

// Source: Hu et al. 2024, arXiv:2404.06395.
double Schedule::stable_decay(double step) const {
  const ScheduleOptions& o = options_;
  const double decay = double(*o.decay_steps);
  const double stable = o.stable_steps ? double(*o.stable_steps) : total_ - warmup_ - decay;
  const auto above_least = [&](double share) { return std::max(0.0, share * (1 - o.min_ratio) + o.min_ratio); };
  if (step < warmup_) {
    const double progress = step / std::max(1.0, warmup_);
    // 1 - sqrt(1 - x) is the mirror image of its own fall, 1 - sqrt(x); the other two mirror to themselves.
    return above_least(o.warmup_type == "1-sqrt" ? fall("1-sqrt", 1 - progress, 0.5)
                                                 : 1 - fall(o.warmup_type, progress, 0.5));
  }
  if (step < warmup_ + stable) return 1;
  if (step >= warmup_ + stable + decay) return o.min_ratio;
  return above_least(fall(o.decay_type, (step - warmup_ - stable) / std::max(1.0, decay), o.cycles.value_or(0.5)));
}

double Schedule::factor(double step) const {
  const ScheduleOptions& o = options_;
  if (o.kind == constant) return 1;
  if (o.kind == warmup_stable_decay) return stable_decay(step);
  const double rest = std::max(1.0, total_ - warmup_);
  if (o.kind == cosine_warmup_with_min_lr) {
    if (step >= warmup_) return wave((step - warmup_ + 1) / rest, *o.min_rate / rate_);
    if (!o.warmup_start) return (step + 1) / std::max(1.0, warmup_);
    return *o.warmup_start + (1 - *o.warmup_start) * step / std::max(1.0, warmup_ - 1);
  }
  if (step < warmup_) return step / std::max(1.0, warmup_);
  const double progress = (step - warmup_) / rest;
  switch (o.kind) {
    case linear: return std::max(0.0, (total_ - step) / rest);
    case cosine: return wave(progress, 0);
    case cosine_with_min_lr: return wave(progress, *o.min_rate / rate_);
    case cosine_with_restarts: {
      if (progress >= 1) return 0;
      return 0.5 * (1 + std::cos(std::numbers::pi * std::fmod(o.cycles.value_or(1) * progress, 1.0)));
    }
    case polynomial: {
      if (step > total_ || total_ == warmup_) return o.end_rate / rate_;
      const double left = 1 - (step - warmup_) / (total_ - warmup_);
      return ((rate_ - o.end_rate) * std::pow(left, o.power) + o.end_rate) / rate_;
    }
    case inverse_sqrt: {
      const double scale = o.timescale ? double(*o.timescale) : warmup_ > 0 ? warmup_ : 10000;
      return 1 / std::sqrt((step + scale - warmup_) / scale);
    }
    default: return 1;  // constant_with_warmup
  }
}

}  // namespace hearth
