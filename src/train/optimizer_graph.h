// SPDX-License-Identifier: Apache-2.0
#pragma once
// The end of a training step as graph operations: mean gradients, their norm, clipping, the optimizer.

#include "models/language_model.h"
#include "train/lora.h"
#include "train/optimizers/optimizer.h"

namespace hearth {

// What training changes, in the order of adapter.trainables().
std::vector<TrainedTensor> trained_tensors(const LanguageModel& model, const LoraAdapter& adapter);

struct UpdateOptions {
  OptimizerOptions optimizer = {};
  double clip = 1.0;          // largest norm; 0: any
  double loraplus_ratio = 1;  // rate of the fast group over that of the others. Hayou et al. 2024, arXiv:2402.12354
};

// Reads the input "scalars" f32[4]: learning rate, step_numbers, 1 / tokens that count, and the states "<state>.<x>";
// writes them and "lora.<x>" in place, unless the gradients' norm or `loss` is not finite. Outputs grad_norm, finite.
// parameters and sums (gradients of the summed loss) belong to tensors by their order.
void add_update(Graph& graph, const std::vector<TrainedTensor>& tensors, const Values& parameters, const Values& sums,
                const Value& loss, const UpdateOptions& options);

}  // namespace hearth
