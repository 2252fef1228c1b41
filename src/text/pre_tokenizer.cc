// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include <array>

#include "text/normalizer.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {
struct Part {
  size_t begin, end;
  bool is_match;
};
}  // namespace

// Matches and what lies between them, in order: together the whole text.
static std::vector<Part> find_parts(const Split& split, std::string_view text) {
  std::vector<Part> parts;
  size_t done = 0;
  const auto found = [&](size_t begin, size_t end) {
    if (done != begin) parts.push_back({done, begin, split.invert});
    parts.push_back({begin, end, !split.invert});
    done = end;
  };
  if (split.regex) {
    split.regex->for_each_match(text, found);
  } else {
    for (size_t at = 0; (at = text.find(split.literal, at)) != std::string_view::npos; at += split.literal.size())
      found(at, at + split.literal.size());
  }
  if (done != text.size()) parts.push_back({done, text.size(), split.invert});
  return parts;
}

// Joins neighbours. Going forward a match joins what is before it, going backward what is behind it.
static void merge_matches(std::vector<Part>& parts, bool forward) {
  std::vector<Part> out;
  bool match_before = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[forward ? i : parts.size() - 1 - i];
    if (part.is_match && !match_before && !out.empty()) {
      (forward ? out.back().end : out.back().begin) = forward ? part.end : part.begin;
    } else {
      out.push_back(part);
    }
    match_before = part.is_match;
  }
  if (!forward) std::vector<Part>(out.rbegin(), out.rend()).swap(out);
  parts.swap(out);
}

static void join_equals(std::vector<Part>& parts) {
  std::vector<Part> out;
  bool match_before = false;
  for (const Part& part : parts) {
    if (part.is_match == match_before && !out.empty()) {
      out.back().end = part.end;
    } else {
      out.push_back(part);
    }
    match_before = part.is_match;
  }
  parts.swap(out);
}

static std::vector<Part> split_text(const Split& split, std::string_view text) {
  std::vector<Part> parts = find_parts(split, text);
  switch (split.behavior) {
    case SplitBehavior::isolated: break;
    case SplitBehavior::removed: std::erase_if(parts, [](const Part& part) { return part.is_match; }); break;
    case SplitBehavior::contiguous: join_equals(parts); break;
    case SplitBehavior::merged_with_previous: merge_matches(parts, true); break;
    case SplitBehavior::merged_with_next: merge_matches(parts, false); break;
  }
  return parts;
}

static std::string apply_metaspace(const Metaspace& metaspace, std::string_view text, bool at_start) {
  std::string out = replace_all(text, " ", metaspace.replacement);
  const bool wanted =
      metaspace.scheme == PrependScheme::always || (metaspace.scheme == PrependScheme::first && at_start);
  if (wanted && !out.starts_with(metaspace.replacement)) out.insert(0, metaspace.replacement);
  return out;
}

void PreTokenizer::run(size_t step, std::string_view text, bool at_start, const Word& word) const {
  if (text.empty()) return;
  if (step == steps_.size()) return word(text);
  if (const auto* split = std::get_if<Split>(&steps_[step])) {
    for (const Part& part : split_text(*split, text))
      run(step + 1, text.substr(part.begin, part.end - part.begin), at_start && part.begin == 0, word);
  } else if (const auto* metaspace = std::get_if<Metaspace>(&steps_[step])) {
    run(step + 1, apply_metaspace(*metaspace, text, at_start), at_start, word);
  } else if (std::holds_alternative<PrefixSpace>(steps_[step])) {
    run(step + 1, text[0] == ' ' ? std::string(text) : " " + std::string(text), at_start, word);
  } else {
    std::string chars;
    chars.reserve(text.size() * 2);
    for (const char byte : text) chars += byte_to_char(static_cast<unsigned char>(byte));
    run(step + 1, chars, at_start, word);
  }
}

void PreTokenizer::add(const PreTokenizerStep& step) { steps_.push_back(step); }

bool PreTokenizer::looks_at_start() const {
  for (const PreTokenizerStep& step : steps_)
    if (const auto* metaspace = std::get_if<Metaspace>(&step))
      if (metaspace->scheme == PrependScheme::first) return true;
  return false;
}

// Source: GPT-2's bytes_to_unicode: visible Latin-1 bytes stand for themselves, the others get 256, 257, ... in order.
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

const std::string& byte_to_char(unsigned char byte) { return byte_table().chars[byte]; }
int char_to_byte(uint32_t c) { return c < 512 ? byte_table().bytes[c] : -1; }

}  // namespace hearth::tokenizers
