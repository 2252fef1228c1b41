// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "compiler/lower_state.h"
#include "compiler/memory.h"
#include "ops/shape/strided_copy.h"

namespace hearth {

Emitter::Emitter(const Graph& graph, const Views& views, const Backends& backends) : graph_(graph), views_(views) {
  plan_.devices = {"cpu"};  // host memory: inputs and outputs live there, whoever computes
  for (const std::unique_ptr<Backend>& backend : backends) {
    const auto found = std::find(plan_.devices.begin(), plan_.devices.end(), backend->device());
    backend_device_.push_back(int(found - plan_.devices.begin()));
    if (found == plan_.devices.end()) plan_.devices.push_back(backend->device());
  }
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const GraphInput& input = graph.inputs()[i];
    const TensorType& type = graph.node(input.node).types[0];
    const int32_t buffer = new_buffer(type, 0);
    buffers_[size_t(buffer)].storage = Storage::input;
    buffers_[size_t(buffer)].number = int64_t(i);
    set_buffer({const_cast<Graph*>(&graph), input.node, 0}, buffer);
    plan_.inputs.push_back({input.name, tensor(buffer, type)});
  }
}

int32_t Emitter::buffer_of(const Value& value) const {
  const auto found = buffers_of_.find({value.node, value.output});
  return found == buffers_of_.end() ? -1 : found->second;
}

int32_t Emitter::new_buffer(const TensorType& type, int32_t device) {
  buffers_.push_back({.type = type, .device = device});
  return int32_t(buffers_.size()) - 1;
}

int32_t Emitter::tensor(int32_t buffer, const TensorType& type) {
  const auto [entry, fresh] = tensors_.try_emplace({buffer, type.dtype, type.dims}, int32_t(plan_.tensors.size()));
  if (fresh) {
    plan_.tensors.push_back({type, Storage::arena, buffers_[size_t(buffer)].device, 0});
    buffer_of_tensor_.push_back(buffer);
  }
  return entry->second;
}

int32_t Emitter::on_device(int32_t buffer, int32_t device) {
  if (buffers_[size_t(buffer)].device == device) return buffer;
  const auto [entry, fresh] = moved_.try_emplace({buffer, device}, -1);
  if (fresh) {
    const TensorType type = buffers_[size_t(buffer)].type;
    entry->second = new_buffer(type, device);
    emit({.kernel = "move", .device = device, .in = {tensor(buffer, type)}, .out = {tensor(entry->second, type)}});
  }
  return entry->second;
}

void Emitter::emit(Call call) {
  for (const int32_t out : call.out)
    buffers_[size_t(buffer_of_tensor_[size_t(out)])].writer = int32_t(plan_.instructions.size());
  plan_.instructions.push_back({.kernel = std::move(call.kernel),
                                .device = call.device,
                                .inputs = std::move(call.in),
                                .outputs = std::move(call.out),
                                .attrs = std::move(call.attrs),
                                .program = call.program,
                                .bodies = std::move(call.bodies),
                                .workspace_bytes = call.workspace_bytes,
                                .scope = std::move(call.scope)});
  in_place_.push_back(std::move(call.in_place));
}

int32_t Emitter::add_program(RowProgram program) {
  plan_.programs.push_back(std::move(program));
  return int32_t(plan_.programs.size()) - 1;
}

int32_t Emitter::add_body(Plan plan) {
  plan_.bodies.push_back(std::move(plan));
  return int32_t(plan_.bodies.size()) - 1;
}

std::vector<int32_t> Emitter::emit_program(BuiltProgram built, const std::vector<TensorType>& output_types,
                                           const std::string& scope) {
  Call call{.kernel = "row_program", .in_place = built.in_place};
  for (const Value& in : built.inputs) {
    const Node& node = graph_.node(in);
    int32_t buffer = buffer_of(in);
    if (buffer < 0 && node.op->name == "constant") buffer = constant_bytes(node);
    HEARTH_CHECK(buffer >= 0, bug, "lower: ", in, " (", node.op->name, ") was not computed before it is read");
    call.in.push_back(tensor(on_device(buffer, 0), in.type()));
  }
  std::vector<int32_t> outputs;
  for (const TensorType& type : output_types) {
    outputs.push_back(new_buffer(type, 0));
    call.out.push_back(tensor(outputs.back(), type));
  }
  call.program = add_program(std::move(built.program));
  call.scope = scope;
  emit(std::move(call));
  return outputs;
}

