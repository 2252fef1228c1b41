// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training step as a graph. Inputs by name, all others are weights ("weight:...") and LoRA matrices
// ("lora.<m>.a/b"):
//   tokens i32[B,T]
//   labels i32[B*T]    the next token, -100 where none counts
//   segments, positions i32[B,T]   with packed rows only: which document, and the place in it
//   rng u64[2]         {seed, counter}, with dropout or noise
//   m.<x>, v.<x> ...   the optimizer's states of "lora.<m>.a/b", without the prefix: optimizer_states
//   seed f32           with f16 only: what derivatives are multiplied by; scalars[3] holds its inverse, too
//   g.<x>, loss_sum    with accumulation only: sums of the micro-batches' gradients and losses
//   scalars f32[4]     learning rate, the optimizer's step_numbers (2), 1 / tokens (or pairs) that count
//   reference f32[B]   with preferences only: log-probabilities of the rows' answers before training
// Outputs: loss (sum over tokens or pairs), the objective's metrics if it has any, grad_norm, finite; matrices and
// states are updated in place, and only if the losses of all micro-batches and the norm are finite.

#include <memory>

#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "train/lora_inputs.h"
#include "train/objective.h"
#include "train/optimizer_graph.h"

namespace hearth {

struct StepGraphOptions {
  int64_t batch = 8, block = 256;
  bool packed = false;  // several documents in a row: inputs segments and positions
  DType dtype = DType::f32;
  bool checkpointing = false;
  Objective objective = {};
  UpdateOptions update = {};
  LossTerms loss_terms = {};  // of training, not of evaluation; so is the noise
  double neftune_alpha =
      0;  // noise on the embeddings, uniform in +-alpha / sqrt(T E). Jain et al. 2023, arXiv:2310.05914
};

enum class StepPart {
  whole,       // gradients and update in one plan: one micro-batch a step
  accumulate,  // adds a micro-batch's gradients to g.<x>, its loss to loss_sum
  update,      // clips and applies g.<x>, and sets it and loss_sum to zero
};

std::unique_ptr<Graph> step_graph(const LanguageModel& model, const LoraAdapter& adapter,
                                  const StepGraphOptions& options, StepPart part);

// Loss of a batch, without changing anything: inputs as above; outputs loss, metrics, and hits, i32: labels that were
// the likeliest, or pairs of which the chosen answer has the larger reward.
std::unique_ptr<Graph> loss_graph(const LanguageModel& model, const LoraAdapter* adapter,
                                  const StepGraphOptions& options);

// Inputs tokens, labels; outputs one f32 scalar per place of the model, its name the place's: sum of |x| * 0, so 0, or
// NaN where something is not finite. For naming the tensor at fault.
std::unique_ptr<Graph> finite_graph(const LanguageModel& model, const LoraAdapter& adapter,
                                    const StepGraphOptions& options);

}  // namespace hearth
