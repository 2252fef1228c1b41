// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/unicode.h"

#include <algorithm>
#include <iterator>

#include "text/utf8.h"

namespace hearth::jinja {
namespace {

using tokenizers::append_utf8;
using tokenizers::CodePoint;
using tokenizers::decode_valid;

struct CodeRange {
  uint32_t first, last, stride;
};
struct CodeShift {
  uint32_t first, last, stride;
  int32_t shift;
};
struct CodeExpansion {
  uint32_t code, to[3];  // 0: none
};
#include "text/jinja/unicode_tables.inc"

// The last row that begins at or before c, or null.
template <class Row, size_t count>
const Row* row_of(const Row (&rows)[count], uint32_t c) {
  const auto after = std::upper_bound(std::begin(rows), std::end(rows), c,
                                      [](uint32_t code, const Row& row) { return code < row.first; });
  return after == std::begin(rows) ? nullptr : after - 1;
}

template <class Row>
bool covers(const Row& row, uint32_t c) {
  return c >= row.first && c <= row.last && (c - row.first) % row.stride == 0;
}

template <size_t count>
bool in(const CodeRange (&rows)[count], uint32_t c) {
  const CodeRange* row = row_of(rows, c);
  // Two ranges of stride 2 may interleave: the one before may hold c as well.
  return row != nullptr && (covers(*row, c) || (row != rows && covers(row[-1], c)));
}

template <size_t shifts, size_t many>
void append_changed(std::string& out, uint32_t c, const CodeShift (&rows)[shifts],
                    const CodeExpansion (&long_rows)[many]) {
  for (const CodeShift* row = row_of(rows, c); row != nullptr; row = row == rows ? nullptr : row - 1) {
    if (covers(*row, c)) return append_utf8(out, static_cast<uint32_t>(static_cast<int32_t>(c) + row->shift));
    if (c - row->first > 1024) break;  // no interleaved range is that long
  }
  const auto found = std::lower_bound(std::begin(long_rows), std::end(long_rows), c,
                                      [](const CodeExpansion& row, uint32_t code) { return row.code < code; });
  if (found == std::end(long_rows) || found->code != c) return append_utf8(out, c);
  for (const uint32_t to : found->to)
    if (to != 0) append_utf8(out, to);
}

bool is_cased(uint32_t c) { return is_upper(c) || is_lower(c) || is_title(c); }

constexpr uint32_t kSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;

// A sigma ends a word when a cased letter stands before it and none after it; marks in between do not count.
bool is_final_sigma(const std::vector<uint32_t>& text, size_t at) {
  size_t before = at;
  while (before > 0 && in(kIgnorable, text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  size_t behind = at + 1;
  while (behind < text.size() && in(kIgnorable, text[behind])) ++behind;
  return behind == text.size() || !is_cased(text[behind]);
}

void append_lower(std::string& out, const std::vector<uint32_t>& text, size_t at) {
  if (text[at] == kSigma) return append_utf8(out, is_final_sigma(text, at) ? kFinalSigma : kSmallSigma);
  append_changed(out, text[at], kToLower, kToLowerMany);
}
void append_upper(std::string& out, uint32_t c) { append_changed(out, c, kToUpper, kToUpperMany); }
void append_title(std::string& out, uint32_t c) { append_changed(out, c, kToTitle, kToTitleMany); }

}  // namespace

bool is_space(uint32_t c) { return tokenizers::is_white_space(c) || (c >= 0x1C && c <= 0x1F); }
bool is_alpha(uint32_t c) { return in(kAlpha, c); }
bool is_decimal(uint32_t c) { return in(kDecimal, c); }
bool is_digit(uint32_t c) { return in(kDigit, c); }
bool is_numeric(uint32_t c) { return in(kNumeric, c); }
bool is_alnum(uint32_t c) { return is_alpha(c) || is_numeric(c) || is_digit(c) || is_decimal(c); }
bool is_upper(uint32_t c) { return in(kUpper, c); }
bool is_lower(uint32_t c) { return in(kLower, c); }
bool is_title(uint32_t c) { return in(kTitle, c); }
bool is_printable(uint32_t c) { return in(kPrintable, c); }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

size_t code_points(std::string_view text) { return tokenizers::count_code_points(text); }

std::vector<uint32_t> to_code_points(std::string_view text) {
  std::vector<uint32_t> points;
  points.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    points.push_back(c.value);
    at += c.size_bytes;
  }
  return points;
}

std::string to_utf8(const std::vector<uint32_t>& points) {
  std::string out;
  out.reserve(points.size());
  for (const uint32_t c : points) append_utf8(out, c);
  return out;
}

size_t byte_of(std::string_view text, size_t index) {
  size_t at = 0;
  for (; at < text.size() && index > 0; --index) at += decode_valid(text, at).size_bytes;
  return at;
}

std::string to_lower(std::string_view text) {
  const std::vector<uint32_t> points = to_code_points(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < points.size(); ++i) append_lower(out, points, i);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const uint32_t c : to_code_points(text)) append_upper(out, c);
  return out;
}

std::string to_capitalized(std::string_view text) {
  const std::vector<uint32_t> points = to_code_points(text);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) {
    if (i == 0)
      append_title(out, points[i]);
    else
      append_lower(out, points, i);
  }
  return out;
}

std::string to_title(std::string_view text) {
  const std::vector<uint32_t> points = to_code_points(text);
  std::string out;
  bool inside = false;
  for (size_t i = 0; i < points.size(); ++i) {
    if (inside)
      append_lower(out, points, i);
    else
      append_title(out, points[i]);
    inside = is_cased(points[i]);
  }
  return out;
}

std::string swap_case(std::string_view text) {
  const std::vector<uint32_t> points = to_code_points(text);
  std::string out;
  for (size_t i = 0; i < points.size(); ++i) {
    if (is_upper(points[i]))
      append_lower(out, points, i);
    else if (is_lower(points[i]))
      append_upper(out, points[i]);
    else
      append_utf8(out, points[i]);
  }
  return out;
}

std::string_view strip(std::string_view text, Side side, const std::string_view* characters) {
  const auto goes = [&](std::string_view one, uint32_t c) {
    return characters ? characters->find(one) != std::string_view::npos : is_space(c);
  };
  while (side != Side::right && !text.empty()) {
    const CodePoint c = decode_valid(text, 0);
    if (!goes(text.substr(0, c.size_bytes), c.value)) break;
    text.remove_prefix(c.size_bytes);
  }
  while (side != Side::left && !text.empty()) {
    const size_t size = tokenizers::last_code_point_size(text);
    const std::string_view last = text.substr(text.size() - size);
    if (!goes(last, decode_valid(last, 0).value)) break;
    text.remove_suffix(size);
  }
  return text;
}

}  // namespace hearth::jinja
