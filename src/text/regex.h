// SPDX-License-Identifier: Apache-2.0
#pragma once
// Regular expressions of tokenizer.json files, which are written for Oniguruma, run by PCRE2 (io/regex.h).

#include <functional>
#include <string>
#include <string_view>

#include "io/regex.h"

namespace hearth::tokenizers {

class Regex {
 public:
  // Throws Error{unsupported} that shows the pattern when PCRE2 refuses it, or when it holds a construct that the two
  // libraries read differently and regex_dialect.h does not rewrite: `where` names the place in the file.
  // Differs: under (?i:) a letter that folds to two (ß, ss) matches only letters that fold to one.
  Regex(const std::string& pattern, const std::string& where);

  // Calls found(begin, end) for each match from left to right, as Oniguruma's find_iter does: an empty match directly
  // behind a match is passed over. text must be valid UTF-8. Throws Error{unsupported} when matching takes too long.
  void for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const;

  std::string replace_all(std::string_view text, std::string_view content) const;

 private:
  // Whether there is a match, and where.
  bool search(std::string_view text, size_t from, CompiledRegex::Match* match) const;

  std::string pattern_;
  CompiledRegex compiled_;
};

}  // namespace hearth::tokenizers
