// SPDX-License-Identifier: Apache-2.0
#pragma once
// Trainer: LoRA tuning of a language model on blocks of tokens, or on examples of different lengths.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "text/dataset.h"
#include "train/evaluate.h"
#include "train/lora.h"
#include "train/objective.h"
#include "train/optimizers/optimizer.h"
#include "train/run_control.h"
#include "train/schedule.h"

namespace hearth {

struct TrainingArguments {
  std::string output_dir = {};  // the trainer writes log.jsonl, TensorBoard events, loss.svg, checkpoints and the
                                // adapter there; empty: nothing is written
  int64_t batch_size = 8;       // blocks (or pairs of answers) per micro-batch
  int64_t grad_accum = 1;       // micro-batches per step
  double epochs = 3;
  int64_t max_steps = 0;   // > 0: this many steps, whatever the epochs
  int64_t stop_after = 0;  // > 0: stop after this step; the schedule is that of the whole run
  double learning_rate = 2e-4;
  ScheduleOptions schedule = {};
  OptimizerOptions optimizer = {};
  Objective objective = {};
  LossTerms loss_terms = {};
  double neftune_alpha = 0;
  double loraplus_ratio = 1;  // learning rate of the B matrices over that of A
  double clip = 1.0;          // largest gradient norm; 0: no clipping
  uint64_t seed = 0;
  bool shuffle = true;
  bool group_by_length = false;          // examples of similar length in a batch
  DType dtype = DType::f32;              // of activations: f32, bf16, or f16 with loss scaling
  bool checkpointing = false;            // recompute each layer in the backward pass
  std::optional<DType> save_dtype = {};  // of a fully tuned model; else each weight keeps its own
  int64_t save_every = 0;                // steps between checkpoints; 0: only at the end of the run
  RunControlOptions control = {};
  int64_t keep_checkpoints = 2;  // older ones are deleted
  bool resume = false;
  std::string run_description = {};  // JSON object: what a resumed run must agree on (recorded in the checkpoints)
};

struct StepReport {
  int64_t step = 0, steps = 0;  // done, in all
  double epoch = 0;
  double loss = 0, grad_norm = 0;  // mean per token or pair; norm before clipping
  double learning_rate = 0;        // used in this step
  double tokens_per_second = 0;
  int64_t memory_bytes = 0;   // peak resident
  NamedNumbers metrics = {};  // of the objective
  double loss_scale = 0;      // used in this step, with f16
  bool skipped = false;       // the gradients were not finite at that scale: nothing changed
};

struct TrainingCallbacks {
  std::function<void(const StepReport&)> step = {};
  std::function<void(const EvalReport&)> evaluation =
      {};                           // before the first step and then as control says, with eval data
  std::function<bool()> stop = {};  // true: save a checkpoint and end after this step
};

struct TrainingSummary {
  int64_t steps = 0, tokens = 0;
  double seconds = 0, mean_loss = 0;
  int64_t memory_bytes = 0;
  bool stopped = false;                   // by stop or stop_after, before the last step
  bool stopped_early = false;             // by the evaluations
  int64_t skipped = 0;                    // steps, with f16
  std::optional<int64_t> best_step = {};  // with evaluations: where the loss was lowest
  double best_loss = 0;
};

// What a run will take, known before its first step.
struct TrainingEstimate {
  int64_t trainable = 0, parameters = 0;
  int64_t blocks = 0, tokens = 0, steps = 0, steps_per_epoch = 0;
  int64_t activation_bytes = 0, optimizer_bytes = 0, weight_bytes = 0, memory_bytes = 0;  // memory: peak resident
};

class Trainer {
 public:
  // The model and the datasets must outlive the trainer. Compiles the training step. Throws Error{value} for arguments
  // that make no sense and for blocks longer than the model's context.
  Trainer(const LanguageModel& model, LoraAdapter adapter, const TrainingArguments& arguments, const TokenBlocks& train,
          const TokenBlocks* eval = nullptr);
  ~Trainer();

  TrainingEstimate estimate() const;
  // Runs to the end, or from the last checkpoint with resume. Error{numeric} names step and tensor when the loss or a
  // gradient is not finite; Error{state} when there is nothing to resume or the run's description changed.
  TrainingSummary train(const TrainingCallbacks& callbacks = {});
  EvalReport evaluate();                               // on eval data, with the adapter as it is now
  const LoraAdapter& adapter() const;                  // brought up to date by train()
  void save_step_plan(const std::string& path) const;  // the compiled training step

 private:
  std::unique_ptr<class TrainingSession> session_;
};

// Texts of the compile stages of one training step, for `hearth inspect`.
struct CompileReport;
void inspect_training_step(const LanguageModel& model, const LoraAdapter& adapter, const TrainingArguments& arguments,
                           int64_t block_size, CompileReport* report);

}  // namespace hearth
