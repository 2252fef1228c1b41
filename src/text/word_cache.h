// SPDX-License-Identifier: Apache-2.0
#pragma once
// Words seen in one call of encode and their ids. It lives as long as the call, so encode needs no lock: a text that is
// long enough to profit fills it soon, and a short one loses nothing.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

class WordCache {
 public:
  static constexpr size_t kMaxWordBytes = 64;  // longer words hardly come twice

  // Appends the ids of word; false if the word is new.
  bool append(std::string_view word, uint64_t hash, std::vector<int32_t>& ids) const {
    if (slots_.empty()) return false;
    const Slot& slot = slots_[find_slot(word, hash)];
    if (slot.hash == 0) return false;
    const int32_t* first = ids_.data() + slot.ids_begin;
    ids.insert(ids.end(), first, first + slot.ids_count);
    return true;
  }

  void add(std::string_view word, uint64_t hash, std::span<const int32_t> ids) {      // word must be new
    if (ids_.size() + ids.size() + bytes_.size() + word.size() > (1u << 30)) return;  // offsets are 32 bits
    if ((count_ + 1) * 2 > slots_.size()) grow();
    Slot& slot = slots_[find_slot(word, hash)];
    slot = {hash, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(word.size()),
            static_cast<uint32_t>(ids_.size()), static_cast<uint32_t>(ids.size())};
    bytes_ += word;
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    ++count_;
  }

  // Never 0, which marks an empty slot.
  static uint64_t hash(std::string_view word) {
    uint64_t h = word.size() * 0x9E3779B97F4A7C15ull;
    const char* p = word.data();
    size_t left = word.size();
    for (; left >= 8; left -= 8, p += 8) h = mix(h, load(p, 8));
    if (left > 0) h = mix(h, load(p, left));
    return h | 1;
  }

 private:
  struct Slot {
    uint64_t hash = 0;
    uint32_t word_begin = 0, word_size = 0, ids_begin = 0, ids_count = 0;
  };

  static uint64_t load(const char* p, size_t bytes) {
    uint64_t value = 0;
    std::memcpy(&value, p, bytes);
    return value;
  }
  static uint64_t mix(uint64_t h, uint64_t value) {
    h = (h ^ value) * 0xD6E8FEB86659FD93ull;
    return h ^ h >> 32;
  }

  size_t find_slot(std::string_view word, uint64_t hash) const {
    size_t at = (hash >> 1) & (slots_.size() - 1);
    while (slots_[at].hash != 0) {
      const Slot& slot = slots_[at];
      if (slot.hash == hash && std::string_view(bytes_).substr(slot.word_begin, slot.word_size) == word) break;
      at = (at + 1) & (slots_.size() - 1);
    }
    return at;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 256 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.hash == 0) continue;
      size_t at = (slot.hash >> 1) & (slots_.size() - 1);
      while (slots_[at].hash != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::string bytes_;         // the words, one behind the other
  std::vector<int32_t> ids_;  // their ids
  size_t count_ = 0;
};

}  // namespace hearth::tokenizers
