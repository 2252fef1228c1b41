// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two directions of a vocabulary: text -> id, id -> text. Ids may have gaps, texts and ids are unique.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hearth::tokenizers {

class Vocab {
 public:
  Vocab() = default;
  Vocab(Vocab&&) = default;
  Vocab& operator=(Vocab&&) = default;
  Vocab(const Vocab&) = delete;  // a copy's texts_ would point into the original
  Vocab& operator=(const Vocab&) = delete;

  // Largest id that a file may use: 16 times the largest vocabulary in use, small enough to index a table.
  static constexpr int64_t kMaxId = (1 << 22) - 1;

  // Throws Error{format} for an id out of range, a text or an id that is there already; `where` names the file.
  void add(const std::string& text, int64_t id, const std::string& where);

  // A list of tokens, where a text may come twice: it then has the later id. Returns the token's id.
  int32_t append(const std::string& text, const std::string& where);

  int32_t id(std::string_view text) const {  // -1 if there is none
    const auto found = ids_.find(text);
    return found == ids_.end() ? -1 : found->second;
  }
  bool has(int32_t id) const { return id >= 0 && id < max_id_plus_1() && texts_[id] != nullptr; }
  const std::string& text(int32_t id) const { return *texts_[id]; }  // needs has(id)

  int32_t size() const { return count_; }                                        // number of tokens
  int32_t max_id_plus_1() const { return static_cast<int32_t>(texts_.size()); }  // more than size() if ids have gaps

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
  int32_t count_ = 0;
  std::vector<const std::string*> texts_;  // point at the keys of ids_, which never move
};

}  // namespace hearth::tokenizers
