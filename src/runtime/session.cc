// SPDX-License-Identifier: Apache-2.0
#include "runtime/session.h"

#include <cstring>

#include "base/error.h"
#include "plan/plan_memory.h"

namespace hearth {
namespace {

// Index of the port called `name`.
size_t find_port(const std::vector<PlanPort>& ports, const std::string& name, const char* kind) {
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return i;
  }
  std::string known;
  for (size_t i = 0; i < ports.size() && i < 20; ++i) known += (i ? ", " : "") + ports[i].name;
  HEARTH_FAIL(value, "session: the plan has no ", kind, " '", name, "'\n  it has ", ports.size(), ": ", known,
              ports.size() > 20 ? ", ..." : "");
}

Plan validated(Plan plan) {
  validate(plan);
  return plan;
}

}  // namespace

Session::Session(Plan plan, SessionOptions options) : plan_(validated(std::move(plan))), profile_(plan_) {
  for (const std::string& device : plan_.devices) devices_.push_back(&find_device(device));
  for (size_t i = 0; i < plan_.instructions.size(); ++i) check_kernel(i);
  try {
    allocate(std::move(options));
  } catch (const Error& error) {
    const bool told = std::strstr(error.what(), "biggest:") != nullptr;
    if (error.kind() != Kind::memory || told) throw;
    throw Error(Kind::memory, error.what() + biggest_tensors(plan_));
  }
  make_bodies();
  for (size_t i = 0; i < plan_.instructions.size(); ++i) add_step(i);
}

void Session::check_kernel(size_t index) const {
  const PlanInstruction& instruction = plan_.instructions[index];
  if (instruction.kernel == "move" || is_control(instruction.kernel)) return;
  const KernelInfo* kernel = find_kernel(instruction.kernel);
  HEARTH_CHECK(kernel, unsupported, show_instruction(plan_, index), "this build has no such kernel",
               place_in_model(plan_, index));
  if (!kernel->check) return;
  std::vector<TensorType> in, out;
  for (int32_t tensor : instruction.inputs) in.push_back(plan_.tensors[size_t(tensor)].type);
  for (int32_t tensor : instruction.outputs) out.push_back(plan_.tensors[size_t(tensor)].type);
  try {
    kernel->check(in, out, instruction.attrs);
  } catch (const Error& error) {
    throw Error(error.kind(), show_instruction(plan_, index) + error.what() + place_in_model(plan_, index));
  }
}

void Session::allocate(SessionOptions options) {
  arena_ = options.arena ? std::move(options.arena) : Arena::for_plans({&plan_});
  HEARTH_CHECK(arena_->fits(plan_), value,
               "session: the shared arena is too small for this plan\n  hint: make it with ",
               "Arena::for_plans({all plans that share it})");
  constants_.resize(devices_.size());
  for (const PlanTensor& tensor : plan_.tensors) {
    DeviceMemory& memory = constants_[size_t(tensor.device)];
    if (tensor.storage != Storage::constant || memory.data()) continue;
    Device& device = *devices_[size_t(tensor.device)];
    memory = DeviceMemory(device, int64_t(plan_.constants.size()));
    device.copy_in(memory.data(), plan_.constants.data(), memory.bytes());
  }
  bound_.resize(plan_.inputs.size());
  unbound_ = plan_.inputs.size();
  input_uses_.resize(plan_.inputs.size());
  input_copies_.resize(plan_.inputs.size());
  for (size_t i = 0; i < plan_.inputs.size(); ++i) {
    Device& device = device_of(plan_.inputs[i]);
    if (!device.shares_host_memory()) input_copies_[i] = DeviceMemory(device, input_type(i).bytes());
  }
  output_buffers_.resize(plan_.outputs.size());
  output_uses_.resize(plan_.outputs.size());
  bound_outputs_.resize(plan_.outputs.size());
  for (size_t i = 0; i < plan_.outputs.size(); ++i) {
    const PlanPort& port = plan_.outputs[i];
    if (port.donor < 0 && options.own_outputs)
      output_buffers_[i] = DeviceMemory(device_of(port), output_type(i).bytes());
  }
}

void Session::add_step(size_t index) {
  const PlanInstruction& instruction = plan_.instructions[index];
  Step& step = steps_.emplace_back(instruction);
  const auto fill = [&](std::vector<TensorArg>& args, const std::vector<int32_t>& tensors) {
    args.reserve(tensors.size());  // input_uses_ points into it
    for (int32_t number : tensors) {
      const PlanTensor& tensor = plan_.tensors[size_t(number)];
      args.push_back({place(number), &tensor.type});
      const int32_t donor = tensor.storage == Storage::output ? plan_.outputs[size_t(tensor.offset)].donor : -1;
      if (tensor.storage == Storage::input) input_uses_[size_t(tensor.offset)].push_back(&args.back());
      if (donor >= 0) input_uses_[size_t(donor)].push_back(&args.back());
      if (tensor.storage == Storage::output && donor < 0) output_uses_[size_t(tensor.offset)].push_back(&args.back());
    }
  };
  fill(step.in, instruction.inputs);
  fill(step.out, instruction.outputs);
  const std::string& device = plan_.devices[size_t(instruction.device)];
  if (instruction.program >= 0) step.args.program = &plan_.programs[size_t(instruction.program)];
  if (instruction.workspace_bytes > 0) {
    step.args.workspace = static_cast<char*>(arena_->data(device)) + instruction.workspace_offset;
    step.args.workspace_bytes = instruction.workspace_bytes;
  }
  if (instruction.kernel == "move") {
    step.from = devices_[size_t(plan_.tensors[size_t(instruction.inputs[0])].device)];
    step.to = devices_[size_t(plan_.tensors[size_t(instruction.outputs[0])].device)];
  } else if (is_control(instruction.kernel)) {
    add_control(step, instruction);
  } else {
    step.run = find_kernel(instruction.kernel)->run;
  }
}

