// SPDX-License-Identifier: Apache-2.0
#include "runtime/arena.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {

std::shared_ptr<Arena> Arena::for_plans(const std::vector<const Plan*>& plans) {
  std::map<std::string, std::pair<int64_t, const Plan*>> largest;
  for (const Plan* plan : plans) {
    for (size_t i = 0; i < plan->devices.size(); ++i) {
      const auto [entry, fresh] = largest.try_emplace(plan->devices[i], plan->arena_bytes.at(i), plan);
      if (!fresh && plan->arena_bytes.at(i) > entry->second.first) entry->second = {plan->arena_bytes[i], plan};
    }
  }
  auto arena = std::make_shared<Arena>();
  for (const auto& [device, need] : largest) {
    try {
      arena->blocks_[device] = DeviceMemory(find_device(device), need.first);
    } catch (const Error& error) {
      if (error.kind() != Kind::memory) throw;
      throw Error(Kind::memory, error.what() + biggest_tensors(*need.second));
    }
  }
  return arena;
}

bool Arena::fits(const Plan& plan) const {
  for (size_t i = 0; i < plan.devices.size(); ++i) {
    const auto block = blocks_.find(plan.devices[i]);
    if (block == blocks_.end() || block->second.bytes() < plan.arena_bytes[i]) return false;
  }
  return true;
}

int64_t Arena::bytes() const {
  int64_t total = 0;
  for (const auto& [device, block] : blocks_) total += block.bytes();
  return total;
}

Arena::Lease::Lease(Arena& arena) : arena_(arena) {
  HEARTH_CHECK(!arena.busy_.test_and_set(std::memory_order_acquire), state,
               "session: another session that shares the same memory is running");
}

std::string biggest_tensors(const Plan& plan) {
  std::vector<std::string> scope(plan.tensors.size());
  for (const PlanInstruction& instruction : plan.instructions) {
    for (int32_t tensor : instruction.outputs) scope[size_t(tensor)] = instruction.scope;
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < plan.tensors.size(); ++i) {
    const Storage storage = plan.tensors[i].storage;
    if (storage == Storage::arena || storage == Storage::output) order.push_back(i);
  }
  const auto larger = [&](size_t a, size_t b) { return plan.tensors[a].type.bytes() > plan.tensors[b].type.bytes(); };
  const size_t shown = std::min<size_t>(order.size(), 5);
  std::partial_sort(order.begin(), order.begin() + std::ptrdiff_t(shown), order.end(), larger);
  std::string text;
  for (size_t k = 0; k < shown; ++k) {
    const TensorType& type = plan.tensors[order[k]].type;
    text += cat(k ? ", " : "\n  biggest: ", type, " ", show_bytes(type.bytes()));
    if (!scope[order[k]].empty()) text += " (" + scope[order[k]] + ")";
  }
  return text;
}

}  // namespace hearth
