// SPDX-License-Identifier: Apache-2.0
#pragma once
// The teacher of a distillation: its forward pass, in plans of its own.

#include <map>
#include <memory>

#include "plan/plan.h"
#include "runtime/session.h"
#include "train/batches.h"
#include "train/step_graph.h"

namespace hearth {

class Teacher {
 public:
  // Compiles the pass for rows of options.block tokens. The model must outlive it. Throws as check_teacher does.
  Teacher(const LanguageModel& student, const StepGraphOptions& options);

  // What the teacher makes of a batch, [B*T,E] in the type of the activations; valid until the next call.
  void* hidden(Batch& batch);
  void bind_weights(Session& step) const;  // of its output layer, to a step of the student
  const Plan& plan() const { return plan_; }

 private:
  const LanguageModel& model_;
  const StepGraphOptions options_;
  const Plan plan_;
  std::map<int64_t, std::unique_ptr<Session>> sessions_;  // by the rows' width
};

}  // namespace hearth
