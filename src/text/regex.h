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
  // libraries read differently (\w \b \h \R, nested sets, &&): `where` names the place in the file.
  Regex(const std::string& pattern, const std::string& where);

  // Which characters are letters, digits and so on is PCRE2's knowledge: Unicode 14 in PCRE2 10.42, where the
  // tokenizers library knows Unicode 16.

  // Calls found(begin, end) for each match from left to right, as Oniguruma's find_iter does: an empty match directly
  // behind a match is passed over. text must be valid UTF-8. Throws Error{unsupported} when matching takes too long.
  void for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const;

  bool matches_at_start(std::string_view text) const;  // an anchored match exists at the first byte

 private:
  // Whether there is a match, and where.
  bool search(std::string_view text, size_t from, bool anchored, CompiledRegex::Match* match) const;

  std::string pattern_;
  CompiledRegex compiled_;
};

// Is this character part of a word (\w of Rust's regular expressions)?
bool is_word_character(uint32_t code_point);

}  // namespace hearth::tokenizers