void* Session::place(int32_t number) const {
  const PlanTensor& tensor = plan_.tensors[size_t(number)];
  switch (tensor.storage) {
    case Storage::arena: return static_cast<char*>(arena_->data(plan_.devices[size_t(tensor.device)])) + tensor.offset;
    case Storage::constant: return static_cast<char*>(constants_[size_t(tensor.device)].data()) + tensor.offset;
    case Storage::input: return bound_[size_t(tensor.offset)];
    case Storage::output: return output(size_t(tensor.offset));
  }
  return nullptr;
}

size_t Session::input_index(const std::string& name) const { return find_port(plan_.inputs, name, "input"); }
size_t Session::output_index(const std::string& name) const { return find_port(plan_.outputs, name, "output"); }

void Session::bind_input(size_t index, void* data) {
  HEARTH_CHECK(index < plan_.inputs.size(), value, "session: there is no input ", index, "; the plan has ",
               plan_.inputs.size());
  const TensorType& type = input_type(index);
  HEARTH_CHECK(data || type.bytes() == 0, value, "session: input '", input_name(index), "' ", type,
               " is bound to no memory");
  HEARTH_CHECK(reinterpret_cast<uintptr_t>(data) % uintptr_t(size_bytes(type.dtype)) == 0, value, "session: input '",
               input_name(index), "' ", type, " is bound to an address that is no multiple of ",
               size_bytes(type.dtype));
  alignas(64) static char nothing;  // stands for the memory of an empty tensor, so that "bound" is never null
  void* place = data ? data : &nothing;
  if (const DeviceMemory& copy = input_copies_[index]; copy.data()) {
    device_of(plan_.inputs[index]).copy_in(copy.data(), place, type.bytes());
    place = copy.data();
  }
  if (!bound_[index]) --unbound_;
  bound_[index] = place;
  for (TensorArg* arg : input_uses_[index]) arg->data = place;
}

void Session::bind_output(size_t index, void* data) {
  HEARTH_CHECK(index < plan_.outputs.size() && plan_.outputs[index].donor < 0 && !output_buffers_[index].data(), value,
               "session: output ", index,
               " cannot be bound: it does not exist, takes over an input, or is the session's");
  bound_outputs_[index] = data;
  for (TensorArg* arg : output_uses_[index]) arg->data = data;
}

void* Session::output(size_t index) const {
  const int32_t donor = plan_.outputs.at(index).donor;
  if (donor >= 0) return bound_[size_t(donor)];
  return bound_outputs_[index] ? bound_outputs_[index] : output_buffers_[index].data();
}

void Session::read_output(size_t index, void* host) const {
  void* data = output(index);
  HEARTH_CHECK(data, state, "session: output '", output_name(index), "' is read before its input is bound");
  device_of(plan_.outputs[index]).copy_out(host, data, output_type(index).bytes());
}

inline void Session::execute(const Step& step) {
  if (step.run) return step.run(step.args);
  if (step.control) return (this->*step.control)(step);
  move(step);
}

void Session::move(const Step& step) const {
  const TensorArg &from = step.in[0], &to = step.out[0];
  const int64_t bytes = from.type->bytes();
  if (step.to->shares_host_memory()) {
    step.from->copy_out(to.data, from.data, bytes);
  } else if (step.from->shares_host_memory()) {
    step.to->copy_in(to.data, from.data, bytes);
  } else {  // neither device sees the other's memory
    std::vector<char> host(static_cast<size_t>(bytes));
    step.from->copy_out(host.data(), from.data, bytes);
    step.to->copy_in(to.data, host.data(), bytes);
  }
}

void Session::run() {
  for (size_t i = 0; unbound_ > 0 && i < bound_.size(); ++i) {
    HEARTH_CHECK(bound_[i], state, "session: input '", input_name(i), "' ", input_type(i), " is not bound");
  }
  const Arena::Lease lease(*arena_);
  try {
    if (recorder_) {
      run_profiled();
    } else {
      at_ = 0;
      for (const Step& step : steps_) {
        execute(step);
        ++at_;
      }
    }
  } catch (...) {
    rethrow(at_);
  }
}

void Session::run_profiled() {
  at_ = 0;
  for (const Step& step : steps_) {
    const Profile::Started started = recorder_->start();
    execute(step);
    recorder_->finish(first_entry_ + at_, started);
    ++at_;
  }
}

void Session::record_into(Profile* profile, size_t first_entry) {
  recorder_ = profile;
  first_entry_ = first_entry;
  size_t next = first_entry + plan_.instructions.size();
  for (size_t b = 0; b < bodies_.size(); ++b) {
    bodies_[b]->record_into(profile, next);
    next += Profile::entries_of(plan_.bodies[b]);
  }
}

// Called while an exception of instruction `index` is handled.
void Session::rethrow(size_t index) const {
  const std::string place =
      cat("\n  at instruction ", index, " (", plan_.instructions[index].kernel, ")", place_in_model(plan_, index));
  try {
    throw;
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + place);
  } catch (const std::bad_alloc&) {
    throw Error(Kind::memory, "session: out of memory in a kernel" + place);
  } catch (const std::exception& error) {
    throw Error(Kind::bug, error.what() + place);
  }
}

}  // namespace hearth
