// SPDX-License-Identifier: Apache-2.0
#include "text/regex.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

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

Regex::Regex(const std::string& pattern, const std::string& where) : pattern_(pattern) {
  HEARTH_CHECK(pattern.size() <= kMaxPatternBytes, unsupported, where, ": the regular expression has ", pattern.size(),
               " bytes; at most ", kMaxPatternBytes, " are allowed");
  const std::string text = to_pcre(pattern, where);
  int error = 0;
  PCRE2_SIZE offset = 0;
  const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), options, &error, &offset, nullptr);
  if (code == nullptr) {
    PCRE2_UCHAR reason[256] = {};
    pcre2_get_error_message(error, reason, sizeof reason);
    HEARTH_FAIL(unsupported, where, ": cannot use the regular expression: ", reinterpret_cast<const char*>(reason),
                "\n  pattern: ", printable(pattern));
  }
  code_ = std::shared_ptr<const void>(
      code, [](const void* p) { pcre2_code_free(const_cast<pcre2_code*>(static_cast<const pcre2_code*>(p))); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without JIT (some processors) matching is slower, not different
}

namespace {
// Scratch of the searches of one thread.
struct MatchState {
  MatchState()
      : data(pcre2_match_data_create(1, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 << 10, 8 << 20, nullptr)) {
    HEARTH_CHECK(data != nullptr && context != nullptr, memory, "tokenizer: no memory for a regular expression search");
    if (stack != nullptr) pcre2_jit_stack_assign(context, nullptr, stack);
    pcre2_set_match_limit(context, kMatchLimit);
  }
  ~MatchState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  MatchState(const MatchState&) = delete;
  MatchState& operator=(const MatchState&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
  pcre2_jit_stack* stack;
};
}  // namespace

static MatchState& match_state() {
  static thread_local MatchState state;
  return state;
}

static const pcre2_code* code_of(const std::shared_ptr<const void>& p) {
  return static_cast<const pcre2_code*>(p.get());
}

static bool search(const pcre2_code* code, MatchState& state, std::string_view text, size_t from, uint32_t options,
                   const std::string& pattern) {
  const int rc = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                             options | PCRE2_NO_UTF_CHECK, state.data, state.context);
  if (rc == PCRE2_ERROR_NOMATCH) return false;
  if (rc < 0) {
    PCRE2_UCHAR reason[256] = {};
    pcre2_get_error_message(rc, reason, sizeof reason);
    HEARTH_FAIL(unsupported, "tokenizer: the pre-tokenizer's regular expression gave up at byte ", from,
                " of a text of ", text.size(), " bytes: ", reinterpret_cast<const char*>(reason),
                "\n  pattern: ", printable(pattern));
  }
  return true;
}

void Regex::for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const {
  MatchState& state = match_state();
  size_t from = 0, last_end = std::string_view::npos;
  while (from <= text.size() && search(code_of(code_), state, text, from, 0, pattern_)) {
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(state.data);
    const size_t begin = range[0], end = range[1];
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
  MatchState& state = match_state();
  return search(code_of(code_), state, text, 0, PCRE2_ANCHORED, pattern_);
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
