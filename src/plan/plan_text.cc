// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <sstream>

#include "base/error.h"
#include "plan/plan.h"

namespace hearth {
namespace {

// First and last instruction that names a tensor; -1 where none does.
struct Life {
  int64_t first = -1, last = -1;
};

std::vector<Life> lives_of(const Plan& plan) {
  std::vector<Life> lives(plan.tensors.size());
  for (size_t i = 0; i < plan.instructions.size(); ++i) {
    for (const auto* list : {&plan.instructions[i].inputs, &plan.instructions[i].outputs}) {
      for (int32_t tensor : *list) {
        Life& life = lives.at(size_t(tensor));
        if (life.first < 0) life.first = int64_t(i);
        life.last = int64_t(i);
      }
    }
  }
  return lives;
}

const char* storage_name(Storage storage) {
  switch (storage) {
    case Storage::arena: return "arena";
    case Storage::input: return "input";
    case Storage::output: return "output";
    case Storage::constant: return "constant";
  }
  return "?";
}

std::string tensor_list(const Plan& plan, const std::vector<int32_t>& tensors) {
  std::string text;
  for (int32_t tensor : tensors) {
    text += cat(text.empty() ? "" : ", ", "t", tensor, " ", plan.tensors.at(size_t(tensor)).type);
  }
  return text;
}

void print_ports(std::ostream& out, const Plan& plan, const std::vector<PlanPort>& ports, const char* kind) {
  for (size_t i = 0; i < ports.size(); ++i) {
    out << kind << ' ' << i << " '" << ports[i].name << "' = t" << ports[i].tensor << ' '
        << plan.tensors.at(size_t(ports[i].tensor)).type;
    if (ports[i].donor >= 0) out << " in the memory of input " << ports[i].donor;
    out << '\n';
  }
}

void print_instructions(std::ostream& out, const Plan& plan) {
  for (size_t i = 0; i < plan.instructions.size(); ++i) {
    const PlanInstruction& instruction = plan.instructions[i];
    out << i << ": " << tensor_list(plan, instruction.outputs) << " = " << instruction.kernel << '('
        << tensor_list(plan, instruction.inputs) << ')';
    if (!instruction.attrs.items().empty()) out << ' ' << instruction.attrs;
    if (instruction.program >= 0) out << " program " << instruction.program;
    for (const int32_t body : instruction.bodies) out << " body " << body;
    if (instruction.workspace_bytes > 0) {
      out << " workspace " << instruction.workspace_offset << " + " << instruction.workspace_bytes;
    }
    if (plan.devices.size() > 1) out << " on " << plan.devices.at(size_t(instruction.device));
    if (!instruction.scope.empty()) out << "  # " << instruction.scope;
    out << '\n';
  }
}

void print_memory(std::ostream& out, const Plan& plan) {
  const std::vector<Life> lives = lives_of(plan);
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlanTensor& tensor = plan.tensors[i];
    out << 't' << i << ' ' << storage_name(tensor.storage) << ' ' << tensor.offset << " + " << tensor.type.bytes();
    if (lives[i].first >= 0) out << " live " << lives[i].first << ".." << lives[i].last;
    if (plan.devices.size() > 1) out << " on " << plan.devices.at(size_t(tensor.device));
    out << "  " << tensor.type << '\n';
  }
}

}  // namespace

std::string to_text(const Plan& plan) {
  std::ostringstream out;
  int64_t arena = 0;
  for (size_t i = 0; i < plan.devices.size(); ++i) {
    out << "device " << i << ' ' << plan.devices[i] << " arena " << plan.arena_bytes.at(i) << '\n';
    arena += plan.arena_bytes[i];
  }
  print_ports(out, plan, plan.inputs, "input");
  print_ports(out, plan, plan.outputs, "output");
  out << "\ninstructions\n";
  print_instructions(out, plan);
  out << "\nmemory (bytes: offset + size, first and last instruction)\n";
  print_memory(out, plan);
  for (size_t i = 0; i < plan.programs.size(); ++i) out << "\nprogram " << i << '\n' << to_text(plan.programs[i]);
  for (size_t i = 0; i < plan.bodies.size(); ++i) out << "\nbody " << i << '\n' << to_text(plan.bodies[i]);
  out << "\ntotal: " << plan.instructions.size() << " instructions, " << plan.tensors.size() << " tensors, "
      << plan.constants.size() << " constant bytes, " << arena << " arena bytes, " << plan.live_bytes_max
      << " live at most";
  if (plan.live_bytes_max > 0) {
    char ratio[32];
    std::snprintf(ratio, sizeof ratio, " (ratio %.3f)", double(arena) / double(plan.live_bytes_max));
    out << ratio;
  }
  out << '\n';
  return out.str();
}

}  // namespace hearth
