// SPDX-License-Identifier: Apache-2.0
#include "cli/fit_flag.h"

#include <fmt/format.h>

#include "base/file.h"
#include "cli/progress_format.h"
#include "io/nearest.h"
#include "train/metrics/memory.h"
#include "train/optimizer_state.h"

namespace hearth {

// "auto": nine tenths of the free memory, as other programs need some, and the estimate may be off by as much.
static int64_t limit_of(const std::string& text) {
  if (text == "auto") return machine_memory().available_bytes / 10 * 9;
  const std::optional<int64_t> bytes = parse_bytes(text);
  if (!bytes || *bytes <= 0)
    throw UsageError(cat("--fit: '", printable(text), "' is no size; write it like 8GB, 600MiB, or auto"));
  return *bytes;
}

// The batches of the newest checkpoint's run, where they make up steps of as many rows.
static bool take_from_checkpoint(FinetuneFlags* flags) {
  const std::string folder = checkpoint_path(flags->output, checkpoint_steps(flags->output).back());
  const std::string path = join_path(folder, "trainer_state.json");
  const Json state = read_json_file(path);
  const JsonView run = JsonView(state, path).object("run");
  const int64_t batch = run.integer("batch-size", {.min = 1, .max = 1 << 20}),
                accum = run.integer("grad-accum", {.min = 1, .max = 1 << 20});
  if (batch * accum != flags->step.batch_size * flags->grad_accum) return false;
  flags->step.batch_size = batch;
  flags->grad_accum = accum;
  flags->step.checkpointing = run.boolean_or("checkpointing", false);
  return true;
}

std::optional<Fit> apply_fit(FinetuneFlags* flags, const Objective& objective, const LanguageModel& model,
                             LoraAdapter* adapter, const TokenBlocks& train, const TokenBlocks* eval) {
  if (flags->fit.empty()) return std::nullopt;
  const int64_t limit = limit_of(flags->fit);
  if (flags->resume && take_from_checkpoint(flags)) return std::nullopt;
  TrainingArguments arguments = training_arguments(*flags);
  arguments.objective = objective;
  const Fit fit = fit_memory(model, adapter, arguments, train, eval, limit);
  flags->step.batch_size = fit.chosen.batch_size;
  flags->grad_accum = fit.chosen.grad_accum;
  flags->step.checkpointing = fit.chosen.checkpointing;
  return fit;
}

static std::string trial_text(const FitTrial& trial) {
  return fmt::format("{} x {} rows{}", trial.grad_accum, trial.batch_size,
                     trial.checkpointing ? " with checkpointing" : "");
}

std::string fit_text(const Fit& fit) {
  std::string text = fmt::format("{}: {} of {}", trial_text(fit.chosen), format_bytes(fit.chosen.memory_bytes),
                                 format_bytes(fit.limit_bytes));
  for (const FitTrial& trial : fit.too_large)
    text += fmt::format("{} {}: {}", &trial == fit.too_large.data() ? "; too large:" : ",", trial_text(trial),
                        format_bytes(trial.memory_bytes));
  return text;
}

}  // namespace hearth
