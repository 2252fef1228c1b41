// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training step as a graph. Inputs by name, all others are weights ("weight:...") and LoRA matrices
// ("lora.<m>.a/b"):
//   tokens i32[B,T]
//   labels i32[B*T]    the next token, -100 where none counts
//   segments, positions i32[B,T]   with packed rows only: which document, and the place in it
//   rng u64[2]         {seed, counter}, with dropout
//   m.<x>, v.<x> f32   AdamW states of "lora.<m>.a/b", without the prefix
//   g.<x>, loss_sum    with accumulation only: sums of the micro-batches' gradients and losses
//   scalars f32[4]     learning rate, 1 - beta1^t, 1 - beta2^t, 1 / tokens that count
// Outputs: loss (sum over tokens), grad_norm, finite; matrices and states are updated in place, and only if the losses
// of all micro-batches and the norm are finite.

#include <memory>

#include "ops/adamw/adamw.h"
#include "train/lora_inputs.h"

namespace hearth {

struct StepGraphOptions {
  int64_t batch = 8, block = 256;
  bool packed = false;  // several documents in a row: inputs segments and positions
  DType dtype = DType::f32;
  bool checkpointing = false;
  double clip = 1.0;
  AdamWOptions adamw = {};
  double loraplus_ratio = 1;  // rate of B and of vectors over that of the others. Hayou et al. 2024, arXiv:2402.12354
};

enum class StepPart {
  whole,       // gradients and update in one plan: one micro-batch a step
  accumulate,  // adds a micro-batch's gradients to g.<x>, its loss to loss_sum
  update,      // clips and applies g.<x>, and sets it and loss_sum to zero
};

std::unique_ptr<Graph> step_graph(const LanguageModel& model, const LoraAdapter& adapter,
                                  const StepGraphOptions& options, StepPart part);

// Loss of a batch: inputs tokens, labels; output loss (sum over tokens).
std::unique_ptr<Graph> loss_graph(const LanguageModel& model, const LoraAdapter* adapter,
                                  const StepGraphOptions& options);

// Inputs tokens, labels; outputs one f32 scalar per place of the model, its name the place's: sum of |x| * 0, so 0, or
// NaN where something is not finite. For naming the tensor at fault.
std::unique_ptr<Graph> finite_graph(const LanguageModel& model, const LoraAdapter& adapter,
                                    const StepGraphOptions& options);

}  // namespace hearth
