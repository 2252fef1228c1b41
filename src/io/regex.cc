// SPDX-License-Identifier: Apache-2.0
// PCRE2 rather than std::regex, which overflows the stack on long texts and has no limit of steps.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/regex.h"

#include <pcre2.h>

#include <memory>

#include "base/error.h"

namespace hearth {
namespace {

struct CodeDelete {
  void operator()(pcre2_code* p) const { pcre2_code_free(p); }
};
struct MatchDataDelete {
  void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
};
struct ContextDelete {
  void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
};
using Code = std::unique_ptr<pcre2_code, CodeDelete>;

PCRE2_SPTR units(const std::string& text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

Code compile(const std::string& pattern, const std::string& place) {
  constexpr size_t kLongest = 4096;  // a list of all modules of a model, joined by '|', would be a list in the file
  HEARTH_CHECK(pattern.size() <= kLongest, format, place, " is a regular expression of ", pattern.size(),
               " characters; at most ", kLongest, " are allowed");
  int error = 0;
  PCRE2_SIZE at = 0;
  Code code(pcre2_compile(units(pattern), pattern.size(),
                          PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                          nullptr));
  if (!code) {
    char reason[256] = "";
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(reason), sizeof reason);
    HEARTH_FAIL(format, place, " is no valid regular expression: ", reason, " at character ", at, " of '", pattern,
                "'");
  }
  return code;
}

}  // namespace

void check_regex(const std::string& pattern, const std::string& place) { compile(pattern, place); }

bool regex_fullmatch(const std::string& pattern, const std::string& text) {
  const Code code = compile(pattern, "'" + pattern + "'");
  const std::unique_ptr<pcre2_match_context, ContextDelete> context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), 1'000'000);
  pcre2_set_heap_limit(context.get(), 64 << 10);  // KiB
  const std::unique_ptr<pcre2_match_data, MatchDataDelete> match(pcre2_match_data_create(1, nullptr));
  const int found = pcre2_match(code.get(), units(text), text.size(), 0, 0, match.get(), context.get());
  HEARTH_CHECK(found >= 0 || found == PCRE2_ERROR_NOMATCH, value, "the regular expression '", pattern,
               "' needs too many steps for '", text, "'\n  hint: make it simpler");
  return found >= 0;
}

}  // namespace hearth
