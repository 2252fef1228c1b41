// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "compiler/compile.h"
#include "plan/plan_file.h"
#include "train/full_weights.h"
#include "train/metrics/memory.h"
#include "train/run_log.h"
#include "train/training_session.h"

namespace hearth {
namespace {

void check_arguments(const TrainingArguments& a, const LanguageModel& model, const TokenBlocks& train) {
  HEARTH_CHECK(a.batch_size > 0, value, "train: batch size must be at least 1; it is ", a.batch_size);
  HEARTH_CHECK(a.grad_accum > 0, value, "train: grad accum must be at least 1; it is ", a.grad_accum);
  HEARTH_CHECK(a.epochs > 0 || a.max_steps > 0, value, "train: epochs must be above 0; they are ", a.epochs);
  HEARTH_CHECK(
      a.max_steps >= 0 && a.stop_after >= 0 && a.save_every >= 0 && a.clip >= 0 && a.optimizer.weight_decay >= 0, value,
      "train: steps, clip and weight decay must not be negative");
  HEARTH_CHECK(std::isfinite(a.learning_rate) && a.learning_rate >= 0, value,
               "train: learning rate must be a number >= 0; it is ", a.learning_rate);
  HEARTH_CHECK(a.dtype == DType::f32 || a.dtype == DType::bf16 || a.dtype == DType::f16, unsupported,
               "train: dtype must be f32, bf16 or f16; it is ", a.dtype);
  HEARTH_CHECK(train.count() > 0, value, "train: there is no block of tokens to train on");
  HEARTH_CHECK(train.block_size >= 2, value, "train: a block needs at least 2 tokens; it has ", train.block_size);
  HEARTH_CHECK(train.block_size <= model.spec().max_positions, value, "train: blocks of ", train.block_size,
               " tokens are longer than the model's context of ", model.spec().max_positions, "; use --block-size ",
               model.spec().max_positions, " or less");
  a.objective.check(train);
}

// A run: steps, and what happens between them.
class Run {
 public:
  Run(TrainingSession& session, const TrainingCallbacks& callbacks);
  TrainingSummary go();

 private:
  bool saves() const { return !arguments_.output_dir.empty(); }
  void begin_folder();
  StepReport timed_step();
  bool evaluation_due() const;
  bool evaluate();  // whether the loss is lower than ever
  void save();
  void take_best();
  void save_result() const;
  TrainingSummary summary() const;

