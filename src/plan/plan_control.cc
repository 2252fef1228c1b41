// SPDX-License-Identifier: Apache-2.0
#include "plan/plan_control.h"

#include "base/error.h"
#include "plan/plan_memory.h"

namespace hearth {

std::vector<Captured> captured_by_bodies(const PlanInstruction& instruction, size_t before) {
  std::vector<Captured> all;
  for (const int64_t count : instruction.attrs.list("captures")) {
    HEARTH_CHECK(count >= 0 && size_t(count) <= instruction.inputs.size() - before, format, "captures ",
                 ShowDims{instruction.attrs.list("captures")}, " are more than its inputs");
    all.push_back({before, size_t(count)});
    before += size_t(count);
  }
  return all;
}

namespace {

class ControlCheck {
 public:
  ControlCheck(const Plan& plan, size_t index)
      : plan_(plan), instruction_(plan.instructions[index]), who_(show_instruction(plan, index)) {}

  void run() const {
    try {
      check_bodies();
      instruction_.kernel == "while" ? check_while() : check_case();
    } catch (const Error& error) {
      throw Error(error.kind(), who_ + error.what());
    }
  }

 private:
  const Plan& body(size_t i) const { return plan_.bodies[size_t(instruction_.bodies[i])]; }
  const TensorType& input(size_t i) const { return plan_.tensors[size_t(instruction_.inputs[i])].type; }
  const TensorType& output(size_t i) const { return plan_.tensors[size_t(instruction_.outputs[i])].type; }
  static const TensorType& port(const Plan& body, const std::vector<PlanPort>& ports, size_t i) {
    return body.tensors[size_t(ports[i].tensor)].type;
  }

  // Ports are looked at before the body itself is validated.
  void check_bodies() const {
    HEARTH_CHECK(plan_.devices[size_t(instruction_.device)] == "cpu", format, "runs on device '",
                 plan_.devices[size_t(instruction_.device)], "'; control flow runs on the host");
    for (const int32_t number : instruction_.bodies) {
      HEARTH_CHECK(number >= 0 && size_t(number) < plan_.bodies.size(), format, "there is no body ", number);
      const Plan& body = plan_.bodies[size_t(number)];
      for (const auto* ports : {&body.inputs, &body.outputs}) {
        for (const PlanPort& port : *ports) {
          HEARTH_CHECK(port.tensor >= 0 && size_t(port.tensor) < body.tensors.size() &&
                           body.tensors[size_t(port.tensor)].device == 0 && !body.devices.empty() &&
                           body.devices[0] == "cpu",
                       format, "body ", number, ": port '", port.name, "' does not lie in host memory");
        }
      }
    }
    HEARTH_CHECK(instruction_.attrs.list("captures").size() == instruction_.bodies.size(), format, "has ",
                 instruction_.bodies.size(), " bodies but says for ", instruction_.attrs.list("captures").size(),
                 " what they capture");
  }

  // The body's inputs are the instruction's first `state` inputs, then those it captures.
  void check_inputs(const Plan& body, size_t state, const Captured& captured) const {
    HEARTH_CHECK(body.inputs.size() == state + captured.count, format, "a body has ", body.inputs.size(),
                 " inputs instead of ", state + captured.count);
    for (size_t i = 0; i < body.inputs.size(); ++i) {
      const TensorType& wanted = input(i < state ? i : captured.first + i - state);
      HEARTH_CHECK(port(body, body.inputs, i) == wanted, format, "a body's input ", i, " is ",
                   port(body, body.inputs, i), " instead of ", wanted);
    }
  }

  void check_while() const {
    const int64_t state = instruction_.attrs.integer("state");
    HEARTH_CHECK(state >= 0 && size_t(state) <= instruction_.inputs.size() &&
                     size_t(state) == instruction_.outputs.size() && instruction_.bodies.size() == 2,
                 format, "has ", instruction_.inputs.size(), " inputs, ", instruction_.outputs.size(), " outputs and ",
                 instruction_.bodies.size(), " bodies for a state of ", state);
    const size_t n = size_t(state);
    const std::vector<Captured> captured = captured_by_bodies(instruction_, n);
    check_inputs(body(0), n, captured[0]);
    check_inputs(body(1), n, captured[1]);
    const bool condition =
        body(0).outputs.size() == 1 && port(body(0), body(0).outputs, 0) == TensorType{DType::boolean, {}};
    HEARTH_CHECK(condition, format, "the condition does not give one bool scalar");
    HEARTH_CHECK(body(1).outputs.size() == n, format, "the body gives ", body(1).outputs.size(),
                 " values for a state of ", n);
    for (size_t i = 0; i < n; ++i) {
      HEARTH_CHECK(output(i) == input(i), format, "output ", i, " is ", output(i), ", the state ", input(i));
      HEARTH_CHECK(body(1).outputs[i].donor == int32_t(i), format, "the body's output ", i,
                   " does not take the place of its input");
    }
  }

  void check_case() const {
    HEARTH_CHECK(!instruction_.bodies.empty() && !instruction_.inputs.empty(), format, "has no branch or no index");
    HEARTH_CHECK(input(0) == (TensorType{DType::i32, {}}), format, "the index is ", input(0), " instead of i32[]");
    const std::vector<Captured> captured = captured_by_bodies(instruction_, 1);
    for (size_t b = 0; b < instruction_.bodies.size(); ++b) {
      check_inputs(body(b), 0, captured[b]);
      HEARTH_CHECK(body(b).outputs.size() == instruction_.outputs.size(), format, "branch ", b, " gives ",
                   body(b).outputs.size(), " values instead of ", instruction_.outputs.size());
      for (size_t i = 0; i < instruction_.outputs.size(); ++i) {
        const TensorType& got = port(body(b), body(b).outputs, i);
        HEARTH_CHECK(got == output(i) && body(b).outputs[i].donor < 0, format, "branch ", b, ": output ", i, " is ",
                     got, " instead of ", output(i));
      }
    }
  }

  const Plan& plan_;
  const PlanInstruction& instruction_;
  const std::string who_;
};

}  // namespace

void check_control(const Plan& plan, size_t instruction) { ControlCheck(plan, instruction).run(); }

}  // namespace hearth
