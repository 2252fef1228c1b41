// SPDX-License-Identifier: Apache-2.0
#pragma once
// What training adds to the loss, and the noise it adds to embeddings.

#include "cli/flags.h"
#include "train/trainer.h"

namespace hearth {

struct LossFlags {
  double label_smoothing = 0, z_loss = 0, neftune_alpha = 0;

  template <class Visit>
  void visit(Visit&& flag) {
    flag("label-smoothing", label_smoothing, "share of a label that is spread over all words",
         {.minimum = 0, .maximum = 0.999});
    flag("z-loss", z_loss, "times the square of the logits' logsumexp, added to the loss",
         {.minimum = 0, .maximum = 1e6});
    flag("neftune-alpha", neftune_alpha, "NEFTune: noise on the embeddings, of this size; 5 is usual",
         {.minimum = 0, .maximum = 1e6});
  }
};

inline void apply(const LossFlags& flags, TrainingArguments* arguments) {
  arguments->loss_terms = {.label_smoothing = flags.label_smoothing, .z_loss = flags.z_loss};
  arguments->neftune_alpha = flags.neftune_alpha;
}

}  // namespace hearth