int32_t Emitter::dense(const View& view, const TensorType& type, int32_t device) {
  const Node& node = graph_.node(view.base);
  int32_t buffer = buffer_of(view.base);
  if (buffer < 0 && node.op->name == "constant" && node.attrs.has("values")) buffer = constant_bytes(node);
  if (buffer >= 0 && is_identity(view)) return tensor(on_device(buffer, device), type);
  const auto [entry, fresh] =
      copies_.try_emplace({view.base.node, view.base.output, view.offset, view.dims, view.strides}, -1);
  if (fresh) {
    const View small = collapsed(view);
    entry->second = buffer >= 0 && is_transposition(small.dims, small.strides)
                        ? emit_transposition(small, buffer, type)
                        : emit_program(build_copy(view, views_.is_counted(view.base.node)), {type}, node.scope)[0];
  }
  return tensor(on_device(entry->second, device), type);
}

int32_t Emitter::emit_transposition(const View& view, int32_t from, const TensorType& type) {
  const int32_t to = new_buffer(type, 0);
  emit({.kernel = "strided_copy",
        .in = {tensor(on_device(from, 0), view.base.type())},
        .out = {tensor(to, type)},
        .attrs = {{"dims", view.dims}, {"strides", view.strides}, {"offset", view.offset}},
        .scope = graph_.node(view.base).scope});
  return to;
}

int32_t Emitter::dense_buffer(const View& view, const TensorType& type) {
  return buffer_of_tensor_[size_t(dense(view, type, 0))];
}

int32_t Emitter::constant_bytes(const Node& node) {
  const TensorType& type = node.types[0];
  std::vector<uint8_t> bytes(size_t(type.bytes()));
  const auto put = [&](size_t i, const void* data, size_t size) { std::memcpy(bytes.data() + i * size, data, size); };
  const DType part = real_part(type.dtype);  // a complex number is two in a row
  for (size_t i = 0; i < bytes.size() / size_t(size_bytes(part)); ++i) {
    if (is_float(part)) {
      const double x = node.attrs.reals("values")[i];
      const float f = float(x);
      const uint16_t half = part == DType::bf16 ? bf16(f).bits : f32_to_f16(f);
      if (part == DType::f64)
        put(i, &x, 8);
      else if (part == DType::f32)
        put(i, &f, 4);
      else
        put(i, &half, 2);
    } else {
      const int64_t x = node.attrs.list("values")[i];
      put(i, &x, size_t(size_bytes(part)));  // little-endian: the low bytes
    }
  }
  plan_.constants.resize((plan_.constants.size() + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment);
  const int32_t buffer = new_buffer(type, 0);
  buffers_[size_t(buffer)].storage = Storage::constant;
  buffers_[size_t(buffer)].number = int64_t(plan_.constants.size());
  plan_.constants.insert(plan_.constants.end(), bytes.begin(), bytes.end());
  return buffer;
}

// --- after the last instruction
// ----------------------------------------------------------------------------------------

int32_t Emitter::root(int32_t buffer) const {
  while (buffers_[size_t(buffer)].same_as >= 0) buffer = buffers_[size_t(buffer)].same_as;
  return buffer;
}

std::vector<int32_t> Emitter::last_reads() const {
  std::vector<int32_t> last(buffers_.size(), -1);
  for (size_t i = 0; i < plan_.instructions.size(); ++i) {
    for (const std::vector<int32_t>* tensors : {&plan_.instructions[i].inputs, &plan_.instructions[i].outputs}) {
      for (const int32_t t : *tensors) last[size_t(root(buffer_of_tensor_[size_t(t)]))] = int32_t(i);
    }
  }
  return last;
}

// The value of `output` is written straight into the memory of its donor, where nobody reads the donor afterwards, or
// the writing instruction does so element by element.
bool Emitter::try_donate(int32_t output, int32_t buffer, int32_t donor) {
  LowBuffer& b = buffers_[size_t(buffer)];
  if (b.storage != Storage::arena || b.device != 0 || b.same_as >= 0 || b.writer < 0) return false;
  int32_t donor_buffer = -1;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    if (buffers_[i].storage == Storage::input && buffers_[i].number == donor && buffers_[i].same_as < 0)
      donor_buffer = int32_t(i);
  }
  for (const GraphOutput& other : graph_.outputs()) {
    if (&other != &graph_.outputs()[size_t(output)] && buffer_of(other.value) == donor_buffer) return false;
  }
  for (size_t i = 0; i < plan_.instructions.size(); ++i) {
    const PlanInstruction& instruction = plan_.instructions[i];
    for (size_t k = 0; k < instruction.inputs.size(); ++k) {
      if (root(buffer_of_tensor_[size_t(instruction.inputs[k])]) != donor_buffer || int32_t(i) < b.writer) continue;
      if (int32_t(i) > b.writer) return false;
      bool allowed = false;
      for (const auto& [in, out] : in_place_[i]) {
        allowed = allowed || (in == int(k) && buffer_of_tensor_[size_t(instruction.outputs[size_t(out)])] == buffer);
      }
      if (!allowed) return false;
    }
  }
  b.storage = Storage::output;  // the runtime places it in the donor's memory
  b.number = output;
  return true;
}

