// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth finetune: tunes a model on a text with LoRA.

#include "cli/control_flags.h"
#include "cli/data_flags.h"
#include "cli/flags_command.h"
#include "cli/lora_flags.h"
#include "cli/loss_flags.h"
#include "cli/objective_flags.h"
#include "cli/optimizer_flags.h"
#include "cli/schedule_flags.h"
#include "cli/training_flags.h"

namespace hearth {

struct FinetuneFlags {
  std::string model, data, output, eval_data, init, save_dtype;
  LoraFlags lora;
  DataFlags examples;
  ObjectiveFlags objective;
  StepFlags step;
  ScheduleFlags schedule;
  OptimizerFlags optimizer;
  LossFlags loss;
  ControlFlags control;
  std::string blocks = "stream", fit;
  int64_t grad_accum = 1, max_steps = 0, stop_after = 0, save_every = 0;
  double epochs = 3, clip = 1, loraplus_lr_ratio = 1;
  uint64_t seed = 0;
  bool no_shuffle = false, full = false, resume = false, dry_run = false;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("files");
    flag("model", model, "folder with config.json, weights and tokenizer", {.needed = true, .path = PathKind::folder});
    flag("init", init, "train a new model of this config.json from scratch; --model gives the tokenizer only",
         {.path = PathKind::file});
    flag("data", data, "text to learn from, or examples: .jsonl or .json", {.needed = true, .path = PathKind::file});
    flag("output", output, "folder for the adapter, the log, the loss curve and checkpoints",
         {.needed = true, .path = PathKind::folder});
    flag("eval-data", eval_data, "text or examples to evaluate on before training and while it goes",
         {.path = PathKind::file});
    flag.group("full tuning");
    flag("full", full, "train all weights of the model, which is saved as OUTPUT/model; no adapter");
    flag("save-dtype", save_dtype, "type of the weights that are saved",
         {.allowed = {"f32", "bf16", "f16"}, .default_text = "that of each weight in --model, or of --init"});
    lora.visit(flag);
    examples.visit(flag);
    objective.visit(flag);
    flag.group("batches");
    flag("blocks", blocks, "stream: one <s>, then the whole text; textdataset: special tokens around each block",
         {.allowed = {"stream", "textdataset"}});
    step.visit(flag);
    flag("grad-accum", grad_accum, "batches summed up in a step", {.minimum = 1, .maximum = 1 << 20});
    flag("fit", fit, "choose batch size, accumulation and checkpointing for this much memory; a step keeps its rows",
         {.value_name = "SIZE|auto", .default_text = "as --batch-size, --grad-accum and --checkpointing say"});
    flag("no-shuffle", no_shuffle, "take the blocks or examples in the order of the file");
    flag.group("training");
    flag("epochs", epochs, "how often the text is read", {.maximum = 1e6, .above = 0});
    flag("max-steps", max_steps, "exactly so many steps, whatever the epochs",
         {.minimum = 0, .default_text = "0 = by the epochs"});
    flag("stop-after", stop_after, "stop after this step of the whole run", {.hidden = true, .minimum = 0});
    schedule.visit(flag);
    flag("loraplus-lr-ratio", loraplus_lr_ratio, "LoRA+: learning rate of the B matrices over that of A",
         {.maximum = 1e6, .above = 0});
    optimizer.visit(flag);
    loss.visit(flag);
    flag("clip", clip, "largest norm of the gradient; 0: any", {.minimum = 0});
    control.visit(flag);
    flag.group("run");
    flag("seed", seed, "of the new adapter, the order of the blocks and dropout");
    flag("save-every", save_every, "steps between checkpoints", {.minimum = 0, .default_text = "0 = only at the end"});
    flag("resume", resume, "go on from the last checkpoint in --output, bit for bit");
    flag("dry-run", dry_run, "print what would be done and the memory it takes; write nothing");
  }
};

int run_finetune(const FinetuneFlags& flags, const CommonFlags& common);

// The arguments of the trainer, but for objective and run_description.
TrainingArguments training_arguments(const FinetuneFlags& flags);

}  // namespace hearth
