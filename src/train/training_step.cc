// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compiler/compile.h"
#include "train/distillation_graph.h"
#include "train/full_weights.h"
#include "train/training_session.h"

namespace hearth {

// Key of the random numbers of one micro-batch: seed and number, mixed (splitmix64's finaliser).
static uint64_t micro_batch_key(uint64_t seed, int64_t number) {
  uint64_t z = seed + 0x9e3779b97f4a7c15ull * uint64_t(number + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

void bind_batch(Session& session, Batch& batch) {
  session.bind_input("tokens", batch.tokens.data());
  session.bind_input("labels", batch.labels.data());
  if (batch.segments.empty()) return;
  session.bind_input("segments", batch.segments.data());
  session.bind_input("positions", batch.positions.data());
}

void TrainingSession::bind_batch(Session& session, Batch& batch, const std::vector<float>& reference) {
  hearth::bind_batch(session, batch);
  if (!arguments.objective.prefers()) return;
  batch_reference_.assign(size_t(options_.batch), 0);
  for (size_t i = 0; i < batch.rows.size(); ++i) batch_reference_[i] = reference[size_t(batch.rows[i])];
  session.bind_input("reference", batch_reference_.data());
}

void ObjectiveSums::add(const Session& session, const Batch& batch) {
  loss_ += *static_cast<const float*>(session.output("loss"));
  counted_ += objective_.counted(batch);
  if (metrics_.empty()) return;
  const auto* values = static_cast<const float*>(session.output("metrics"));
  for (size_t i = 0; i < metrics_.size(); ++i) metrics_[i] += values[i];
}

double ObjectiveSums::mean_loss() const { return loss_ / double(std::max<int64_t>(1, counted_)); }

NamedNumbers ObjectiveSums::mean_metrics() const {
  NamedNumbers named;
  for (size_t i = 0; i < metrics_.size(); ++i)
    named.emplace_back(objective_.metrics()[i], metrics_[i] / double(std::max<int64_t>(1, counted_)));
  return named;
}

// The learning rate and what belongs to it. Steps that were skipped do not count, as in transformers.
void TrainingSession::set_scalars(int64_t step, StepReport* report) {
  const int64_t update = step - loss_scale.skipped();
  report->learning_rate = schedule.at(update);
  scalars_[0] = float(report->learning_rate);
  const std::array<double, 2> numbers = step_numbers(arguments.optimizer, update + 1);
  scalars_[1] = float(numbers[0]);
  scalars_[2] = float(numbers[1]);
  if (!scales_loss()) return;
  report->loss_scale = loss_scale.scale();
  // The graph's loss is a sum; the scale is of the mean.
  seed_ = float(loss_scale.scale() / double(arguments.batch_size * train.block_size * arguments.grad_accum));
}

StepReport TrainingSession::take_step(int64_t step) {
  StepReport report{.step = step + 1, .steps = total_steps()};
  const int64_t epoch = step / steps_per_epoch(), first = step % steps_per_epoch() * arguments.grad_accum;
  const int64_t end = std::min(first + arguments.grad_accum, batches_.per_epoch());
  Session* last = main_.get();
  set_scalars(step, &report);
  ObjectiveSums sums(arguments.objective);
  int64_t counted = 0, tokens = 0;
  for (int64_t micro = first; micro < end; ++micro) {
    batches_.fill(epoch, micro, batch_);
    counted += arguments.objective.counted(batch_);
    tokens += batch_.counted;
    scalars_[3] = float(1.0 / (double(std::max<int64_t>(1, counted)) * seed_));
    rng_[0] = micro_batch_key(arguments.seed, epoch * batches_.per_epoch() + micro);
    last = &session_for(batch_.width);
    bind_batch(*last, batch_, train_reference_);
    if (teacher_) last->bind_input(kTeacherHidden, teacher_->hidden(batch_));
    last->run();
    sums.add(*last, batch_);
  }
  if (accumulates()) update_->run();
  Session& last_session = accumulates() ? *update_ : *last;
  report.grad_norm = *static_cast<const float*>(last_session.output("grad_norm"));
  report.loss = sums.mean_loss();
  report.metrics = sums.mean_metrics();
  report.epoch = double(step + 1) / double(steps_per_epoch());
  report.skipped = !std::isfinite(report.loss) || *static_cast<const int32_t*>(last_session.output("finite")) == 0;
  const bool hopeless = scales_loss() ? !loss_scale.update(!report.skipped) : report.skipped;
  if (hopeless) fail_not_finite(report);
  progress.step = step + 1;
  progress.tokens += tokens;
  if (std::isfinite(report.loss)) progress.loss_sum += report.loss;
  if (!eval && !report.skipped) schedule.observe(report.loss);
  return report;
}

// Runs the forward pass once more with a probe at every place, and names the first that is not finite.
void TrainingSession::fail_not_finite(const StepReport& report) {
  StepGraphOptions o = options_;
  o.block = batch_.width;
  const std::unique_ptr<Graph> graph = finite_graph(model, adapter, o);
  Session session(compile(*graph));
  WeightInputs::bind(session, model.folder());
  bind_lora(session, adapter);
  hearth::bind_batch(session, batch_);
  session.run();
  std::string place = std::isfinite(report.loss) ? "a gradient (the loss is finite)" : "the loss";
  for (size_t i = session.outputs(); i-- > 0;) {
    if (!std::isfinite(*static_cast<const float*>(session.output(i)))) place = session.output_name(i);
  }
  HEARTH_FAIL(numeric, "train: step ", report.step, " is not finite: loss ", report.loss, ", gradient norm ",
              report.grad_norm, "\n  first in ", place, "\n  the ", is_full(model, adapter) ? "model" : "adapter",
              " is as it was after step ", report.step - 1, "\n  hint: a lower --lr, or --dtype f32");
}

}  // namespace hearth
