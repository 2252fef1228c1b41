// SPDX-License-Identifier: Apache-2.0
#include "text/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/byte_chars.h"
#include "text/normalizer.h"
#include "text/unicode.h"
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
  } else if (split.is_match) {
    for (size_t at = 0; at < text.size();) {
      const CodePoint c = decode_valid(text, at);
      if (split.is_match(c.value)) found(at, at + c.size_bytes);
      at += c.size_bytes;
    }
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

static std::vector<Part> word_runs(std::string_view text) {
  enum { space, word, other };
  std::vector<Part> parts;
  int before = space;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    const size_t end = at + c.size_bytes;
    const int kind = is_word_character(c.value) ? word : is_white_space(c.value) ? space : other;
    if (kind != space && kind == before) {
      parts.back().end = end;
    } else if (kind != space) {
      parts.push_back({at, end, true});
    }
    before = kind;
    at = end;
  }
  return parts;
}

// Characters without a script go with what is before them; where nothing is, they vanish: the tokenizers library's
// doing.
static std::vector<Part> script_runs(std::string_view text) {
  std::vector<Part> parts;
  int before = kNoScript;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    const int script = script_of(c.value);
    const size_t end = at + c.size_bytes;
    if (script != kNoScript && before != script) {
      parts.push_back({at, end, true});
    } else if (!parts.empty()) {
      parts.back().end = end;
    }
    if (script != kNoScript) before = script;
    at = end;
  }
  return parts;
}

static std::vector<Part> fixed_lengths(std::string_view text, size_t characters) {
  std::vector<Part> parts;
  size_t count = 0;
  for (size_t at = 0; at < text.size(); ++count) {
    const size_t end = at + decode_valid(text, at).size_bytes;
    if (count % characters == 0) parts.push_back({at, end, true});
    parts.back().end = end;
    at = end;
  }
  return parts;
}

static std::optional<std::vector<Part>> cut(const PreTokenizerStep& step, std::string_view text) {
  if (const auto* split = std::get_if<Split>(&step)) return split_text(*split, text);
  if (std::holds_alternative<WordRuns>(step)) return word_runs(text);
  if (std::holds_alternative<ScriptRuns>(step)) return script_runs(text);
  if (const auto* fixed = std::get_if<FixedLength>(&step)) return fixed_lengths(text, fixed->characters);
  return std::nullopt;
}

// Steps that cut nothing: the text they make, and how many of its bytes stem from the first character (`head`).
static std::string change(const PreTokenizerStep& step, std::string_view text, size_t* head) {
  std::string out;
  if (const auto* metaspace = std::get_if<Metaspace>(&step)) {
    *head = replace_all(text.substr(0, *head), " ", metaspace->replacement).size();
    out = replace_all(text, " ", metaspace->replacement);
    const bool wanted =
        metaspace->scheme == PrependScheme::always || (metaspace->scheme == PrependScheme::first && *head > 0);
    if (!wanted || out.starts_with(metaspace->replacement)) return out;
    if (*head > 0) *head += metaspace->replacement.size();
    return metaspace->replacement + out;
  }
  if (std::holds_alternative<PrefixSpace>(step)) {
    if (text[0] == ' ') return std::string(text);
    if (*head > 0) *head += 1;
    return " " + std::string(text);
  }
  append_byte_chars(out, text.substr(0, *head));
  const size_t before = std::exchange(*head, out.size());
  out.reserve(text.size() * 2);
  append_byte_chars(out, text.substr(before));
  return out;
}

void PreTokenizer::run(size_t step, std::string_view text, size_t head, const Word& word) const {
  if (text.empty()) return;
  if (step == steps_.size()) return word(text);
  if (const std::optional<std::vector<Part>> parts = cut(steps_[step], text)) {
    for (const Part& part : *parts)
      run(step + 1, text.substr(part.begin, part.end - part.begin), head - std::min(head, part.begin), word);
  } else {
    const std::string changed = change(steps_[step], text, &head);
    run(step + 1, changed, head, word);
  }
}

bool PreTokenizer::looks_at_head() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const PreTokenizerStep& step) {
    const auto* metaspace = std::get_if<Metaspace>(&step);
    return metaspace != nullptr && metaspace->scheme == PrependScheme::first;
  });
}

void PreTokenizer::add(const PreTokenizerStep& step) { steps_.push_back(step); }

}  // namespace hearth::tokenizers
