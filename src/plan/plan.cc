// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

#include <set>

#include "base/error.h"
#include "plan/plan_control.h"
#include "plan/plan_memory.h"

namespace hearth {
namespace {

constexpr int64_t kMaxRank = 32;
constexpr int64_t kMaxBytes = int64_t{1} << 56;  // of a tensor, arena or workspace: sums of a few never overflow

// Zero sizes do not excuse huge ones beside them: kernels multiply sizes in any order.
bool is_sound(const TensorType& type) {
  if (static_cast<int>(type.dtype) >= kDTypes || type.rank() > kMaxRank) return false;
  int64_t bytes = size_bytes(type.dtype);
  for (int64_t dim : type.dims) {
    if (dim < 0 || (dim > 0 && bytes > kMaxBytes / dim)) return false;
    if (dim > 0) bytes *= dim;
  }
  return true;
}

class PlanCheck {
 public:
  explicit PlanCheck(const Plan& plan) : plan_(plan) {}

  void run() const {
    check_devices();
    for (size_t i = 0; i < plan_.tensors.size(); ++i) check_type(i);
    check_ports(plan_.inputs, "input", Storage::input);
    check_ports(plan_.outputs, "output", Storage::output);
    check_donors();
    for (size_t i = 0; i < plan_.tensors.size(); ++i) check_place(i);
    for (size_t i = 0; i < plan_.instructions.size(); ++i) check_instruction(i);
  }

 private:
  void check_devices() const {
    HEARTH_CHECK(!plan_.devices.empty(), format, "plan: has no device");
    HEARTH_CHECK(plan_.devices.size() == plan_.arena_bytes.size(), format, "plan: has ", plan_.devices.size(),
                 " devices but ", plan_.arena_bytes.size(), " arena sizes");
    std::set<std::string> seen;
    int64_t total = 0;
    for (size_t i = 0; i < plan_.devices.size(); ++i) {
      HEARTH_CHECK(seen.insert(plan_.devices[i]).second, format, "plan: device '", plan_.devices[i], "' stands twice");
      const int64_t bytes = plan_.arena_bytes[i];
      HEARTH_CHECK(bytes >= 0 && bytes <= kMaxBytes - total, format, "plan: the arena of device '", plan_.devices[i],
                   "' has ", bytes, " bytes; more than 2^56 or fewer than 0 make no sense");
      total += bytes;
    }
    HEARTH_CHECK(plan_.live_bytes_max >= 0 && plan_.live_bytes_max <= total, format, "plan: live_bytes_max is ",
                 plan_.live_bytes_max, " but the arenas have ", total, " bytes");
  }

  void check_type(size_t number) const {
    const PlanTensor& tensor = plan_.tensors[number];
    HEARTH_CHECK(static_cast<int>(tensor.type.dtype) < kDTypes, format, "plan: tensor ", number, ": there is no dtype ",
                 static_cast<int>(tensor.type.dtype));
    HEARTH_CHECK(is_sound(tensor.type), format, "plan: tensor ", number, ": sizes ", ShowDims{tensor.type.dims},
                 " make no sense (negative, more than ", kMaxRank, " of them, or more than 2^56 bytes)");
    HEARTH_CHECK(tensor.storage <= Storage::constant, format, "plan: tensor ", number, ": there is no storage ",
                 static_cast<int>(tensor.storage));
    HEARTH_CHECK(tensor.device >= 0 && size_t(tensor.device) < plan_.devices.size(), format, "plan: tensor ", number,
                 ": there is no device ", tensor.device);
  }

  void check_ports(const std::vector<PlanPort>& ports, const char* kind, Storage storage) const {
    std::set<std::string> names;
    for (size_t i = 0; i < ports.size(); ++i) {
      const PlanPort& port = ports[i];
      HEARTH_CHECK(names.insert(port.name).second, format, "plan: two ", kind, "s are called '", port.name, "'");
      HEARTH_CHECK(port.tensor >= 0 && size_t(port.tensor) < plan_.tensors.size(), format, "plan: ", kind, " '",
                   port.name, "': there is no tensor ", port.tensor);
      const PlanTensor& tensor = plan_.tensors[size_t(port.tensor)];
      const bool is_donor = port.donor >= 0 && tensor.storage == Storage::input && tensor.offset == port.donor;
      HEARTH_CHECK(is_donor || (tensor.storage == storage && tensor.offset == int64_t(i)), format, "plan: ", kind, " ",
                   i, " '", port.name, "': ", show_tensor(plan_, port.tensor), " does not lie in the memory of ", kind,
                   " ", i);
    }
  }

