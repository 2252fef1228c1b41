// SPDX-License-Identifier: Apache-2.0
#pragma once
// UTF-8 at the level that tokenizers need. "Valid" means what Unicode says: no surrogates, no overlong forms.

#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::tokenizers {

inline constexpr std::string_view kReplacementText = "\xEF\xBF\xBD";  // U+FFFD

struct CodePoint {
  uint32_t value = 0;
  uint32_t size_bytes = 1;
};

// The character at text[at]; text must be valid there. Cost: a few instructions, no checks.
inline CodePoint decode_valid(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at + i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {(lead & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (lead < 0xF0) return {(lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

// The first character of a non-empty valid text, and the last.
uint32_t first_code_point(std::string_view text);
uint32_t last_code_point(std::string_view text);
size_t last_code_point_size(std::string_view text);  // in bytes
size_t count_code_points(std::string_view text);

void append_utf8(std::string& out, uint32_t code_point);

// How one possibly broken character starts at text[at].
enum class Utf8State { valid, broken, cut_short };  // cut_short: a valid beginning, but the text ends inside it
struct Utf8Step {
  Utf8State state = Utf8State::valid;
  size_t size_bytes = 1;  // of the character, or of the longest valid beginning (at least 1)
};
Utf8Step check_utf8(std::string_view text, size_t at);

bool is_valid_utf8(std::string_view text);

// Every broken sequence becomes one U+FFFD, cut as Unicode recommends (longest valid beginning): the same text that
// Python's bytes.decode("utf-8", errors="replace") and Rust's String::from_utf8_lossy give.
std::string replace_invalid_utf8(std::string_view text);

// Unicode's White_Space property: what Rust's char::is_whitespace and \s of its regular expressions match.
bool is_white_space(uint32_t code_point);

}  // namespace hearth::tokenizers
