// SPDX-License-Identifier: Apache-2.0
#pragma once
// A map from a pair of 32-bit numbers to a small value: open addressing, no deletion. A look-up is one multiplication
// and mostly one cache line; std::unordered_map costs several times that, and merging does one look-up per character.

#include <cstdint>
#include <utility>
#include <vector>

namespace hearth::tokenizers {

template <class Value>
class PairMap {
 public:
  void reserve(size_t count) {
    size_t slots = 16;
    while (slots < count * 2) slots *= 2;
    if (slots > slots_.size()) rehash(slots);
  }

  void set(uint32_t a, uint32_t b, Value value) {
    if ((count_ + 1) * 2 > slots_.size()) rehash(slots_.empty() ? 16 : slots_.size() * 2);
    Slot& slot = slots_[find_slot(key_of(a, b))];
    count_ += slot.key == kEmpty;
    slot = {key_of(a, b), value};
  }

  const Value* find(uint32_t a, uint32_t b) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[find_slot(key_of(a, b))];
    return slot.key == kEmpty ? nullptr : &slot.value;
  }

  size_t size() const { return count_; }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};  // no token has the id 2^32 - 1
  struct Slot {
    uint64_t key = kEmpty;
    Value value{};
  };

  static uint64_t key_of(uint32_t a, uint32_t b) { return uint64_t{a} << 32 | b; }

  size_t find_slot(uint64_t key) const {
    uint64_t hash = key * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 32;
    size_t at = hash & (slots_.size() - 1);
    while (slots_[at].key != key && slots_[at].key != kEmpty) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void rehash(size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.key != kEmpty) slots_[find_slot(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace hearth::tokenizers
