// SPDX-License-Identifier: Apache-2.0
#pragma once
// Objectives as parts of a step's graph.

#include "train/batch_graph.h"

namespace hearth {

struct ObjectiveLoss {
  Value loss;                     // summed over what Objective::counted counts
  Value hits = {}, metrics = {};  // i32: predictions that were right; f32 [M], sums in the order of Objective::metrics
};

// The loss that training makes smaller; of the next tokens without hits. With preferences rows 2i and 2i + 1 of the
// batch are the chosen and the rejected answer of a pair, and there is an input reference f32[B]: their
// log-probabilities before training.
ObjectiveLoss training_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& options);
// The loss that evaluation reports, with hits.
ObjectiveLoss evaluation_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& options);

}  // namespace hearth
