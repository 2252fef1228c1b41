// SPDX-License-Identifier: Apache-2.0
#include "text/nfc.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "text/pair_map.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {
struct Decomposition {
  uint32_t whole, first, second;  // second 0: only one character
  uint8_t composes;               // 0: NFC leaves it decomposed
};
struct ClassRange {
  uint32_t begin, end;  // both included
  uint8_t combining_class;
};
#include "text/nfc_tables.inc"

struct Mark {
  uint32_t value;
  uint8_t combining_class;
};
}  // namespace

static uint8_t combining_class(uint32_t c) {
  if (c < 0x300) return 0;
  const auto* range = std::upper_bound(std::begin(kClassRanges), std::end(kClassRanges), c,
                                       [](uint32_t value, const ClassRange& r) { return value < r.begin; });
  if (range == std::begin(kClassRanges)) return 0;
  --range;
  return c <= range->end ? range->combining_class : 0;
}

static constexpr uint32_t kHangulS = 0xAC00, kHangulL = 0x1100, kHangulV = 0x1161, kHangulT = 0x11A7;
static constexpr uint32_t kHangulVs = 21, kHangulTs = 28, kHangulSs = 19 * 21 * 28;

static void decompose(uint32_t c, std::vector<Mark>& out) {
  if (c >= kHangulS && c < kHangulS + kHangulSs) {
    const uint32_t index = c - kHangulS, t = index % kHangulTs;
    out.push_back({kHangulL + index / (kHangulVs * kHangulTs), 0});
    out.push_back({kHangulV + index / kHangulTs % kHangulVs, 0});
    if (t != 0) out.push_back({kHangulT + t, 0});
    return;
  }
  const auto* row = c < 0xC0 ? std::end(kDecompositions)
                             : std::lower_bound(std::begin(kDecompositions), std::end(kDecompositions), c,
                                                [](const Decomposition& d, uint32_t value) { return d.whole < value; });
  if (row == std::end(kDecompositions) || row->whole != c) return out.push_back({c, combining_class(c)});
  decompose(row->first, out);
  if (row->second != 0) decompose(row->second, out);
}

static uint32_t compose(uint32_t first, uint32_t second) {  // 0 if the two do not compose
  static const PairMap<uint32_t> pairs = [] {
    PairMap<uint32_t> map;
    for (const Decomposition& d : kDecompositions)
      if (d.composes != 0 && d.second != 0) map.set(d.first, d.second, d.whole);
    return map;
  }();
  if (first >= kHangulL && first < kHangulL + 19 && second >= kHangulV && second < kHangulV + kHangulVs)
    return kHangulS + ((first - kHangulL) * kHangulVs + second - kHangulV) * kHangulTs;
  const bool lv = first >= kHangulS && first < kHangulS + kHangulSs && (first - kHangulS) % kHangulTs == 0;
  if (lv && second > kHangulT && second < kHangulT + kHangulTs) return first + second - kHangulT;
  const uint32_t* whole = pairs.find(first, second);
  return whole == nullptr ? 0 : *whole;
}

static void sort_marks(std::vector<Mark>& text) {
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && text[end].combining_class != 0) ++end;
    std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(i), text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    i = end + 1;
  }
}

std::string to_nfc(std::string_view text) {
  // Below U+0300 nothing combines and everything is composed already.
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0xCC; }))
    return std::string(text);
  std::vector<Mark> marks;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    decompose(c.value, marks);
    at += c.size_bytes;
  }
  sort_marks(marks);
  std::vector<Mark> out;
  size_t starter = SIZE_MAX;  // index in out of the last character of class 0
  for (const Mark& mark : marks) {
    if (starter != SIZE_MAX) {
      const bool adjacent = out.size() == starter + 1;
      const bool blocked = !adjacent && out.back().combining_class >= mark.combining_class;
      const uint32_t whole = blocked ? 0 : compose(out[starter].value, mark.value);
      if (whole != 0) {
        out[starter].value = whole;
        continue;
      }
    }
    if (mark.combining_class == 0) starter = out.size();
    out.push_back(mark);
  }
  std::string result;
  result.reserve(text.size());
  for (const Mark& mark : out) append_utf8(result, mark.value);
  return result;
}

}  // namespace hearth::tokenizers
