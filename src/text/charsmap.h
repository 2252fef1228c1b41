// SPDX-License-Identifier: Apache-2.0
#pragma once
// sentencepiece's precompiled character map: a double-array trie from UTF-8 strings to their normal form.
//   bytes 0..3            size of the trie in bytes, little-endian
//   4..4+size             the trie's units, 32 bits each
//   the rest              the normal forms, each ended by a zero byte
// Source: darts-clone (Yata).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

enum class CharsmapUse {
  by_cluster,  // as the tokenizers library: the shortest match of what a reader takes for one character stands for it
  longest      // as sentencepiece: the longest match at each place
};

class Charsmap {
 public:
  Charsmap(std::string_view bytes, CharsmapUse use, const std::string& where);  // Error{format} for a broken one

  std::string apply(std::string_view text) const;  // text is valid UTF-8, and so is the result

 private:
  struct Match {
    size_t size_bytes;
    std::string_view form;
  };
  std::optional<Match> find(std::string_view chunk) const;
  std::string apply_longest(std::string_view text) const;
  void append_characters(std::string_view cluster, std::string& out) const;

  CharsmapUse use_;
  std::vector<uint32_t> units_;
  std::string forms_;
};

std::string decode_base64(std::string_view text, const std::string& where);  // Error{format}

}  // namespace hearth::tokenizers
