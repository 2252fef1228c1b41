// SPDX-License-Identifier: Apache-2.0
#include "text/regex.h"

#include "base/error.h"
#include "io/nearest.h"
#include "text/regex_dialect.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

// A pattern that backtracks more than this on one match is an attack or a mistake; the patterns of real tokenizers need
// at most a few steps a byte, and a run of white space one step a byte.
static constexpr uint32_t kMatchLimit = 50'000'000;
static constexpr size_t kMaxPatternBytes = 16 << 10;

static CompiledRegex compile(const std::string& pattern, const std::string& where) {
  HEARTH_CHECK(pattern.size() <= kMaxPatternBytes, unsupported, where, ": the regular expression has ", pattern.size(),
               " bytes; at most ", kMaxPatternBytes, " are allowed");
  const RegexOptions options{.unicode_classes = true, .valid_utf8 = true, .step_limit = kMatchLimit};
  std::string why;
  const std::optional<CompiledRegex> compiled =
      CompiledRegex::compile(oniguruma_to_pcre(pattern, where), options, &why);
  HEARTH_CHECK(compiled, unsupported, where, ": cannot use the regular expression: ", why,
               "\n  pattern: ", printable(pattern));
  return *compiled;
}

Regex::Regex(const std::string& pattern, const std::string& where)
    : pattern_(pattern), compiled_(compile(pattern, where)) {}

bool Regex::search(std::string_view text, size_t from, CompiledRegex::Match* match) const {
  std::string why;
  const CompiledRegex::Found found = compiled_.search(text, from, false, match, &why);
  HEARTH_CHECK(found != CompiledRegex::Found::gave_up, unsupported,
               "tokenizer: the pre-tokenizer's regular expression gave up at byte ", from, " of a text of ",
               text.size(), " bytes: ", why, "\n  pattern: ", printable(pattern_));
  return found == CompiledRegex::Found::yes;
}

void Regex::for_each_match(std::string_view text, const std::function<void(size_t, size_t)>& found) const {
  size_t from = 0, last_end = std::string_view::npos;
  CompiledRegex::Match match;
  while (from <= text.size() && search(text, from, &match)) {
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

std::string Regex::replace_all(std::string_view text, std::string_view content) const {
  std::string out;
  size_t done = 0;
  for_each_match(text, [&](size_t begin, size_t end) {
    out += text.substr(done, begin - done);
    out += content;
    done = end;
  });
  out += text.substr(done);
  return out;
}

}  // namespace hearth::tokenizers