// First what may be written in place, then the outputs that need memory of their own, last the copies into donors:
// nothing reads a donor after it was overwritten.
void Emitter::bind_outputs() {
  const std::vector<GraphOutput>& outputs = graph_.outputs();
  std::vector<int32_t> bound(outputs.size(), -1), donor_of(outputs.size(), -1), to_copy;
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (outputs[o].donor < 0) continue;
    donor_of[o] = outputs[o].donor;
    const int32_t buffer = buffer_of(outputs[o].value);  // dense by now, on the host
    const int32_t donor = buffer_of({const_cast<Graph*>(&graph_), graph_.inputs()[size_t(outputs[o].donor)].node, 0});
    if (try_donate(int32_t(o), buffer, outputs[o].donor) || donor == buffer) {
      bound[o] = buffer;
    } else if (outputs[o].donor_is_a_hint) {
      donor_of[o] = -1;
    } else {
      bound[o] = donor;
      to_copy.push_back(int32_t(o));
    }
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    if (donor_of[o] < 0) bound[o] = own_output(int32_t(o));
  }
  copy_to_donors(to_copy, bound);
  for (size_t o = 0; o < outputs.size(); ++o) {
    plan_.outputs.push_back({outputs[o].name, tensor(bound[o], outputs[o].value.type()), donor_of[o]});
  }
}

// The output's value in output memory: where it is computed, or a copy of an input, a constant or another output.
int32_t Emitter::own_output(int32_t o) {
  const GraphOutput& output = graph_.outputs()[size_t(o)];
  const int32_t buffer = buffer_of(output.value);
  const bool free = buffers_[size_t(buffer)].storage == Storage::arena && buffers_[size_t(buffer)].same_as < 0;
  const int32_t own = free ? buffer : new_buffer(output.value.type(), 0);
  buffers_[size_t(own)].storage = Storage::output;
  buffers_[size_t(own)].number = o;
  if (!free) copy(buffer, own, output);
  return own;
}

void Emitter::copy(int32_t from, int32_t to, const GraphOutput& output) {
  const TensorType& type = output.value.type();
  emit({.kernel = "copy", .in = {tensor(from, type)}, .out = {tensor(to, type)}, .scope = "output " + output.name});
}

// Values that lie in an input which another of these copies overwrites (two outputs that swap places) go aside first.
void Emitter::copy_to_donors(const std::vector<int32_t>& outputs, const std::vector<int32_t>& donors) {
  std::vector<int32_t> from;
  for (const int32_t o : outputs) {
    int32_t buffer = buffer_of(graph_.outputs()[size_t(o)].value);
    const bool overwritten = std::any_of(outputs.begin(), outputs.end(),
                                         [&](int32_t other) { return donors[size_t(other)] == root(buffer); });
    if (overwritten) {
      const int32_t aside = new_buffer(graph_.outputs()[size_t(o)].value.type(), 0);
      copy(buffer, aside, graph_.outputs()[size_t(o)]);
      buffer = aside;
    }
    from.push_back(buffer);
  }
  for (size_t i = 0; i < outputs.size(); ++i)
    copy(from[i], donors[size_t(outputs[i])], graph_.outputs()[size_t(outputs[i])]);
}

