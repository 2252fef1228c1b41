// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pre-tokenizers: cut a normalized text in words, which the model then encodes one by one.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/regex.h"

namespace hearth::tokenizers {

enum class SplitBehavior { isolated, removed, contiguous, merged_with_previous, merged_with_next };

struct Split {
  std::optional<Regex> regex;  // else literal
  std::string literal;
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

using PreTokenizerStep = std::variant<Split, Metaspace, PrefixSpace, BytesToChars>;

class PreTokenizer {
 public:
  using Word = std::function<void(std::string_view word)>;

  void add(const PreTokenizerStep& step);
  bool looks_at_start() const;  // does a step treat the start of the whole text differently?

  // Calls word for each word of text. at_start: text begins where the user's text begins.
  void apply(std::string_view text, bool at_start, const Word& word) const { run(0, text, at_start, word); }

 private:
  void run(size_t step, std::string_view text, bool at_start, const Word& word) const;
  std::vector<PreTokenizerStep> steps_;
};

// The 2-byte or 1-byte character that stands for a byte in byte-level vocabularies, and back (-1: stands for none).
const std::string& byte_to_char(unsigned char byte);
int char_to_byte(uint32_t code_point);

}  // namespace hearth::tokenizers
