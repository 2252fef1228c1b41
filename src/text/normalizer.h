// SPDX-License-Identifier: Apache-2.0
#pragma once
// Normalizers: text in, text out, before anything is cut.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/charsmap.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace hearth::tokenizers {

// One step. `head`, which steps hand on: how many bytes at the begin of a text stem from the first character of what
// the user gave. Metaspace with prepend_scheme "first" asks for it.
class NormalizerStep {
 public:
  virtual ~NormalizerStep() = default;
  virtual std::string apply(std::string_view text) const = 0;
  virtual size_t head_after(std::string_view text, size_t head) const { return apply(text.substr(0, head)).size(); }
};

class Normalizer {
 public:
  void add(std::unique_ptr<const NormalizerStep> step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  // head (may be null): in: of text, out: of the result.
  std::string apply(std::string_view text, size_t* head = nullptr) const;

 private:
  std::vector<std::shared_ptr<const NormalizerStep>> steps_;
};

struct BertOptions {
  bool clean_text = true;            // control characters vanish, white space becomes a space
  bool handle_chinese_chars = true;  // a space on both sides of each
  bool strip_accents = true;
  bool lowercase = true;
};

std::unique_ptr<const NormalizerStep> prepend_step(std::string prefix);  // in front of a text that is not empty
std::unique_ptr<const NormalizerStep> replace_step(std::string pattern, std::string content);
std::unique_ptr<const NormalizerStep> replace_regex_step(Regex pattern, std::string content);
std::unique_ptr<const NormalizerStep> unicode_form_step(NormalForm form);
std::unique_ptr<const NormalizerStep> lower_case_step();
std::unique_ptr<const NormalizerStep> strip_accents_step();
std::unique_ptr<const NormalizerStep> strip_white_space_step(bool left, bool right);
std::unique_ptr<const NormalizerStep> bert_step(BertOptions options);
std::unique_ptr<const NormalizerStep> nmt_step();
std::unique_ptr<const NormalizerStep> charsmap_step(std::string_view bytes, CharsmapUse use, const std::string& where);
std::unique_ptr<const NormalizerStep> bytes_to_chars_step();
std::unique_ptr<const NormalizerStep> merge_white_space_step();  // sentencepiece's remove_extra_whitespaces

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

}  // namespace hearth::tokenizers
