// SPDX-License-Identifier: Apache-2.0
#include "train/teacher.h"

#include "compiler/compile.h"
#include "train/distillation_graph.h"

namespace hearth {

Teacher::Teacher(const LanguageModel& student, const StepGraphOptions& options)
    : model_(*options.objective.teacher),
      options_(options),
      plan_((check_teacher(student, model_, options.block), compile(*teacher_graph(model_, options)))) {}

void* Teacher::hidden(Batch& batch) {
  std::unique_ptr<Session>& session = sessions_[batch.width];
  if (!session) {
    StepGraphOptions o = options_;
    o.block = batch.width;
    session = std::make_unique<Session>(o.block == options_.block ? plan_ : compile(*teacher_graph(model_, o)));
    WeightInputs::bind(*session, model_.folder());
  }
  session->bind_input("tokens", batch.tokens.data());
  if (!batch.segments.empty()) {
    session->bind_input("segments", batch.segments.data());
    session->bind_input("positions", batch.positions.data());
  }
  session->run();
  return session->output(kTeacherHidden);
}

void Teacher::bind_weights(Session& step) const { WeightInputs::bind(step, model_.folder(), kTeacherPrefix); }

}  // namespace hearth
