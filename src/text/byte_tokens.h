// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tokens <0x00>..<0xFF> of models with byte fallback.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace hearth::tokenizers {

class ByteTokens {
 public:
  // enabled false: as if the vocabulary had none.
  ByteTokens(const Vocab& vocab, bool enabled) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    for (int b = 0; b < 256; ++b) {
      ids_[b] = enabled ? vocab.id(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + ">") : -1;
      all_ = all_ && ids_[b] >= 0;
    }
  }

  bool covers(std::string_view bytes) const {
    return all_ || std::all_of(bytes.begin(), bytes.end(), [&](char c) { return id(c) >= 0; });
  }
  void append(std::string_view bytes, std::vector<int32_t>& ids) const {  // needs covers(bytes)
    for (const char byte : bytes) ids.push_back(id(byte));
  }

 private:
  int32_t id(char byte) const { return ids_[static_cast<unsigned char>(byte)]; }
  int32_t ids_[256];
  bool all_ = true;
};

}  // namespace hearth::tokenizers
