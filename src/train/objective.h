// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a training step makes smaller: the loss of the next tokens, that of preferences, or the distance to a teacher.

#include <string>
#include <vector>

#include "text/dataset.h"

namespace hearth {

struct Batch;
class LanguageModel;

enum class PreferenceLoss {
  sigmoid,  // -log sigmoid(beta d): DPO
  ipo,      // (d - 1 / (2 beta))^2, log-probabilities as means over an answer's tokens, as in TRL
  hinge,    // max(0, 1 - beta d): SLiC
};

// d = (log p(chosen) - log p_ref(chosen)) - (log p(rejected) - log p_ref(rejected)); log p sums over the tokens of an
// answer, p_ref is the model before training.
// Source: Rafailov et al. 2023, arXiv:2305.18290, eq. 7; Azar et al. 2023, arXiv:2310.12036, eq. 17; Zhao et al. 2023,
// arXiv:2305.10425; label smoothing: Mitchell 2023, "A note on DPO with noisy preferences", eq. 3.
struct PreferenceOptions {
  PreferenceLoss loss = PreferenceLoss::sigmoid;
  double beta = 0.1;
  double label_smoothing = 0;  // sigmoid only: how often the rejected answer is the better one after all
};

// Loss: (1 - weight) times that of the next tokens, weight times the teacher's (train/distillation_graph.h).
struct DistillationOptions {
  double temperature = 1, weight = 0.5;
};

struct Objective {
  enum class Kind { next_token, preference, distillation };
  Kind kind = Kind::next_token;
  PreferenceOptions preference = {};
  DistillationOptions distillation = {};
  const LanguageModel* teacher = nullptr;  // of distillation; must outlive the training

  bool prefers() const { return kind == Kind::preference; }
  bool distils() const { return kind == Kind::distillation; }
  // Names of what a step reports beside its loss, means over what the loss is a mean over.
  std::vector<std::string> metrics() const;
  // What the loss of a batch is a mean over: tokens that count, or pairs.
  int64_t counted(const Batch& batch) const;
  // Rows that a batch of `size` examples has.
  int64_t rows(int64_t size) const { return prefers() ? 2 * size : size; }
  // Throws Error{value} when the numbers make no sense or the data is not of the objective's kind.
  void check(const TokenBlocks& data) const;
};

// Throws Error{value} when a teacher's tokens are not the student's, or its context is too short for the rows, naming
// what differs.
void check_teacher(const LanguageModel& student, const LanguageModel& teacher, int64_t block_size);

}  // namespace hearth
