// SPDX-License-Identifier: Apache-2.0
#include "text/byte_chars.h"

#include <array>

#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {
struct ByteTable {
  std::array<std::string, 256> chars;
  std::array<int, 512> bytes;
  ByteTable() {
    bytes.fill(-1);
    uint32_t next = 256;
    for (int b = 0; b < 256; ++b) {
      const bool visible = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      const uint32_t c = visible ? static_cast<uint32_t>(b) : next++;
      append_utf8(chars[b], c);
      bytes[c] = b;
    }
  }
};
}  // namespace

static const ByteTable& byte_table() {
  static const ByteTable table;
  return table;
}

void append_byte_chars(std::string& out, std::string_view bytes) {
  const ByteTable& table = byte_table();
  for (const char byte : bytes) out += table.chars[static_cast<unsigned char>(byte)];
}

int char_to_byte(uint32_t c) { return c < 512 ? byte_table().bytes[c] : -1; }

}  // namespace hearth::tokenizers
