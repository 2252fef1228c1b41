// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "compiler/compile.h"
#include "ops/matmul/gemm.h"
#include "plan/plan_file.h"
#include "runtime/session.h"
#include "train/batches.h"
#include "train/memory_estimate.h"
#include "train/metrics/memory.h"
#include "train/optimizer_state.h"
#include "train/run_log.h"
#include "train/step_graph.h"

namespace hearth {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Key of the random numbers of one micro-batch: seed and number, mixed (splitmix64's finaliser).
uint64_t micro_batch_key(uint64_t seed, int64_t number) {
  uint64_t z = seed + 0x9e3779b97f4a7c15ull * uint64_t(number + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

void check_arguments(const TrainingArguments& a, const LanguageModel& model, const TokenBlocks& train) {
  HEARTH_CHECK(a.batch_size > 0, value, "train: batch size must be at least 1; it is ", a.batch_size);
  HEARTH_CHECK(a.grad_accum > 0, value, "train: grad accum must be at least 1; it is ", a.grad_accum);
  HEARTH_CHECK(a.epochs > 0 || a.max_steps > 0, value, "train: epochs must be above 0; they are ", a.epochs);
  HEARTH_CHECK(
      a.max_steps >= 0 && a.stop_after >= 0 && a.save_every >= 0 && a.clip >= 0 && a.optimizer.weight_decay >= 0, value,
      "train: steps, clip and weight decay must not be negative");
  HEARTH_CHECK(std::isfinite(a.learning_rate) && a.learning_rate >= 0, value,
               "train: learning rate must be a number >= 0; it is ", a.learning_rate);
  HEARTH_CHECK(a.dtype == DType::f32 || a.dtype == DType::bf16, unsupported, "train: dtype must be f32 or bf16; it is ",
               a.dtype);
  HEARTH_CHECK(train.count() > 0, value, "train: there is no block of tokens to train on");
  HEARTH_CHECK(train.block_size >= 2, value, "train: a block needs at least 2 tokens; it has ", train.block_size);
  HEARTH_CHECK(train.block_size <= model.spec().max_positions, value, "train: blocks of ", train.block_size,
               " tokens are longer than the model's context of ", model.spec().max_positions, "; use --block-size ",
               model.spec().max_positions, " or less");
}

StepGraphOptions step_options(const TrainingArguments& a, int64_t block, bool packed = false) {
  OptimizerOptions optimizer = a.optimizer;
  optimizer.ns_dtype = a.dtype;
  return {.batch = a.batch_size,
          .block = block,
          .packed = packed,
          .dtype = a.dtype,
          .checkpointing = a.checkpointing,
          .update = {.optimizer = optimizer, .clip = a.clip, .loraplus_ratio = a.loraplus_ratio}};
}

}  // namespace

struct Trainer::State {
  const LanguageModel& model;
  LoraAdapter adapter;
  const TrainingArguments arguments;
  const TokenBlocks& train;
  const TokenBlocks* eval;
  const StepGraphOptions options;
  OptimizerState optimizer;
  Batches batches;
  Schedule schedule;
  Plan main_plan, update_plan, eval_plan;  // main: the whole step, or the accumulating part
  std::shared_ptr<Arena> arena;
  std::unique_ptr<Session> main, update, evaluation;
  std::map<int64_t, std::unique_ptr<Session>> narrow;  // main for batches of shorter examples, by their width
  Batch batch;
  uint64_t rng[2] = {0, 0};
  float scalars[4] = {0, 0, 0, 0};
  float loss_sum = 0;  // of the micro-batches since the last update
  TrainingProgress progress;

  State(const LanguageModel& m, LoraAdapter a, const TrainingArguments& args, const TokenBlocks& t,
        const TokenBlocks* e)
      : model(m),
        adapter(std::move(a)),
        arguments(args),
        train(t),
        eval(e),
        options(step_options(args, t.block_size, t.packed())),
        batches(t, {.batch_size = args.batch_size,
                    .shuffle = args.shuffle,
                    .seed = args.seed,
                    .group_by_length = args.group_by_length,
                    .any_width = true}),
        schedule(args.schedule, args.learning_rate, total_steps()) {
    progress.run = args.run_description;
  }

  bool accumulates() const { return arguments.grad_accum > 1; }

  void compile_plans() {
    main_plan = compile(*step_graph(model, adapter, options, main_part()));
    if (accumulates()) update_plan = compile(*step_graph(model, adapter, options, StepPart::update));
    if (!eval) return;
    StepGraphOptions eval_options = options;
    eval_options.block = eval->block_size;
    eval_options.packed = eval->packed();
    eval_plan = compile(*loss_graph(model, &adapter, eval_options));
  }

  std::vector<const Plan*> plans() const {
    std::vector<const Plan*> all = {&main_plan};
    if (accumulates()) all.push_back(&update_plan);
    if (eval) all.push_back(&eval_plan);
    return all;
  }

  // Arenas, optimizer states, bindings: everything that costs memory, made when training begins.
  void open_sessions() {
    if (main) return;
    optimizer = OptimizerState::zeros(trained_tensors(model, adapter), options.update.optimizer, accumulates());
    arena = Arena::for_plans(plans());
    const auto open = [&](const Plan& plan) {
      auto session = std::make_unique<Session>(plan, SessionOptions{arena});
      bind(*session);
      return session;
    };
    main = open(main_plan);
    if (accumulates()) update = open(update_plan);
    if (eval) evaluation = open(eval_plan);
  }

  StepPart main_part() const { return accumulates() ? StepPart::accumulate : StepPart::whole; }

  // The step for batches of this width; those of shorter examples are compiled when the first such batch comes.
  Session& session_for(int64_t width) {
    if (width == options.block) return *main;
    std::unique_ptr<Session>& session = narrow[width];
    if (session) return *session;
    StepGraphOptions o = options;
    o.block = width;
    const Plan plan = compile(*step_graph(model, adapter, o, main_part()));
    session = std::make_unique<Session>(plan, SessionOptions{arena->fits(plan) ? arena : nullptr});
    bind(*session);
    return *session;
  }

  void bind(Session& session) {
    WeightInputs::bind(session, model.folder());
    bind_lora(session, adapter);
    optimizer.bind(session);
    for (size_t i = 0; i < session.inputs(); ++i) {
      const std::string& name = session.input_name(i);
      if (name == "rng") session.bind_input(i, rng);
      if (name == "scalars") session.bind_input(i, scalars);
      if (name == "loss_sum") session.bind_input(i, &loss_sum);
    }
  }

  static void bind_batch(Session& session, Batch& batch) {
    session.bind_input("tokens", batch.tokens.data());
    session.bind_input("labels", batch.labels.data());
    if (batch.segments.empty()) return;
    session.bind_input("segments", batch.segments.data());
    session.bind_input("positions", batch.positions.data());
  }

  int64_t steps_per_epoch() const { return (batches.per_epoch() + arguments.grad_accum - 1) / arguments.grad_accum; }
  int64_t total_steps() const {
    if (arguments.max_steps > 0) return arguments.max_steps;
    return std::max<int64_t>(1, int64_t(std::ceil(arguments.epochs * double(steps_per_epoch()) - 1e-9)));
  }

  // One optimizer step: 0-based number `step`. Returns loss (mean per token) and gradient norm.
  StepReport take_step(int64_t step) {
    StepReport report{.step = step + 1, .steps = total_steps()};
    const int64_t epoch = step / steps_per_epoch(), first = step % steps_per_epoch() * arguments.grad_accum;
    const int64_t end = std::min(first + arguments.grad_accum, batches.per_epoch());
    Session* last = main.get();
    report.learning_rate = schedule.at(step);
    scalars[0] = float(report.learning_rate);
    const std::array<double, 2> numbers = step_numbers(arguments.optimizer, step + 1);
    scalars[1] = float(numbers[0]);
    scalars[2] = float(numbers[1]);
    double loss = 0;
    int64_t counted = 0;
    for (int64_t micro = first; micro < end; ++micro) {
      batches.fill(epoch, micro, batch);
      counted += batch.counted;
      scalars[3] = float(1.0 / double(std::max<int64_t>(1, counted)));
      rng[0] = micro_batch_key(arguments.seed, epoch * batches.per_epoch() + micro);
      last = &session_for(batch.width);
      bind_batch(*last, batch);
      last->run();
      loss += *static_cast<const float*>(last->output("loss"));
    }
    if (accumulates()) update->run();
    Session& last_session = accumulates() ? *update : *last;
    report.grad_norm = *static_cast<const float*>(last_session.output("grad_norm"));
    report.loss = loss / double(std::max<int64_t>(1, counted));
    report.epoch = double(step + 1) / double(steps_per_epoch());
    if (!std::isfinite(report.loss) || *static_cast<const int32_t*>(last_session.output("finite")) == 0)
      fail_not_finite(report);
    progress.step = step + 1;
    progress.tokens += counted;
    progress.loss_sum += report.loss;
    if (!eval) schedule.observe(report.loss);
    return report;
  }

  // Runs the forward pass once more with a probe at every place, and names the first that is not finite.
  [[noreturn]] void fail_not_finite(const StepReport& report) {
    StepGraphOptions o = options;
    o.block = batch.width;
    const std::unique_ptr<Graph> graph = finite_graph(model, adapter, o);
    Session session(compile(*graph));
    WeightInputs::bind(session, model.folder());
    bind_lora(session, adapter);
    bind_batch(session, batch);
    session.run();
    std::string place = std::isfinite(report.loss) ? "a gradient (the loss is finite)" : "the loss";
    for (size_t o = session.outputs(); o-- > 0;) {
      if (!std::isfinite(*static_cast<const float*>(session.output(o)))) place = session.output_name(o);
    }
    HEARTH_FAIL(numeric, "train: step ", report.step, " is not finite: loss ", report.loss, ", gradient norm ",
                report.grad_norm, "\n  first in ", place, "\n  the adapter is as it was after step ", report.step - 1,
                "\n  hint: a lower --lr, or --dtype f32");
  }

  EvalReport evaluate() {
    HEARTH_CHECK(eval, state, "evaluate: the trainer was given no evaluation data");
    open_sessions();
    return run_evaluation(*evaluation, *eval, arguments.batch_size);
  }

  static EvalReport run_evaluation(Session& session, const TokenBlocks& blocks, int64_t batch_size) {
    Batches order(blocks, {.batch_size = batch_size});
    Batch part;
    EvalReport report;
    double sum = 0, hits = 0;
    for (int64_t i = 0; i < order.per_epoch(); ++i) {
      order.fill(0, i, part);
      bind_batch(session, part);
      session.run();
      sum += *static_cast<const float*>(session.output("loss"));
      hits += *static_cast<const int32_t*>(session.output("hits"));
      report.tokens += part.counted;
    }
    report.loss = sum / double(std::max<int64_t>(1, report.tokens));
    report.accuracy = hits / double(std::max<int64_t>(1, report.tokens));
    return report;
  }
};

Trainer::Trainer(const LanguageModel& model, LoraAdapter adapter, const TrainingArguments& arguments,
                 const TokenBlocks& train, const TokenBlocks* eval) {
  check_arguments(arguments, model, train);
  state_ = std::make_unique<State>(model, std::move(adapter), arguments, train, eval);
  state_->compile_plans();
}
Trainer::~Trainer() = default;

const LoraAdapter& Trainer::adapter() const { return state_->adapter; }
EvalReport Trainer::evaluate() { return state_->evaluate(); }
void Trainer::save_step_plan(const std::string& path) const { save_plan(state_->main_plan, path); }

TrainingEstimate Trainer::estimate() const {
  const State& s = *state_;
  TrainingEstimate e;
  e.trainable = s.adapter.parameters();
  e.parameters = s.model.parameters() + e.trainable;
  e.blocks = s.train.count();
  e.tokens = s.train.has_examples() ? s.train.token_count() : s.train.count() * s.train.block_size;
  e.steps_per_epoch = s.steps_per_epoch();
  e.steps = s.total_steps();
  e.optimizer_bytes = e.trainable * 4 * (s.accumulates() ? 2 : 1);
  for (const TrainedTensor& tensor : trained_tensors(s.model, s.adapter)) {
    for (const StateSpec& state : optimizer_states(s.arguments.optimizer, tensor))
      e.optimizer_bytes += state.type.bytes();
  }
  for (const Plan* plan : s.plans()) {
    int64_t arena = 0;
    for (const int64_t bytes : plan->arena_bytes) arena += bytes;
    e.activation_bytes = std::max(e.activation_bytes, arena);
  }
  e.weight_bytes = weight_bytes_read(s.main_plan);
  e.memory_bytes = e.activation_bytes + e.optimizer_bytes + e.weight_bytes + working_bytes();
  return e;
}

TrainingSummary Trainer::train(const TrainingCallbacks& callbacks) {
  State& s = *state_;
  const TrainingArguments& a = s.arguments;
  s.open_sessions();
  const bool saves = !a.output_dir.empty();
  HEARTH_CHECK(saves || !a.resume, state, "resume: there is no output folder to resume from");
  if (saves) {
    if (a.resume) {
      s.progress = load_checkpoint(a.output_dir, a.run_description, s.model, s.adapter, s.optimizer);
      s.schedule.restore(JsonView(s.progress.schedule, a.output_dir, "schedule"));
    } else {
      HEARTH_CHECK(
          checkpoint_steps(a.output_dir).empty(), state, "train: '", a.output_dir,
          "' holds checkpoints of an earlier run\n  hint: --resume goes on with it; or choose another --output");
    }
    ensure_folder(a.output_dir);  // not before: where there is nothing to resume, no folder is left behind
    remove_leftovers(a.output_dir);
  }
  const int64_t total = s.total_steps(), end = a.stop_after > 0 ? std::min(a.stop_after, total) : total;
  RunLog log(a.output_dir, s.progress.step);
  const auto evaluate_now = [&] {
    if (!s.eval) return;
    EvalReport report = s.evaluate();
    report.step = s.progress.step;
    report.epoch = double(report.step) / double(s.steps_per_epoch());
    log.evaluation(report);
    if (report.step > 0) s.schedule.observe(report.loss);
    if (callbacks.evaluation) callbacks.evaluation(report);
  };
  const auto save = [&] {
    if (!saves) return;
    s.progress.schedule = s.schedule.state();
    save_checkpoint(a.output_dir, s.progress, s.adapter, s.optimizer);
    keep_last_checkpoints(a.output_dir, a.keep_checkpoints);
  };
  if (s.progress.step == 0) evaluate_now();
  const double before = s.progress.seconds, start = now_seconds();
  TrainingSummary summary;
  bool stop = false;
  while (s.progress.step < end && !stop) {
    const double step_start = now_seconds();
    const int64_t tokens_before = s.progress.tokens;
    StepReport report = s.take_step(s.progress.step);
    report.tokens_per_second = double(s.progress.tokens - tokens_before) / std::max(1e-9, now_seconds() - step_start);
    report.memory_bytes = peak_resident_bytes();
    s.progress.seconds = before + now_seconds() - start;
    log.step(report);
    if (callbacks.step) callbacks.step(report);
    if (s.progress.step % s.steps_per_epoch() == 0 || s.progress.step == total) evaluate_now();
    stop = callbacks.stop && callbacks.stop();
    const bool due = a.save_every > 0 && s.progress.step % a.save_every == 0;
    if (due || stop || s.progress.step == end) save();
  }
  log.draw();
  if (saves) s.adapter.save(a.output_dir);
  summary.steps = s.progress.step;
  summary.tokens = s.progress.tokens;
  summary.seconds = s.progress.seconds;
  summary.mean_loss = s.progress.loss_sum / double(std::max<int64_t>(1, s.progress.step));
  summary.memory_bytes = peak_resident_bytes();
  summary.stopped = s.progress.step < total;
  return summary;
}

void inspect_training_step(const LanguageModel& model, const LoraAdapter& adapter, const TrainingArguments& arguments,
                           int64_t block_size, CompileReport* report) {
  const StepPart part = arguments.grad_accum > 1 ? StepPart::accumulate : StepPart::whole;
  compile(*step_graph(model, adapter, step_options(arguments, block_size), part), {}, report);
}

}  // namespace hearth
