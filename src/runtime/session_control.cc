// SPDX-License-Identifier: Apache-2.0
// While loops and branches: instructions that run sessions of their own on the tensors of this one.

#include <cstring>

#include "base/error.h"
#include "runtime/session.h"

namespace hearth {

// All bodies share one arena: never do two of them run at the same time.
void Session::make_bodies() {
  if (plan_.bodies.empty()) return;
  std::vector<const Plan*> plans;
  for (const Plan& body : plan_.bodies) plans.push_back(&body);
  const std::shared_ptr<Arena> arena = Arena::for_plans(plans);
  for (const Plan& body : plan_.bodies)
    bodies_.push_back(std::make_unique<Session>(body, SessionOptions{.arena = arena, .own_outputs = false}));
}

void Session::add_control(Step& step, const PlanInstruction& instruction) {
  const bool loop = instruction.kernel == "while";
  step.control = loop ? &Session::run_while : &Session::run_case;
  step.captured = captured_by_bodies(instruction, loop ? instruction.outputs.size() : 1);
  for (const int32_t body : instruction.bodies) step.bodies.push_back(bodies_[size_t(body)].get());
}

// The state lives in the outputs, where the body changes it in place.
void Session::run_while(const Step& step) {
  Session &condition = *step.bodies[0], &body = *step.bodies[1];
  for (size_t i = 0; i < step.out.size(); ++i) {
    const TensorArg &from = step.in[i], &to = step.out[i];
    if (from.data != to.data) std::memcpy(to.data, from.data, size_t(to.type->bytes()));
    condition.bind_input(i, to.data);
    body.bind_input(i, to.data);
  }
  for (size_t b = 0; b < 2; ++b) {
    for (size_t i = 0; i < step.captured[b].count; ++i)
      step.bodies[b]->bind_input(step.out.size() + i, step.in[step.captured[b].first + i].data);
  }
  bool again = false;
  condition.bind_output(0, &again);
  for (condition.run(); again; condition.run()) body.run();
}

void Session::run_case(const Step& step) {
  const int32_t index = *step.in[0].as<int32_t>(), last = int32_t(step.bodies.size()) - 1;
  const size_t b = size_t(index < 0 || index > last ? last : index);
  Session& branch = *step.bodies[b];
  for (size_t i = 0; i < step.captured[b].count; ++i) branch.bind_input(i, step.in[step.captured[b].first + i].data);
  for (size_t i = 0; i < step.out.size(); ++i) branch.bind_output(i, step.out[i].data);
  branch.run();
}

}  // namespace hearth
