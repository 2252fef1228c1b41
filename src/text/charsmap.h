// SPDX-License-Identifier: Apache-2.0
#pragma once
// sentencepiece's precompiled character map: a double-array trie from UTF-8 strings to their normal form.
//   bytes 0..3            size of the trie in bytes, little-endian
//   4..4+size             the trie's units, 32 bits each
//   the rest              the normal forms, each ended by a zero byte
// Source: darts-clone (Yata); applied as the tokenizers library's normalizer Precompiled does.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::tokenizers {

class Charsmap {
 public:
  Charsmap(std::string_view bytes, const std::string& where);  // Error{format} for a broken one

  std::string apply(std::string_view text) const;  // text is valid UTF-8, and so is the result

 private:
  std::optional<std::string_view> find(std::string_view chunk) const;
  void append_characters(std::string_view cluster, std::string& out) const;

  std::vector<uint32_t> units_;
  std::string forms_;
};

std::string decode_base64(std::string_view text, const std::string& where);  // Error{format}

}  // namespace hearth::tokenizers