  void check_donors() const {
    for (const PlanPort& input : plan_.inputs) {
      HEARTH_CHECK(input.donor == -1, format, "plan: input '", input.name, "' has a donor; only outputs have one");
    }
    std::set<int32_t> taken;
    for (const PlanPort& output : plan_.outputs) {
      if (output.donor == -1) continue;
      HEARTH_CHECK(output.donor >= 0 && size_t(output.donor) < plan_.inputs.size(), format, "plan: output '",
                   output.name, "': there is no input ", output.donor, " whose memory it could take over");
      const PlanPort& donor = plan_.inputs[size_t(output.donor)];
      HEARTH_CHECK(taken.insert(output.donor).second, format, "plan: two outputs take over the memory of input '",
                   donor.name, "'");
      const PlanTensor &from = plan_.tensors[size_t(donor.tensor)], &to = plan_.tensors[size_t(output.tensor)];
      HEARTH_CHECK(from.type == to.type && from.device == to.device, format, "plan: output '", output.name, "' ",
                   to.type, " takes over the memory of input '", donor.name, "' ", from.type,
                   "; type and device must be the same");
    }
  }

  void check_place(size_t number) const {
    const PlanTensor& tensor = plan_.tensors[number];
    const int32_t id = static_cast<int32_t>(number);
    const int64_t bytes = tensor.type.bytes();
    if (tensor.storage == Storage::arena || tensor.storage == Storage::constant) {
      const bool arena = tensor.storage == Storage::arena;
      const int64_t room = arena ? plan_.arena_bytes[size_t(tensor.device)] : int64_t(plan_.constants.size());
      const char* where = arena ? "the arena" : "the constants";
      HEARTH_CHECK(tensor.offset >= 0 && tensor.offset <= room && bytes <= room - tensor.offset, format,
                   "plan: ", show_tensor(plan_, id), ": bytes ", tensor.offset, " + ", bytes, " are not inside ", where,
                   " of ", room, " bytes");
      HEARTH_CHECK(tensor.offset % kArenaAlignment == 0, format, "plan: ", show_tensor(plan_, id), ": offset ",
                   tensor.offset, " in ", where, " is no multiple of ", kArenaAlignment);
      return;
    }
    const bool input = tensor.storage == Storage::input;
    const std::vector<PlanPort>& ports = input ? plan_.inputs : plan_.outputs;
    HEARTH_CHECK(tensor.offset >= 0 && size_t(tensor.offset) < ports.size(), format, "plan: ", show_tensor(plan_, id),
                 ": there is no ", input ? "input " : "output ", tensor.offset);
    const PlanTensor& whole = plan_.tensors[size_t(ports[size_t(tensor.offset)].tensor)];
    HEARTH_CHECK(bytes == whole.type.bytes() && tensor.device == whole.device, format, "plan: ", show_tensor(plan_, id),
                 ": is not as large as ", input ? "input '" : "output '", ports[size_t(tensor.offset)].name, "' ",
                 whole.type, " or lies on another device");
  }

