// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plan: the compiled form of a graph. Pure data: a list of kernel calls with their buffers placed in one arena a
// device. Running it now is the JIT, writing it to a file is deployment. docs/plan_format.md describes the file.

#include <cstdint>
#include <string>
#include <vector>

#include "base/attrs.h"
#include "base/shape.h"
#include "plan/row_program.h"

namespace hearth {

enum class Storage : uint8_t {
  arena,     // at `offset` in the arena of its device
  input,     // memory that the caller binds to input number `offset`
  output,    // memory of output number `offset`
  constant,  // at `offset` in the plan's constant bytes
};

// A dense row-major tensor.
struct PlanTensor {
  TensorType type;
  Storage storage = Storage::arena;
  int32_t device = 0;  // index in Plan::devices
  int64_t offset = 0;  // bytes, or the number of an input or output
};

struct PlanInstruction {
  std::string kernel;  // name in the kernel registry; "move" copies between devices
  int32_t device = 0;
  std::vector<int32_t> inputs, outputs;  // tensor numbers
  Attrs attrs;
  int32_t program = -1;          // row program number for kernel "row_program"
  std::vector<int32_t> bodies;   // numbers in Plan::bodies, for control flow
  int64_t workspace_offset = 0;  // in the arena of its device
  int64_t workspace_bytes = 0;
  std::string scope;  // place in the model, for profiles and errors
};

struct PlanPort {
  std::string name;
  int32_t tensor = 0;
  int32_t donor = -1;  // outputs: input number whose memory this output is (updated in place), or -1
};

struct Plan {
  std::vector<std::string> devices;  // "cpu", "reference"
  std::vector<int64_t> arena_bytes;  // per device
  std::vector<PlanTensor> tensors;
  std::vector<PlanInstruction> instructions;
  std::vector<PlanPort> inputs, outputs;
  std::vector<RowProgram> programs;
  std::vector<uint8_t> constants;
  std::vector<Plan> bodies;    // what "while" and "case" run
  int64_t live_bytes_max = 0;  // largest sum of live arena tensors at any instruction, all devices (for reports)
};

inline constexpr int64_t kArenaAlignment = 64;

// Instructions that the session itself executes, with plans as bodies. Their first inputs and outputs lie in host
// memory.
//   while: inputs [state..., captured by the condition..., captured by the body...], outputs [state...],
//          attrs state=n, captures=[a,b]; bodies {condition: state + a -> bool scalar, body: state + b -> state, each
//          output in place of the input it replaces}
//   case:  inputs [index i32 scalar, captured by branch 0..., by branch 1...], attrs captures=[...];
//          one body per branch, which gives the outputs; an index that is none takes the last branch
inline bool is_control(const std::string& kernel) { return kernel == "while" || kernel == "case"; }
inline constexpr int kMaxBodyDepth = 32;  // bodies within bodies

// The one full check of a plan; the runtime runs nothing that did not pass it. Throws Error{format} naming the
// instruction.
void validate(const Plan& plan);

// Human-readable: instructions with their tensors (memory map), row programs, ports.
std::string to_text(const Plan& plan);

}  // namespace hearth
