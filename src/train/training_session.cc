// SPDX-License-Identifier: Apache-2.0
#include "train/training_session.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "compiler/compile.h"
#include "train/answer_scores.h"
#include "train/full_weights.h"
#include "train/memory_estimate.h"

namespace hearth {

StepGraphOptions step_options(const TrainingArguments& a, int64_t block, bool packed) {
  OptimizerOptions optimizer = a.optimizer;
  optimizer.ns_dtype = a.dtype;
  return {.batch = a.objective.rows(a.batch_size),
          .block = block,
          .packed = packed,
          .dtype = a.dtype,
          .checkpointing = a.checkpointing,
          .objective = a.objective,
          .update = {.optimizer = optimizer, .clip = a.clip, .loraplus_ratio = a.loraplus_ratio},
          .loss_terms = a.loss_terms,
          .neftune_alpha = a.neftune_alpha};
}

TrainingSession::TrainingSession(const LanguageModel& m, LoraAdapter a, const TrainingArguments& args,
                                 const TokenBlocks& t, const TokenBlocks* e)
    : model(m),
      adapter(std::move(a)),
      arguments(args),
      train(t),
      eval(e),
      options_(step_options(args, t.block_size, t.packed())),
      batches_(t, {.batch_size = args.objective.rows(args.batch_size),
                   .shuffle = args.shuffle,
                   .seed = args.seed,
                   .group_by_length = args.group_by_length,
                   .grad_accum = args.grad_accum,
                   .any_width = true}),
      schedule(args.schedule, args.learning_rate, total_steps()) {
  progress.run = args.run_description;
  if (args.objective.distils()) {
    HEARTH_CHECK(adapter.config().dropout == 0 || !adapter.modules().count(m.spec().output.name), unsupported,
                 "distillation with dropout on the output layer's adapter\n  hint: --lora-dropout 0, or leave ",
                 m.spec().output.name, " out of the targets");
    teacher_ = std::make_unique<Teacher>(m, options_);
  }
  main_plan = compile(*step_graph(model, adapter, options_, main_part()));
  if (accumulates()) update_plan = compile(*step_graph(model, adapter, options_, StepPart::update));
  if (!eval) return;
  StepGraphOptions eval_options = options_;
  eval_options.block = eval->block_size;
  eval_options.packed = eval->packed();
  eval_plan = compile(*loss_graph(model, &adapter, eval_options));
}

std::vector<const Plan*> TrainingSession::plans() const {
  std::vector<const Plan*> all = {&main_plan};
  if (accumulates()) all.push_back(&update_plan);
  if (eval) all.push_back(&eval_plan);
  return all;
}

void TrainingSession::open() {
  if (main_) return;
  optimizer = OptimizerState::zeros(trained_tensors(model, adapter), options_.update.optimizer, accumulates());
  arena_ = Arena::for_plans(plans());
  const auto opened = [&](const Plan& plan) {
    auto session = std::make_unique<Session>(plan, SessionOptions{arena_});
    bind(*session);
    return session;
  };
  main_ = opened(main_plan);
  if (accumulates()) update_ = opened(update_plan);
  if (eval) evaluation_ = opened(eval_plan);
  if (!arguments.objective.prefers()) return;
  const AnswerScoreOptions scoring{.batch = arguments.batch_size,
                                   .dtype = arguments.dtype,
                                   .mean = arguments.objective.preference.loss == PreferenceLoss::ipo};
  train_reference_ = answer_scores(model, adapter, train, scoring);
  if (eval) eval_reference_ = answer_scores(model, adapter, *eval, scoring);
}

Session& TrainingSession::session_for(int64_t width) {
  if (width == options_.block) return *main_;
  std::unique_ptr<Session>& session = narrow_[width];
  if (session) return *session;
  StepGraphOptions o = options_;
  o.block = width;
  const Plan plan = compile(*step_graph(model, adapter, o, main_part()));
  session = std::make_unique<Session>(plan, SessionOptions{arena_->fits(plan) ? arena_ : nullptr});
  bind(*session);
  return *session;
}

void TrainingSession::bind(Session& session) {
  WeightInputs::bind(session, model.folder());
  if (teacher_) teacher_->bind_weights(session);
  bind_lora(session, adapter);
  optimizer.bind(session);
  for (size_t i = 0; i < session.inputs(); ++i) {
    const std::string& name = session.input_name(i);
    if (name == "rng") session.bind_input(i, rng_);
    if (name == "scalars") session.bind_input(i, scalars_);
    if (name == "seed") session.bind_input(i, &seed_);
    if (name == "loss_sum") session.bind_input(i, &loss_sum_);
  }
}

int64_t TrainingSession::steps_per_epoch() const {
  return (batches_.per_epoch() + arguments.grad_accum - 1) / arguments.grad_accum;
}

int64_t TrainingSession::total_steps() const {
  if (arguments.max_steps > 0) return arguments.max_steps;
  return std::max<int64_t>(1, int64_t(std::ceil(arguments.epochs * double(steps_per_epoch()) - 1e-9)));
}

TrainingEstimate TrainingSession::estimate() const {
  TrainingEstimate e;
  e.trainable = adapter.parameters();
  e.parameters = model.parameters() + (is_full(model, adapter) ? 0 : e.trainable);
  e.blocks = train.count();
  e.tokens = train.has_examples() ? train.token_count() : train.count() * train.block_size;
  e.steps_per_epoch = steps_per_epoch();
  e.steps = total_steps();
  e.optimizer_bytes = e.trainable * 4 * (accumulates() ? 2 : 1);
  for (const TrainedTensor& tensor : trained_tensors(model, adapter)) {
    for (const StateSpec& state : optimizer_states(arguments.optimizer, tensor))
      e.optimizer_bytes += state.type.bytes();
  }
  for (const Plan* plan : plans()) {
    int64_t arena = 0;
    for (const int64_t bytes : plan->arena_bytes) arena += bytes;
    e.activation_bytes = std::max(e.activation_bytes, arena);
  }
  e.weight_bytes = weight_bytes_read(main_plan);
  if (teacher_) {
    for (const int64_t bytes : teacher_->plan().arena_bytes) e.activation_bytes += bytes;
    e.weight_bytes += arguments.objective.teacher->folder().total_bytes();
  }
  e.memory_bytes = e.activation_bytes + e.optimizer_bytes + e.weight_bytes + working_bytes();
  return e;
}

}  // namespace hearth