// A result takes the memory of an input that dies with the instruction that makes it.
void Emitter::share_in_place(std::vector<int32_t>& last_read) {
  for (size_t i = 0; i < plan_.instructions.size(); ++i) {
    std::vector<int32_t> taken;
    for (const auto& [in, out] : in_place_[i]) {
      const PlanInstruction& instruction = plan_.instructions[i];
      const int32_t from = root(buffer_of_tensor_[size_t(instruction.inputs[size_t(in)])]);
      const int32_t to = buffer_of_tensor_[size_t(instruction.outputs[size_t(out)])];
      LowBuffer &a = buffers_[size_t(from)], &b = buffers_[size_t(to)];
      const bool free = a.storage == Storage::arena && b.storage == Storage::arena && b.same_as < 0 &&
                        a.device == b.device && a.type.bytes() == b.type.bytes() &&
                        last_read[size_t(from)] == int32_t(i);
      if (!free || from == to || std::find(taken.begin(), taken.end(), from) != taken.end()) continue;
      bool read_otherwise = false;  // by another operand of this instruction, in another order perhaps
      for (size_t k = 0; k < instruction.inputs.size(); ++k) {
        read_otherwise =
            read_otherwise || (int(k) != in && root(buffer_of_tensor_[size_t(instruction.inputs[k])]) == from);
      }
      if (read_otherwise) continue;
      b.same_as = from;
      taken.push_back(from);
      // From now on the pair is one buffer whose life goes on.
      last_read[size_t(from)] = std::max(last_read[size_t(from)], last_read[size_t(to)]);
    }
  }
}

void Emitter::place_buffers() {
  std::vector<int32_t> last_read = last_reads();
  share_in_place(last_read);
  std::vector<Lifetime> lives;
  std::vector<int32_t> life_of(buffers_.size(), -1);
  for (size_t i = 0; i < plan_.instructions.size(); ++i) {
    for (const std::vector<int32_t>* tensors : {&plan_.instructions[i].inputs, &plan_.instructions[i].outputs}) {
      for (const int32_t t : *tensors) {
        const int32_t b = root(buffer_of_tensor_[size_t(t)]);
        if (buffers_[size_t(b)].storage != Storage::arena) continue;
        int32_t& life = life_of[size_t(b)];
        if (life < 0) {
          life = int32_t(lives.size());
          lives.push_back({buffers_[size_t(b)].type.bytes(), buffers_[size_t(b)].device, int32_t(i), int32_t(i)});
        }
        lives[size_t(life)].last = int32_t(i);
      }
    }
    PlanInstruction& instruction = plan_.instructions[i];
    if (instruction.workspace_bytes > 0) {
      instruction.workspace_offset = int64_t(lives.size());  // number of the life until it is placed
      lives.push_back({instruction.workspace_bytes, instruction.device, int32_t(i), int32_t(i)});
    }
  }
  const Placement placement = place(lives, int(plan_.devices.size()), int32_t(plan_.instructions.size()));
  plan_.arena_bytes = placement.arena_bytes;
  plan_.live_bytes_max = placement.live_bytes_max;
  for (PlanInstruction& instruction : plan_.instructions) {
    if (instruction.workspace_bytes > 0)
      instruction.workspace_offset = lives[size_t(instruction.workspace_offset)].offset;
  }
  for (size_t t = 0; t < plan_.tensors.size(); ++t) {
    const LowBuffer& b = buffers_[size_t(root(buffer_of_tensor_[t]))];
    const int32_t life = life_of[size_t(root(buffer_of_tensor_[t]))];
    plan_.tensors[t].storage = b.storage;
    plan_.tensors[t].device = b.device;
    plan_.tensors[t].offset = b.storage == Storage::arena ? (life < 0 ? 0 : lives[size_t(life)].offset) : b.number;
  }
}

Plan Emitter::finish() {
  bind_outputs();
  place_buffers();
  return std::move(plan_);
}

}  // namespace hearth
