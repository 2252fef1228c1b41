// SPDX-License-Identifier: Apache-2.0
#pragma once
// Regular expressions: the one wrapper of PCRE2 (tokenizers give it patterns of their own dialect, text/regex.h), and
// Python's re.fullmatch for the module patterns of adapters.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hearth {

struct RegexOptions {
  bool whole_text = false;       // a match must be the whole text
  bool unicode_classes = false;  // \d, \w and so on by Unicode's tables
  bool valid_utf8 = false;       // pattern and texts are known to be UTF-8: not checked again
  uint32_t step_limit = 1'000'000;
};

// A compiled pattern. Safe to share between threads; copies are cheap.
class CompiledRegex {
 public:
  // Empty when PCRE2 refuses the pattern: then `why` says the reason, with its place.
  static std::optional<CompiledRegex> compile(const std::string& pattern, const RegexOptions& options,
                                              std::string* why);

  enum class Found { yes, no, gave_up };
  struct Match {
    size_t begin = 0, end = 0;  // bytes; begin > end is possible with \K
  };
  // The first match that begins at byte `from` or behind, or only there when `anchored`. Gives up, with the reason in
  // `why`, beyond the step limit (patterns come from files that nobody vouches for) and on text that is no UTF-8.
  Found search(std::string_view text, size_t from, bool anchored, Match* match, std::string* why) const;

 private:
  std::shared_ptr<const void> code_;  // pcre2_code
  RegexOptions options_;
};

// Throws Error{format} "<place> is no valid regular expression: <reason>".
void check_regex(const std::string& pattern, const std::string& place);

// Throws Error{format} for an invalid pattern, Error{value} for one that needs too many steps.
bool regex_fullmatch(const std::string& pattern, const std::string& text);

}  // namespace hearth
