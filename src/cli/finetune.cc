// SPDX-License-Identifier: Apache-2.0
#include "cli/finetune.h"

#include <iostream>
#include <memory>

#include "base/file.h"
#include "cli/finetune_report.h"
#include "cli/fit_flag.h"
#include "cli/interrupt.h"
#include "cli/open_model.h"
#include "cli/progress.h"
#include "cli/progress_format.h"
#include "cli/run_folder.h"
#include "train/full_weights.h"
#include "train/metrics/memory.h"

namespace hearth {

TrainingArguments training_arguments(const FinetuneFlags& flags) {
  TrainingArguments a;
  apply(flags.step, &a);
  a.output_dir = flags.output;
  a.grad_accum = flags.grad_accum;
  a.epochs = flags.epochs;
  a.max_steps = flags.max_steps;
  a.stop_after = flags.stop_after;
  a.learning_rate = flags.schedule.lr;
  a.schedule = schedule_options(flags.schedule);
  a.optimizer = optimizer_options(flags.optimizer);
  apply(flags.loss, &a);
  a.loraplus_ratio = flags.loraplus_lr_ratio;
  a.clip = flags.clip;
  a.seed = flags.seed;
  a.shuffle = !flags.no_shuffle;
  a.group_by_length = flags.examples.group_by_length;
  if (DType dtype; parse_dtype(flags.save_dtype, &dtype)) a.save_dtype = dtype;
  a.save_every = flags.save_every;
  a.control = control_options(flags.control);
  a.resume = flags.resume;
  return a;
}

namespace {
// Shows a run while it goes.
class RunDisplay {
 public:
  RunDisplay(const FinetunePlan& plan, bool quiet) : plan_(plan), quiet_(quiet) {}

  void step(const StepReport& report) {
    open(report.step - 1)
        .update({.step = report.step,
                 .total = report.steps,
                 .loss = report.loss,
                 .has_loss = true,
                 .tokens_per_second = report.tokens_per_second,
                 .memory_bytes = report.memory_bytes,
                 .epoch = report.epoch,
                 .epochs = plan_.flags.max_steps > 0 ? 0 : plan_.flags.epochs});
  }
  void evaluation(const EvalReport& report) {
    evaluations.push_back(report);
    open(report.step).message(cat("held-out after step ", report.step, ": ", evaluation_line(report)));
  }
  void finish() { progress_.reset(); }

  std::vector<EvalReport> evaluations;

 private:
  // Made at the first report, which tells where a resumed run begins.
  Progress& open(int64_t first_step) {
    if (!progress_) progress_ = std::make_unique<Progress>(ProgressOptions{.quiet = quiet_, .first_step = first_step});
    return *progress_;
  }
  const FinetunePlan& plan_;
  const bool quiet_;
  std::unique_ptr<Progress> progress_;
};
}  // namespace

static void warn_of_memory(const TrainingEstimate& estimate) {
  const MachineMemory machine = machine_memory();
  if (machine.available_bytes == 0 || estimate.memory_bytes <= machine.available_bytes) return;
  std::cerr << "warning: this run takes " << format_bytes(estimate.memory_bytes) << ", but only "
            << format_bytes(machine.available_bytes)
            << " are free; --checkpointing, or a smaller --batch-size or --block-size, needs less\n";
}

// Full tuning has no adapter, and only it writes weights.
static void check_full(const FinetuneFlags& flags, const std::set<std::string>& given) {
  if (!flags.full && !flags.save_dtype.empty()) throw UsageError("--save-dtype needs --full or --init");
  LoraFlags lora;
  for (const Flag& flag : flag_table(lora).flags) {
    if (flags.full && given.count(flag.name))
      throw UsageError(cat("--", flag.name, " and --", flags.init.empty() ? "full" : "init",
                           " cannot be given together: full tuning has no adapter"));
  }
}

static LoraAdapter make_trained(const LanguageModel& model, FinetuneFlags& flags, const std::set<std::string>& given) {
  if (!flags.init.empty()) return new_weights(model, flags.seed);
  return flags.full ? all_weights(model) : make_adapter(model, flags.lora, flags.seed, given);
}

// Runs the training; does not return when the user ended it.
static FinetuneResult train(Trainer& trainer, const FinetunePlan& plan, const CommonFlags& common) {
  RunDisplay display(plan, common.quiet);
  const Interrupt interrupt;
  TrainingCallbacks callbacks;
  callbacks.step = [&](const StepReport& report) { display.step(report); };
  callbacks.evaluation = [&](const EvalReport& report) { display.evaluation(report); };
  callbacks.stop = [&] { return interrupt.pending(); };
  const TrainingSummary summary = trainer.train(callbacks);
  display.finish();
  if (interrupt.pending() && summary.stopped) {
    if (!common.quiet) std::cerr << "stopped after step " << summary.steps << "; --resume goes on from there\n";
    interrupt.die();
  }
  return {summary, display.evaluations};
}

int run_finetune(const FinetuneFlags& given, const CommonFlags& common) {
  FinetuneFlags flags = given;
  Objective objective = make_objective(flags.objective, common.given);
  flags.full = flags.full || !flags.init.empty();
  check_full(flags, common.given);
  check_control(flags.control, flags.eval_data);
  check_output_folder(flags);
  const LanguageModel model =
      flags.init.empty() ? LanguageModel::load(flags.model) : LanguageModel::blank(flags.init, flags.model);
  std::optional<LanguageModel> teacher;
  if (objective.distils()) objective.teacher = &teacher.emplace(LanguageModel::load(flags.objective.teacher));
  LoraAdapter trained = make_trained(model, flags, common.given);
  DataSource source{.file = flags.data,
                    .blocks = flags.blocks,
                    .block_size = flags.step.block_size,
                    .examples = example_options(flags.examples),
                    .output = flags.output,
                    .pairs = objective.prefers()};
  const TokenBlocks blocks = open_data(model, source);
  TokenBlocks eval_blocks;
  source.file = flags.eval_data;
  if (!source.file.empty()) eval_blocks = open_data(model, source);
  const TokenBlocks* eval = flags.eval_data.empty() ? nullptr : &eval_blocks;
  const std::optional<Fit> fit = apply_fit(&flags, objective, model, &trained, blocks, eval);
  TrainingArguments arguments = training_arguments(flags);
  arguments.objective = objective;
  arguments.run_description = describe_run(flags, model, objective.teacher);
  Trainer trainer(model, std::move(trained), arguments, blocks, eval);
  const FinetunePlan plan{flags, model, trainer.adapter(), blocks, trainer.estimate(), fit};
  if (flags.dry_run) {
    if (common.json)
      print_json(dry_run_json(plan, common));
    else
      std::cout << dry_run_text(plan, common);
    return 0;
  }
  ensure_folder(flags.output);  // before it says that it begins
  if (!common.quiet) {
    std::cerr << opening_text(plan);
    warn_of_memory(plan.estimate);
  }
  const FinetuneResult result = train(trainer, plan, common);
  if (common.json)
    print_json(result_json(plan, result));
  else if (!common.quiet)
    std::cout << result_text(plan, result);
  return 0;
}

}  // namespace hearth
