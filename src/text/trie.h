// SPDX-License-Identifier: Apache-2.0
#pragma once
// A set of strings that answers which of them a text begins with. Cost: one table look-up per byte of the longest.

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/pair_map.h"

namespace hearth::tokenizers {

class Trie {
 public:
  // text must not be empty. The value of a text that is there already is replaced.
  void add(std::string_view text, int32_t value) {
    uint32_t node = 0;
    for (const char c : text) {
      const uint32_t byte = static_cast<unsigned char>(c);
      const uint32_t* child = children_.find(node, byte);
      const uint32_t next = child != nullptr ? *child : static_cast<uint32_t>(values_.size());
      if (child == nullptr) {
        children_.set(node, byte, next);
        values_.push_back(-1);
      }
      node = next;
    }
    values_[node] = value;
  }

  // Calls found(size_bytes, value) for each string that text begins with, from short to long.
  template <class Found>
  void for_each_prefix(std::string_view text, const Found& found) const {
    uint32_t node = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t* child = children_.find(node, static_cast<unsigned char>(text[i]));
      if (child == nullptr) return;
      node = *child;
      if (values_[node] >= 0) found(i + 1, values_[node]);
    }
  }

 private:
  PairMap<uint32_t> children_;          // (node, byte) -> node
  std::vector<int32_t> values_ = {-1};  // by node; node 0 is the root
};

}  // namespace hearth::tokenizers
