// SPDX-License-Identifier: Apache-2.0
#pragma once
// Normalizers: text in, text out, before anything is cut.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hearth::tokenizers {

struct Prepend {  // in front of a text that is not empty
  std::string text;
};
struct Replace {  // every occurrence, from left to right
  std::string pattern, content;
};
struct NormalizeNfc {};     // Unicode's composed form
struct MergeWhiteSpace {};  // sentencepiece's remove_extra_whitespaces: none at the ends, one between words

using NormalizerStep = std::variant<Prepend, Replace, NormalizeNfc, MergeWhiteSpace>;

class Normalizer {
 public:
  void add(const NormalizerStep& step);
  bool empty() const { return steps_.empty(); }
  bool moves_the_start() const;  // can the first character of a result belong to no character of the input?
  std::string apply(std::string_view text) const;

 private:
  std::vector<NormalizerStep> steps_;
};

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

}  // namespace hearth::tokenizers
