// SPDX-License-Identifier: Apache-2.0
#include <utf8proc.h>

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "text/unicode.h"
#include "text/unicode_ranges.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

using CodePoints = std::vector<utf8proc_int32_t>;

static void decompose(uint32_t c, int options, CodePoints& out) {
  utf8proc_int32_t parts[32];  // U+FDFA has 18, more than any other
  int boundary = 0;
  const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 32,
                                                         static_cast<utf8proc_option_t>(options), &boundary);
  HEARTH_CHECK(count >= 0 && count <= 32, bug, "utf8proc cannot decompose the character ", c);
  out.insert(out.end(), parts, parts + count);
}

// utf8proc would sort too, but by exchanging neighbours: a megabyte of marks would take hours.
static void sort_marks(CodePoints& text) {
  const auto class_of = [](utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; };
  for (auto begin = text.begin(); begin != text.end();) {
    const auto end = std::find_if(begin, text.end(), [&](utf8proc_int32_t c) { return class_of(c) == 0; });
    if (end - begin > 1)
      std::stable_sort(begin, end, [&](utf8proc_int32_t a, utf8proc_int32_t b) { return class_of(a) < class_of(b); });
    begin = end == text.end() ? end : end + 1;
  }
}

static void finish(CodePoints& points, bool composed, std::string& out) {
  if (points.empty()) return;
  sort_marks(points);
  size_t count = points.size();
  if (composed)
    count = static_cast<size_t>(
        utf8proc_normalize_utf32(points.data(), static_cast<utf8proc_ssize_t>(count),
                                 static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE)));
  for (size_t i = 0; i < count; ++i) append_utf8(out, static_cast<uint32_t>(points[i]));
  points.clear();
}

// An ASCII character neither decomposes nor joins what is before it, so text is cut there, and where a character stands
// that Unicode 9 does not have: it moves nothing and joins nothing.
std::string normalize_unicode(std::string_view text, NormalForm form) {
  const bool composed = form == NormalForm::nfc || form == NormalForm::nfkc;
  // Below U+0300, whose first byte is 0xCC, NFC has nothing to do; the other forms may have from U+00A0 on.
  const unsigned char plain = form == NormalForm::nfc ? 0xCC : 0x80;
  if (std::all_of(text.begin(), text.end(), [&](char c) { return static_cast<unsigned char>(c) < plain; }))
    return std::string(text);
  int options = composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == NormalForm::nfkc || form == NormalForm::nfkd) options |= UTF8PROC_COMPAT;
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  CodePoints points;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    const bool is_new = c.value >= 0x7FD && is_after_unicode_9(c.value);
    at += c.size_bytes;
    if (c.value < 0x80 || is_new) finish(points, composed, out);
    const bool alone = at >= text.size() || static_cast<unsigned char>(text[at]) < 0x80;
    if (is_new || (c.value < 0x80 && alone)) {
      append_utf8(out, c.value);
    } else {
      decompose(c.value, options, points);
    }
  }
  finish(points, composed, out);
  return out;
}

}  // namespace hearth::tokenizers
