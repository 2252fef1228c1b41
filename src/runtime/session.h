// SPDX-License-Identifier: Apache-2.0
#pragma once
// Session: a plan made ready to run: validated, kernels resolved, memory in place. Not safe for use from several
// threads at once.
//   Session session(load_plan("step.plan"));
//   session.bind_input("tokens", tokens.data());
//   session.run();
//   const float* logits = static_cast<const float*>(session.output("logits"));

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "device/kernel.h"
#include "plan/plan_control.h"
#include "runtime/arena.h"
#include "runtime/profile.h"

namespace hearth {

struct SessionOptions {
  std::shared_ptr<Arena> arena = nullptr;  // shared with other sessions; null: the session makes its own
  bool own_outputs = true;                 // false: outputs that take no input's memory lie where bind_output says
};

class Session {
 public:
  // Throws Error{format} when the plan is not valid, {unsupported} when a kernel or device is missing here, {value}
  // when the given arena is too small, {memory} with the plan's biggest tensors when memory runs out.
  explicit Session(Plan plan, SessionOptions options = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // An input stays bound until it is bound anew. On devices that share the host's memory (cpu) `data` itself is read,
  // and written when an output takes it over: it must outlive the runs and be aligned to its element size. On other
  // devices its bytes are copied now; bind again to copy new ones.
  void bind_input(size_t index, void* data);
  void bind_input(const std::string& name, void* data) { bind_input(input_index(name), data); }
  size_t inputs() const { return plan_.inputs.size(); }
  size_t input_index(const std::string& name) const;  // Error{value} that lists the inputs when there is none
  const std::string& input_name(size_t index) const { return plan_.inputs.at(index).name; }
  const TensorType& input_type(size_t index) const { return type_of(plan_.inputs.at(index)); }

  // With own_outputs off: where output `index` shall be written, 64-byte aligned or to its element size, on devices
  // that share the host's memory. Not for outputs that take over an input.
  void bind_output(size_t index, void* data);

  // Where output `index` lies, in the memory of its device; that of its input when it takes one over (then null until
  // the input is bound). The contents are valid after run() and until the next.
  void* output(size_t index) const;
  void* output(const std::string& name) const { return output(output_index(name)); }
  void read_output(size_t index, void* host) const;  // copies, from any device
  size_t outputs() const { return plan_.outputs.size(); }
  size_t output_index(const std::string& name) const;
  const std::string& output_name(size_t index) const { return plan_.outputs.at(index).name; }
  const TensorType& output_type(size_t index) const { return type_of(plan_.outputs.at(index)); }

  // Runs all instructions on the calling thread. An error of a kernel is thrown on with instruction, kernel and place
  // in the model; the session can run again, but donated inputs may have been partly updated.
  void run();

  // While on, run() times every instruction, those of bodies too (about 50 ns each).
  void set_profiling(bool on) { record_into(on ? &profile_ : nullptr, 0); }
  const Profile& profile() const { return profile_; }  // of all runs since clear_profile()
  void clear_profile() { profile_.clear(); }

  const Plan& plan() const { return plan_; }
  int64_t arena_bytes() const { return arena_->bytes(); }

 private:
  // One instruction with its pointers in place. Never moves: args refers to in and out.
  struct Step {
    explicit Step(const PlanInstruction& instruction) : args{in, out, instruction.attrs} {}
    void (*run)(const KernelArgs&) = nullptr;  // null: a move
    std::vector<TensorArg> in, out;
    KernelArgs args;
    Device *from = nullptr, *to = nullptr;  // of a move
    void (Session::*control)(const Step&) = nullptr;
    std::vector<Session*> bodies;    // of control flow
    std::vector<Captured> captured;  // per body
  };

  const TensorType& type_of(const PlanPort& port) const { return plan_.tensors[size_t(port.tensor)].type; }
  Device& device_of(const PlanPort& port) const { return *devices_[size_t(plan_.tensors[size_t(port.tensor)].device)]; }
  void check_kernel(size_t index) const;
  void allocate(SessionOptions options);
  void add_step(size_t index);
  void* place(int32_t tensor) const;  // null where an input is not bound yet
  void make_bodies();
  void add_control(Step& step, const PlanInstruction& instruction);
  void execute(const Step& step);
  void move(const Step& step) const;
  void run_while(const Step& step);
  void run_case(const Step& step);
  void run_profiled();
  void record_into(Profile* profile, size_t first_entry);
  [[noreturn]] void rethrow(size_t index) const;

  Plan plan_;
  std::vector<Device*> devices_;
  std::shared_ptr<Arena> arena_;
  std::vector<DeviceMemory> constants_;       // per device; empty where no constant is used
  std::vector<DeviceMemory> input_copies_;    // per input, on devices that do not share the host's memory
  std::vector<DeviceMemory> output_buffers_;  // per output, where it takes over no input
  std::vector<void*> bound_;                  // per input
  size_t unbound_ = 0;
  std::deque<Step> steps_;
  std::vector<std::vector<TensorArg*>> input_uses_;   // per input: the arguments to set when it is bound
  std::vector<std::vector<TensorArg*>> output_uses_;  // per output: likewise
  std::vector<void*> bound_outputs_;                  // per output; null where the session owns it or it is a donor's
  std::vector<std::unique_ptr<Session>> bodies_;
  size_t at_ = 0;  // instruction that runs
  Profile profile_;
  Profile* recorder_ =
      nullptr;              // where run() counts its instructions: this profile_, that of the session around, or none
  size_t first_entry_ = 0;  // there
};

}  // namespace hearth