  TrainingSession& session_;
  TrainingProgress& progress_;
  const TrainingArguments& arguments_;
  const TrainingCallbacks& callbacks_;
  const int64_t total_, end_;
  RunControl control_;
  std::optional<RunLog> log_;
};

Run::Run(TrainingSession& session, const TrainingCallbacks& callbacks)
    : session_(session),
      progress_(session.progress),
      arguments_(session.arguments),
      callbacks_(callbacks),
      total_(session.total_steps()),
      end_(arguments_.stop_after > 0 ? std::min(arguments_.stop_after, total_) : total_),
      control_(arguments_.control) {
  session_.open();
  HEARTH_CHECK(saves() || !arguments_.resume, state, "resume: there is no output folder to resume from");
  if (saves()) begin_folder();
  log_.emplace(arguments_.output_dir, progress_.step);
}

void Run::begin_folder() {
  const std::string& folder = arguments_.output_dir;
  if (arguments_.resume) {
    progress_ =
        load_checkpoint(folder, arguments_.run_description, session_.model, session_.adapter, session_.optimizer);
    session_.schedule.restore(JsonView(progress_.schedule, folder, "schedule"));
    session_.loss_scale.restore(JsonView(progress_.loss_scale, folder, "loss_scale"));
    control_.restore(JsonView(progress_.control, folder, "control"));
  } else {
    HEARTH_CHECK(checkpoint_steps(folder).empty(), state, "train: '", folder,
                 "' holds checkpoints of an earlier run\n  hint: --resume goes on with it; or choose another --output");
  }
  ensure_folder(folder);  // not before: where there is nothing to resume, no folder is left behind
  remove_leftovers(folder);
}

StepReport Run::timed_step() {
  const double start = seconds_now();
  const int64_t tokens_before = progress_.tokens;
  StepReport report = session_.take_step(progress_.step);
  report.tokens_per_second = double(progress_.tokens - tokens_before) / std::max(1e-9, seconds_now() - start);
  report.memory_bytes = peak_resident_bytes();
  return report;
}

bool Run::evaluation_due() const {
  if (!session_.eval) return false;
  const int64_t every = arguments_.control.eval_every > 0 ? arguments_.control.eval_every : session_.steps_per_epoch();
  return progress_.step % every == 0 || progress_.step == total_;
}

bool Run::evaluate() {
  EvalReport report = session_.evaluate();
  report.step = progress_.step;
  report.epoch = double(report.step) / double(session_.steps_per_epoch());
  log_->evaluation(report);
  if (callbacks_.evaluation) callbacks_.evaluation(report);
  if (report.step == 0) return false;
  session_.schedule.observe(report.loss);
  return control_.observe(report.loss, report.step);
}

void Run::save() {
  if (!saves()) return;
  progress_.schedule = session_.schedule.state();
  progress_.control = control_.state();
  progress_.loss_scale = session_.loss_scale.state();
  save_checkpoint(arguments_.output_dir, progress_, session_.model, session_.adapter, session_.optimizer);
  keep_last_checkpoints(arguments_.output_dir, arguments_.keep_checkpoints,
                        arguments_.control.keep_best ? control_.best_step() : std::nullopt);
}

// What had the lowest loss lies in the checkpoint of its step. A run that was stopped goes on from where it is.
void Run::take_best() {
  const std::optional<int64_t> best = control_.best_step();
  const bool ended = progress_.step == total_ || control_.should_stop();
  if (!arguments_.control.keep_best || !ended || !best || *best == progress_.step) return;
  load_trained(session_.model, checkpoint_path(arguments_.output_dir, *best), &session_.adapter);
}

void Run::save_result() const {
  const std::string& folder = arguments_.output_dir;
  if (is_full(session_.model, session_.adapter))
    save_full(session_.model, session_.adapter, full_model_path(folder), arguments_.save_dtype);
  else
    session_.adapter.save(folder);
}

TrainingSummary Run::go() {
  if (progress_.step == 0 && session_.eval) evaluate();
  const double before = progress_.seconds, start = seconds_now();
  bool stop = false;
  while (progress_.step < end_ && !stop && !control_.should_stop()) {
    const StepReport report = timed_step();
    progress_.seconds = before + seconds_now() - start;
    log_->step(report);
    if (callbacks_.step) callbacks_.step(report);
    const bool best = evaluation_due() && evaluate() && arguments_.control.keep_best;
    stop = callbacks_.stop && callbacks_.stop();
    const bool due = arguments_.save_every > 0 && progress_.step % arguments_.save_every == 0;
    if (due || best || stop || control_.should_stop() || progress_.step == end_) save();
  }
  log_->draw();
  take_best();
  if (saves()) save_result();
  return summary();
}

TrainingSummary Run::summary() const {
  return {.steps = progress_.step,
          .tokens = progress_.tokens,
          .seconds = progress_.seconds,
          .mean_loss = progress_.loss_sum / double(std::max<int64_t>(1, progress_.step)),
          .memory_bytes = peak_resident_bytes(),
          .stopped = progress_.step < total_ && !control_.should_stop(),
          .stopped_early = control_.should_stop(),
          .skipped = session_.loss_scale.skipped(),
          .best_step = control_.best_step(),
          .best_loss = control_.best_loss()};
}

}  // namespace

Trainer::Trainer(const LanguageModel& model, LoraAdapter adapter, const TrainingArguments& arguments,
                 const TokenBlocks& train, const TokenBlocks* eval) {
  check_arguments(arguments, model, train);
  if (eval) arguments.objective.check(*eval);
  HEARTH_CHECK(eval || !arguments.control.needs_evaluations(), value,
               "train: early stopping, evaluations by steps and keeping the best need evaluation data");
  HEARTH_CHECK(!arguments.control.keep_best || !arguments.output_dir.empty(), value,
               "train: keeping the best needs an output folder for its checkpoint");
  session_ = std::make_unique<TrainingSession>(model, std::move(adapter), arguments, train, eval);
}
Trainer::~Trainer() = default;

const LoraAdapter& Trainer::adapter() const { return session_->adapter; }
EvalReport Trainer::evaluate() { return session_->evaluate(); }
void Trainer::save_step_plan(const std::string& path) const { save_plan(session_->main_plan, path); }
TrainingEstimate Trainer::estimate() const { return session_->estimate(); }
TrainingSummary Trainer::train(const TrainingCallbacks& callbacks) { return Run(*session_, callbacks).go(); }

void inspect_training_step(const LanguageModel& model, const LoraAdapter& adapter, const TrainingArguments& arguments,
                           int64_t block_size, CompileReport* report) {
  const StepPart part = arguments.grad_accum > 1 ? StepPart::accumulate : StepPart::whole;
  compile(*step_graph(model, adapter, step_options(arguments, block_size), part), {}, report);
}

}  // namespace hearth