  void check_instruction(size_t i) const {
    const PlanInstruction& instruction = plan_.instructions[i];
    const std::string who = show_instruction(plan_, i), where = place_in_model(plan_, i);
    HEARTH_CHECK(instruction.device >= 0 && size_t(instruction.device) < plan_.devices.size(), format, who,
                 "there is no device ", instruction.device, where);
    for (const auto* list : {&instruction.inputs, &instruction.outputs}) {
      for (int32_t tensor : *list) {
        HEARTH_CHECK(tensor >= 0 && size_t(tensor) < plan_.tensors.size(), format, who, "there is no tensor ", tensor,
                     where);
      }
    }
    const int64_t offset = instruction.workspace_offset, bytes = instruction.workspace_bytes;
    const int64_t room = plan_.arena_bytes[size_t(instruction.device)];
    HEARTH_CHECK(bytes >= 0 && offset >= 0 && offset <= room && bytes <= room - offset, format, who, "workspace bytes ",
                 offset, " + ", bytes, " are not inside the arena of ", room, " bytes", where);
    HEARTH_CHECK(offset % kArenaAlignment == 0, format, who, "workspace offset ", offset, " is no multiple of ",
                 kArenaAlignment, where);
    if (instruction.kernel == "move") {
      check_move(instruction, who, where);
    } else {
      check_same_device(instruction, who, where);
    }
    check_program(instruction, who, where);
    HEARTH_CHECK(is_control(instruction.kernel) || instruction.bodies.empty(), format, who,
                 "has bodies; only while and ", "case have", where);
    if (is_control(instruction.kernel)) check_control(plan_, i);
  }

  void check_move(const PlanInstruction& move, const std::string& who, const std::string& where) const {
    HEARTH_CHECK(move.inputs.size() == 1 && move.outputs.size() == 1, format, who, "has ", move.inputs.size(),
                 " inputs and ", move.outputs.size(), " outputs instead of one each", where);
    const PlanTensor &from = plan_.tensors[size_t(move.inputs[0])], &to = plan_.tensors[size_t(move.outputs[0])];
    HEARTH_CHECK(from.type == to.type, format, who, "moves ", from.type, " to ", to.type, where);
    HEARTH_CHECK(from.device != to.device, format, who, "both tensors are on device '",
                 plan_.devices[size_t(from.device)], "'", where);
    HEARTH_CHECK(move.device == from.device || move.device == to.device, format, who, "device '",
                 plan_.devices[size_t(move.device)], "' is neither that of its input nor that of its output", where);
  }

  void check_same_device(const PlanInstruction& instruction, const std::string& who, const std::string& where) const {
    for (const auto* list : {&instruction.inputs, &instruction.outputs}) {
      for (int32_t tensor : *list) {
        const int32_t device = plan_.tensors[size_t(tensor)].device;
        HEARTH_CHECK(device == instruction.device, format, who, show_tensor(plan_, tensor), " is on device '",
                     plan_.devices[size_t(device)], "', the instruction on '",
                     plan_.devices[size_t(instruction.device)], "'", where);
      }
    }
  }

  void check_program(const PlanInstruction& instruction, const std::string& who, const std::string& where) const {
    if (instruction.program == -1) {
      HEARTH_CHECK(instruction.kernel != "row_program", format, who, "has no row program", where);
      return;
    }
    HEARTH_CHECK(instruction.program >= 0 && size_t(instruction.program) < plan_.programs.size(), format, who,
                 "there is no row program ", instruction.program, where);
    std::vector<TensorType> in, out;
    for (int32_t tensor : instruction.inputs) in.push_back(plan_.tensors[size_t(tensor)].type);
    for (int32_t tensor : instruction.outputs) out.push_back(plan_.tensors[size_t(tensor)].type);
    try {
      validate(plan_.programs[size_t(instruction.program)], in, out);
    } catch (const Error& error) {
      throw Error(error.kind(), cat(who, "row program ", instruction.program, ": ", error.what(), where));
    }
  }

  const Plan& plan_;
};

}  // namespace

static void validate(const Plan& plan, int depth) {
  HEARTH_CHECK(depth <= kMaxBodyDepth, format, "plan: more than ", kMaxBodyDepth, " bodies lie in each other");
  PlanCheck(plan).run();
  validate_memory(plan);
  for (size_t i = 0; i < plan.bodies.size(); ++i) {
    try {
      validate(plan.bodies[i], depth + 1);
    } catch (const Error& error) {
      throw Error(error.kind(), cat(error.what(), "\n  in body ", i));
    }
  }
}

void validate(const Plan& plan) { validate(plan, 0); }

}  // namespace hearth
