// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a trainer computes with: the compiled plans, their memory and the state of the run, and how a step is taken.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "runtime/session.h"
#include "train/batches.h"
#include "train/loss_scale.h"
#include "train/optimizer_state.h"
#include "train/step_graph.h"
#include "train/teacher.h"
#include "train/trainer.h"

namespace hearth {

StepGraphOptions step_options(const TrainingArguments& arguments, int64_t block, bool packed = false);

class TrainingSession {
 public:
  // Compiles the plans; memory is taken by open(). `model`, `train` and `eval` must outlive it.
  TrainingSession(const LanguageModel& model, LoraAdapter adapter, const TrainingArguments& arguments,
                  const TokenBlocks& train, const TokenBlocks* eval);

  // Arenas, optimizer states, bindings: everything that costs memory, made when training begins.
  void open();
  // One optimizer step: 0-based number `step`. Returns loss (mean per token) and gradient norm. Throws Error{numeric}
  // naming the tensor when one of them is not finite, with f16 when no loss scale makes them so.
  StepReport take_step(int64_t step);
  EvalReport evaluate();
  TrainingEstimate estimate() const;

  int64_t steps_per_epoch() const;
  int64_t total_steps() const;

  const LanguageModel& model;
  LoraAdapter adapter;
  const TrainingArguments arguments;
  const TokenBlocks& train;
  const TokenBlocks* eval;
  OptimizerState optimizer;
  TrainingProgress progress;
  Plan main_plan, update_plan, eval_plan;  // main: the whole step, or the accumulating part

 private:
  const StepGraphOptions options_;
  Batches batches_;

 public:
  Schedule schedule;  // of total_steps(), which the batches say
  LossScale loss_scale;

 private:
  bool accumulates() const { return arguments.grad_accum > 1; }
  StepPart main_part() const { return accumulates() ? StepPart::accumulate : StepPart::whole; }
  std::vector<const Plan*> plans() const;
  // The step for batches of this width; those of shorter examples are compiled when the first such batch comes.
  Session& session_for(int64_t width);
  void set_scalars(int64_t step, StepReport* report);
  bool scales_loss() const { return arguments.dtype == DType::f16; }
  void bind(Session& session);
  // Binds the batch, and what the objective knows of its rows.
  void bind_batch(Session& session, Batch& batch, const std::vector<float>& reference);
  [[noreturn]] void fail_not_finite(const StepReport& report);

  std::unique_ptr<Teacher> teacher_;  // of a distillation
  std::shared_ptr<Arena> arena_;
  std::unique_ptr<Session> main_, update_, evaluation_;
  std::map<int64_t, std::unique_ptr<Session>> narrow_;  // main_ for batches of shorter examples, by their width
  Batch batch_;
  uint64_t rng_[2] = {0, 0};
  float scalars_[4] = {0, 0, 0, 0};
  float seed_ = 1;      // what the derivative of the sum of losses begins with, with f16
  float loss_sum_ = 0;  // of the micro-batches since the last update
  // With preferences: log-probabilities before training, of each row of the data and of the batch's rows.
  std::vector<float> train_reference_, eval_reference_, batch_reference_;
};

void bind_batch(Session& session, Batch& batch);

// Sums over batches of what an objective reports.
class ObjectiveSums {
 public:
  explicit ObjectiveSums(const Objective& objective) : objective_(objective), metrics_(objective.metrics().size(), 0) {}
  void add(const Session& session, const Batch& batch);  // the outputs of a run
  int64_t counted() const { return counted_; }
  double mean_loss() const;
  NamedNumbers mean_metrics() const;

 private:
  const Objective& objective_;
  double loss_ = 0;
  int64_t counted_ = 0;
  std::vector<double> metrics_;
};

}  // namespace hearth
