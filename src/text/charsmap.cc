// SPDX-License-Identifier: Apache-2.0
#include "text/charsmap.h"

#include <cstring>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

Charsmap::Charsmap(std::string_view bytes, CharsmapUse use, const std::string& where) : use_(use) {
  uint32_t trie_bytes = 0;
  if (bytes.size() >= 4) std::memcpy(&trie_bytes, bytes.data(), 4);
  HEARTH_CHECK(bytes.size() >= 4 && trie_bytes >= 4 && trie_bytes % 4 == 0 && trie_bytes <= bytes.size() - 4, format,
               where, ": the precompiled character map has ", bytes.size(), " bytes and says that its trie has ",
               trie_bytes);
  units_.resize(trie_bytes / 4);
  std::memcpy(units_.data(), bytes.data() + 4, trie_bytes);
  forms_ = bytes.substr(4 + trie_bytes);
  HEARTH_CHECK(is_valid_utf8(forms_), format, where, ": the precompiled character map's texts are not valid UTF-8");
}

// What the trie has of chunk's beginnings: the shortest, or the longest.
std::optional<Charsmap::Match> Charsmap::find(std::string_view chunk) const {
  const auto offset = [](uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); };
  std::optional<Match> found;
  uint32_t at = offset(units_[0]);
  for (size_t i = 0; i < chunk.size(); ++i) {
    const uint32_t label = static_cast<unsigned char>(chunk[i]);
    at ^= label;
    if (label == 0 || at >= units_.size()) return found;
    const uint32_t unit = units_[at];
    if ((unit & ((1u << 31) | 0xFF)) != label) return found;
    at ^= offset(unit);
    if ((unit >> 8 & 1) == 0) continue;
    if (at >= units_.size()) return found;
    const size_t begin = units_[at] & ~(1u << 31);
    const bool is_inside = begin <= forms_.size() && (begin == forms_.size() || (forms_[begin] & 0xC0) != 0x80);
    if (!is_inside) return found;
    found = Match{i + 1, std::string_view(forms_).substr(begin, forms_.find('\0', begin) - begin)};
    if (use_ == CharsmapUse::by_cluster) return found;
  }
  return found;
}

std::string Charsmap::apply_longest(std::string_view text) const {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const std::optional<Match> match = find(rest);
    const size_t size = match ? match->size_bytes : decode_valid(text, at).size_bytes;
    out += match ? match->form : rest.substr(0, size);
    at += size;
  }
  return out;
}

void Charsmap::append_characters(std::string_view cluster, std::string& out) const {
  for (size_t at = 0; at < cluster.size();) {
    const std::string_view character = cluster.substr(at, decode_valid(cluster, at).size_bytes);
    const std::optional<Match> match = find(character);
    out += match ? match->form : character;
    at += character.size();
  }
}

std::string Charsmap::apply(std::string_view text) const {
  if (use_ == CharsmapUse::longest) return apply_longest(text);
  static constexpr size_t kLongCluster = 6;  // bytes: from here on characters are looked up one by one
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (size_t at = 0; at < text.size();) {
    const std::string_view cluster = text.substr(at, grapheme_size(text, at));
    at += cluster.size();
    const std::optional<Match> match = cluster.size() < kLongCluster ? find(cluster) : std::nullopt;
    if (match) {
      out += match->form;
    } else {
      append_characters(cluster, out);
    }
  }
  return out;
}

std::string decode_base64(std::string_view text, const std::string& where) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t digits = text.size();
  while (digits > 0 && text[digits - 1] == '=') --digits;
  std::string out;
  out.reserve(digits / 4 * 3 + 3);
  uint32_t bits = 0;
  for (size_t i = 0; i < digits; ++i) {
    const size_t digit = kDigits.find(text[i]);
    HEARTH_CHECK(digit != std::string_view::npos, format, where, ": no base64 text: character ", i,
                 " is no digit of it");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (i % 4 != 0) out += static_cast<char>(bits >> (6 - 2 * (i % 4)) & 0xFF);
  }
  HEARTH_CHECK(text.size() % 4 == 0 && text.size() - digits <= 2, format, where, ": no base64 text: ", text.size(),
               " characters, ", text.size() - digits, " of them '=' at the end");
  return out;
}

}  // namespace hearth::tokenizers
