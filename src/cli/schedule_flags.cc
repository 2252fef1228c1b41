// SPDX-License-Identifier: Apache-2.0
#include "cli/schedule_flags.h"

#include "cli/named_values.h"

namespace hearth {
namespace {

// min_lr may be given as a share of --lr instead, as in transformers.
struct LeastRate {
  std::optional<double> share = {};
};

void declare_cosine(FlagTable& flag, ScheduleOptions& o) { flag("num_cycles", o.cycles, "waves", {.above = 0}); }

void declare_least(FlagTable& flag, ScheduleOptions& o, LeastRate& least) {
  flag("min_lr", o.min_rate, "where it ends", {.minimum = 0});
  flag("min_lr_rate", least.share, "the same as a share of --lr", {.minimum = 0});
}

void declare_stable_decay(FlagTable& flag, ScheduleOptions& o) {
  const std::vector<std::string> types = {"linear", "cosine", "1-sqrt"};
  flag("num_decay_steps", o.decay_steps, "length of its fall", {.minimum = 0});
  flag("num_stable_steps", o.stable_steps, "steps before the fall", {.minimum = 0});
  flag("warmup_type", o.warmup_type, "form of the rise", {.allowed = types});
  flag("decay_type", o.decay_type, "form of the fall", {.allowed = types});
  flag("min_lr_ratio", o.min_ratio, "where rise begins and fall ends, as a share of --lr", {.minimum = 0});
}

void declare_adaptive(FlagTable& flag, AdaptiveRateOptions& o, std::string& mode) {
  flag("factor", o.factor, "of a change", {.maximum = 0.999999, .above = 0});
  flag("patience", o.patience, "losses before a change", {.minimum = 0});
  flag("threshold", o.threshold, "a new best is lower by it", {.minimum = 0});
  flag("threshold_mode", mode, "rel: times the best", {.allowed = {"rel", "abs"}});
  flag("cooldown", o.cooldown, "losses that do not count after a fall", {.minimum = 0});
  flag("min_lr", o.min_rate, "least learning rate", {.minimum = 0});
  flag("eps", o.eps, "smallest change", {.minimum = 0});
  if (!o.raises) return;
  flag("warmup", o.warmup, "losses that do not count after a rise", {.minimum = 0});
  flag("max_lr", o.max_rate, "largest learning rate", {.above = 0});
  flag("smooth", o.smooth, "go by the mean of the last losses");
  flag("window_size", o.window, "how many", {.minimum = 1, .maximum = 1 << 20});
  flag("reset_start", o.reset_start, "falls at min_lr before it begins anew", {.minimum = 1});
}

}  // namespace

ScheduleOptions schedule_options(const ScheduleFlags& flags) {
  using enum ScheduleKind;
  ScheduleOptions o{.kind = schedule_kind(flags.schedule), .warmup_steps = flags.warmup_steps};
  if (o.kind == greedy) o.adaptive = AdaptiveRateOptions::greedy();
  LeastRate least;
  std::string mode = o.adaptive.relative ? "rel" : "abs";
  FlagTable flag;
  switch (o.kind) {
    case cosine:
    case cosine_with_restarts: declare_cosine(flag, o); break;
    case cosine_with_min_lr:
    case cosine_warmup_with_min_lr:
      declare_cosine(flag, o);
      declare_least(flag, o, least);
      if (o.kind == cosine_with_min_lr) break;
      flag("warmup_lr_rate", o.warmup_start, "where the warm-up begins, as a share of --lr", {.minimum = 0});
      break;
    case polynomial:
      flag("lr_end", o.end_rate, "where it ends", {.minimum = 0});
      flag("power", o.power, "of the part that is left", {.above = 0});
      break;
    case inverse_sqrt: flag("timescale", o.timescale, "steps until it falls to 0.7", {.minimum = 1}); break;
    case warmup_stable_decay:
      declare_cosine(flag, o);
      declare_stable_decay(flag, o);
      break;
    case reduce_lr_on_plateau:
    case greedy: declare_adaptive(flag, o.adaptive, mode); break;
    case linear:
    case constant:
    case constant_with_warmup: break;
  }
  set_named_values(flag, flags.args, "schedule-args", flags.schedule);
  o.adaptive.relative = mode == "rel";
  if (o.min_rate && least.share) throw UsageError("--schedule-args: min_lr and min_lr_rate say the same");
  if (least.share) o.min_rate = *least.share * flags.lr;
  return o;
}

}  // namespace hearth
