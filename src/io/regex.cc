// SPDX-License-Identifier: Apache-2.0
// PCRE2 rather than std::regex, which overflows the stack on long texts and has no limit of steps.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/regex.h"

#include <pcre2.h>

#include "base/error.h"

namespace hearth {
namespace {

// Reserved, and taken only as far as a match needs it: a repeated group needs a few dozen bytes for each repeat, and a
// megabyte of letters without a cut is a text that must work.
static constexpr size_t kMaxStackBytes = 128 << 20;

// Scratch of the searches of one thread.
struct MatchState {
  MatchState()
      : data(pcre2_match_data_create(1, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 << 10, kMaxStackBytes, nullptr)) {
    HEARTH_CHECK(data != nullptr && context != nullptr, memory, "no memory for a regular expression search");
    if (stack != nullptr) pcre2_jit_stack_assign(context, nullptr, stack);
    pcre2_set_heap_limit(context, 64 << 10);  // KiB; where there is no JIT
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

MatchState& match_state() {
  static thread_local MatchState state;
  return state;
}

PCRE2_SPTR units(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string reason_of(int error) {
  PCRE2_UCHAR reason[256] = {};
  pcre2_get_error_message(error, reason, sizeof reason);
  return reinterpret_cast<const char*>(reason);
}

uint32_t compile_flags(const RegexOptions& options) {
  return PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | (options.unicode_classes ? PCRE2_UCP : 0) |
         (options.valid_utf8 ? PCRE2_NO_UTF_CHECK : 0) | (options.whole_text ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0);
}

}  // namespace

std::optional<CompiledRegex> CompiledRegex::compile(const std::string& pattern, const RegexOptions& options,
                                                    std::string* why) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(units(pattern), pattern.size(), compile_flags(options), &error, &at, nullptr);
  if (code == nullptr) {
    *why = cat(reason_of(error), " at character ", at);
    return std::nullopt;
  }
  CompiledRegex regex;
  regex.options_ = options;
  regex.code_ = std::shared_ptr<const void>(
      code, [](const void* p) { pcre2_code_free(const_cast<pcre2_code*>(static_cast<const pcre2_code*>(p))); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without JIT (some processors) matching is slower, not different
  return regex;
}

CompiledRegex::Found CompiledRegex::search(std::string_view text, size_t from, bool anchored, Match* match,
                                           std::string* why) const {
  MatchState& state = match_state();
  pcre2_set_match_limit(state.context, options_.step_limit);
  const uint32_t flags = (anchored ? PCRE2_ANCHORED : 0) | (options_.valid_utf8 ? PCRE2_NO_UTF_CHECK : 0);
  const int found = pcre2_match(static_cast<const pcre2_code*>(code_.get()), units(text), text.size(), from, flags,
                                state.data, state.context);
  if (found == PCRE2_ERROR_NOMATCH) return Found::no;
  if (found < 0) {
    *why = reason_of(found);
    return Found::gave_up;
  }
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(state.data);
  *match = {range[0], range[1]};
  return Found::yes;
}

// --- re.fullmatch
// --------------------------------------------------------------------------------------------------------

static CompiledRegex compile_whole(const std::string& pattern, const std::string& place) {
  constexpr size_t kLongest = 4096;  // a list of all modules of a model, joined by '|', would be a list in the file
  HEARTH_CHECK(pattern.size() <= kLongest, format, place, " is a regular expression of ", pattern.size(),
               " characters; at most ", kLongest, " are allowed");
  std::string why;
  const std::optional<CompiledRegex> regex = CompiledRegex::compile(pattern, {.whole_text = true}, &why);
  HEARTH_CHECK(regex, format, place, " is no valid regular expression: ", why, " of '", pattern, "'");
  return *regex;
}

void check_regex(const std::string& pattern, const std::string& place) { compile_whole(pattern, place); }

bool regex_fullmatch(const std::string& pattern, const std::string& text) {
  const CompiledRegex regex = compile_whole(pattern, "'" + pattern + "'");
  CompiledRegex::Match match;
  std::string why;
  const CompiledRegex::Found found = regex.search(text, 0, false, &match, &why);
  HEARTH_CHECK(found != CompiledRegex::Found::gave_up, value, "the regular expression '", pattern,
               "' needs too many steps for '", text, "'\n  hint: make it simpler");
  return found == CompiledRegex::Found::yes;
}

}  // namespace hearth
