// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pre-tokenizers: cut a normalized text in words, which the model then encodes one by one.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/regex.h"

namespace hearth::tokenizers {

enum class SplitBehavior { isolated, removed, contiguous, merged_with_previous, merged_with_next };

// Where a Split finds its matches: a regular expression, a string, or single characters.
struct Split {
  std::optional<Regex> regex;
  std::string literal;                          // where there is no regex
  std::function<bool(uint32_t)> is_match = {};  // where there is neither
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  // what matches and what lies between change roles
};

enum class PrependScheme { first, always, never };

struct Metaspace {  // spaces become `replacement`, one is put in front
  std::string replacement;
  PrependScheme scheme = PrependScheme::always;
};

struct PrefixSpace {};   // a space in front of a word that has none
struct BytesToChars {};  // every byte becomes a visible character (GPT-2's table)
struct WordRuns {};      // runs of word characters, runs of others; white space vanishes
struct ScriptRuns {};    // a cut where the script changes
struct FixedLength {     // pieces of so many characters, the last one shorter
  size_t characters = 5;
};

using PreTokenizerStep = std::variant<Split, Metaspace, PrefixSpace, BytesToChars, WordRuns, ScriptRuns, FixedLength>;

class PreTokenizer {
 public:
  using Word = std::function<void(std::string_view word)>;

  void add(const PreTokenizerStep& step);

  bool looks_at_head() const;  // does a step treat the begin of the user's text differently? Else head may be 0.

  // Calls word for each word of text. head: how many bytes at text's begin stem from the first character of the user's
  // text (normalizer.h).
  void apply(std::string_view text, size_t head, const Word& word) const { run(0, text, head, word); }

 private:
  void run(size_t step, std::string_view text, size_t head, const Word& word) const;
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace hearth::tokenizers
