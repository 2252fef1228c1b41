// SPDX-License-Identifier: Apache-2.0
#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>

#include "text/unicode_ranges.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {
struct LowerRange {
  uint32_t begin, end;
  int32_t distance;
};
struct NewRange {
  uint32_t begin, end;
  const char *category, *script;
};
struct ScriptRange {
  uint32_t begin, end;
  int script;
};
#include "text/unicode_differences.inc"
}  // namespace

bool is_in_ranges(std::span<const Range> ranges, uint32_t c) {
  const auto behind = std::upper_bound(ranges.begin(), ranges.end(), c,
                                       [](uint32_t value, const Range& range) { return value < range.begin; });
  return behind != ranges.begin() && c <= std::prev(behind)->end;
}

static utf8proc_category_t category(uint32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

static bool is_mark(utf8proc_category_t k) { return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME; }
static bool is_letter(utf8proc_category_t k) { return k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO; }

bool is_numeric(uint32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  const utf8proc_category_t k = category(c);
  return (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO) != is_in_ranges(kOtherNumeric, c);
}

bool is_punctuation(uint32_t c) {
  if (c < 0x80)
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
  const utf8proc_category_t k = category(c);
  return (k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO) != is_in_ranges(kOtherPunctuation, c);
}

bool is_word_character(uint32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  const utf8proc_category_t k = category(c);
  const bool usual =
      is_letter(k) || is_mark(k) || k == UTF8PROC_CATEGORY_ND || k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_PC;
  return usual != is_in_ranges(kOtherWord, c);
}

bool is_combining_mark(uint32_t c) { return c >= 0x300 && is_mark(category(c)) != is_in_ranges(kOtherCombining, c); }

bool is_nonspacing_mark(uint32_t c) {
  return c >= 0x300 && (category(c) == UTF8PROC_CATEGORY_MN) != is_in_ranges(kOtherNonspacing, c);
}

bool is_cleaned_by_bert(uint32_t c) {
  if (c < 0x80) return c == 0x7F || (c < 0x20 && c != '\t' && c != '\n' && c != '\r');
  const utf8proc_category_t k = category(c);
  const bool usual = k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CO;
  return usual != is_in_ranges(kOtherCleaned, c);
}

bool is_cjk_ideograph(uint32_t c) {
  static constexpr Range kBlocks[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},  {0x20000, 0x2A6DF},
                                      {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};
  return c >= 0x3400 && is_in_ranges(kBlocks, c);
}

void append_lower_case(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return;
  }
  if (c == 0x130) {
    out += "i\xCC\x87";
    return;
  }
  for (const LowerRange& range : kOtherLower)
    if (c >= range.begin && c <= range.end)
      return append_utf8(out, static_cast<uint32_t>(static_cast<int32_t>(c) + range.distance));
  append_utf8(out, static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

// A mark newer than utf8proc extends the character before it, as every mark does. The first two ranges are Unicode
// 17's, which the real library's crate for clusters knows and its others do not; longer marks never count there.
static utf8proc_int32_t for_breaks(uint32_t c) {
  if ((c >= 0x1ACF && c <= 0x1ADD) || (c >= 0x1AE0 && c <= 0x1AEB)) return 0x300;
  if (c >= 0x800 && category(c) == UTF8PROC_CATEGORY_CN)
    for (const NewRange& range : kAfterUnicode14)
      if (c >= range.begin && c <= range.end && range.category[0] == 'M') return 0x300;
  return static_cast<utf8proc_int32_t>(c);
}

size_t grapheme_size(std::string_view text, size_t at) {
  CodePoint c = decode_valid(text, at);
  size_t end = at + c.size_bytes;
  const auto is_plain = [&](size_t i) { return static_cast<unsigned char>(text[i]) < 0x80 && text[i] != '\n'; };
  if (end >= text.size() || (c.value < 0x80 && is_plain(end))) return end - at;
  utf8proc_int32_t before = for_breaks(c.value), state = 0;
  while (end < text.size()) {
    c = decode_valid(text, end);
    const utf8proc_int32_t next = for_breaks(c.value);
    if (utf8proc_grapheme_break_stateful(before, next, &state)) break;
    end += c.size_bytes;
    before = next;
  }
  return end - at;
}

int script_of(uint32_t c) {
  const auto* behind = std::upper_bound(std::begin(kScripts), std::end(kScripts), c,
                                        [](uint32_t value, const ScriptRange& range) { return value < range.begin; });
  return behind != std::begin(kScripts) && c <= std::prev(behind)->end ? std::prev(behind)->script : kNoScript;
}

std::string newer_members(std::string_view property) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto hex = [](uint32_t c) {
    std::string digits;
    for (; c != 0; c >>= 4) digits.insert(digits.begin(), kHex[c & 15]);
    return "\\x{" + digits + "}";
  };
  std::string out;
  for (const NewRange& range : kAfterUnicode14) {
    const bool has = property.size() <= 2 ? std::string_view(range.category).starts_with(property)
                                          : std::string_view(range.script) == property;
    if (!has) continue;
    out += hex(range.begin);
    if (range.end > range.begin) out += "-" + hex(range.end);
  }
  return out;
}

bool is_after_unicode_9(uint32_t c) { return is_in_ranges(kNotInUnicode9, c); }

}  // namespace hearth::tokenizers
