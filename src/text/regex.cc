// SPDX-License-Identifier: Apache-2.0
#include "text/regex.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

// A pattern that backtracks more than this on one match is an attack or a mistake; the patterns of real tokenizers need
// at most a few steps a byte, and a run of white space one step a byte.
static constexpr uint32_t kMatchLimit = 50'000'000;
static constexpr size_t kMaxPatternBytes = 16 << 10;

// Characters that may follow a backslash and mean the same in both libraries (\s and \S are rewritten).
static bool same_in_both(char c) {
  const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return !letter_or_digit || std::string_view("dDpPrntfx").find(c) != std::string_view::npos;
}

// \p{Lu}, \p{^L}, \p{Alphabetic}. Other names are scripts, which PCRE2 takes wider (by Script_Extensions) unless told
// otherwise.
static bool is_script(std::string_view name) {
  if (name.starts_with('^')) name.remove_prefix(1);
  return name.size() > 2 && name != "Alphabetic" && name != "Join_Control" && name != "White_Space";
}

static bool same_group(const std::string& pattern, size_t at) {  // pattern[at] is '('
  if (pattern.compare(at, 2, "(*") == 0) return false;
  if (pattern.compare(at, 2, "(?") != 0) return true;
  for (const char* known : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:"})
    if (pattern.compare(at, std::string_view(known).size(), known) == 0) return true;
  return false;
}

// What stands outside a set and means different things: Ruby's ^ and $ match at every line, {1,2}+ is not possessive.
static std::string foreign_outside_set(const std::string& pattern, size_t at) {
  const char c = pattern[at];
  if (c == '^' || c == '$') return std::string(1, c) + " (a line's begin or end)";
  if (c == '(' && !same_group(pattern, at)) return "the group '" + pattern.substr(at, 4) + "'";
  if (pattern.compare(at, 2, "}+") == 0) return "a counted repeat followed by +";
  return "";
}

// Oniguruma's \s is the White_Space property; PCRE2's also has U+180E. Everything else that differs is refused.
static std::string to_pcre(const std::string& pattern, const std::string& where) {
  const auto refuse = [&](const std::string& what) {
    HEARTH_FAIL(unsupported, where, ": the regular expression uses ", what,
                ", which Hearth does not do\n  pattern: ", printable(pattern));
  };
  std::string out;
  bool in_set = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      if (next == 's' || next == 'S') {
        out += next == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
      } else {
        if (!same_in_both(next)) refuse(std::string("\\") + next);
        (out += c) += next;
        if (i + 1 < pattern.size() && pattern[i + 1] == '{' && (next == 'p' || next == 'P' || next == 'x')) {
          const size_t close = std::min(pattern.find('}', i), pattern.size() - 1);
          const std::string name = pattern.substr(i + 2, close - i - 2);
          out += next != 'x' && is_script(name) ? "{sc:" + name + "}" : "{" + name + "}";
          i = close;
        }
      }
      continue;
    }
    if (in_set && c == '[') refuse("a set inside a set");
    if (in_set && c == '&' && pattern.compare(i, 2, "&&") == 0) refuse("the intersection &&");
    if (c == '[') {
      in_set = true;
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[i++];
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') refuse("']' as the first member of a set");
      out += pattern[i];
      continue;
    }
    if (c == ']') {
      in_set = false;
      out += c;
      continue;
    }
    if (!in_set) {
      const std::string foreign = foreign_outside_set(pattern, i);
      if (!foreign.empty()) refuse(foreign);
    }
    out += c;
  }
  return out;
}

static CompiledRegex compile(const std::string& pattern, const std::string& where) {
  HEARTH_CHECK(pattern.size() <= kMaxPatternBytes, unsupported, where, ": the regular expression has ", pattern.size(),
               " bytes; at most ", kMaxPatternBytes, " are allowed");
  const RegexOptions options{.unicode_classes = true, .valid_utf8 = true, .step_limit = kMatchLimit};
  std::string why;
  const std::optional<CompiledRegex> compiled = CompiledRegex::compile(to_pcre(pattern, where), options, &why);
  HEARTH_CHECK(compiled, unsupported, where, ": cannot use the regular expression: ", why,
               "\n  pattern: ", printable(pattern));
  return *compiled;
}

Regex::Regex(const std::string& pattern, const std::string& where)
    : pattern_(pattern), compiled_(compile(pattern, where)) {}

bool Regex::search(std::string_view text, size_t from, bool anchored, CompiledRegex::Match* match) const {
  std::string why;
  const CompiledRegex::Found found = compiled_.search(text, from, anchored, match, &why);
  HEARTH_CHECK(found != CompiledRegex::Found::gave_up, unsupported,
               "tokenizer: the pre-tokenizer's regular expression gave up at byte ", from, " of a text of ",
               text.size(), " bytes: ", why, "\n  pattern: ", printable(pattern_));
  return found == CompiledRegex::Found::yes;
}

void Regex::for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const {
  size_t from = 0, last_end = std::string_view::npos;
  CompiledRegex::Match match;
  while (from <= text.size() && search(text, from, false, &match)) {
    const auto [begin, end] = match;
    HEARTH_CHECK(begin <= end, unsupported,
                 "tokenizer: the regular expression uses \\K\n  pattern: ", printable(pattern_));
    if (begin == end && last_end == end) {
      if (end >= text.size()) return;
      from = end + decode_valid(text, end).size_bytes;
      continue;
    }
    found(begin, end);
    from = last_end = end;
  }
}

bool Regex::matches_at_start(std::string_view text) const {
  CompiledRegex::Match match;
  return search(text, 0, true, &match);
}

// Source: regex-syntax (Rust), UTS #18 annex C: \w = Alphabetic, Mark, Decimal_Number, Connector_Punctuation,
// Join_Control.
bool is_word_character(uint32_t code_point) {
  static const Regex word("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]", "tokenizer");
  std::string text;
  append_utf8(text, code_point);
  return word.matches_at_start(text);
}

}  // namespace hearth::tokenizers
