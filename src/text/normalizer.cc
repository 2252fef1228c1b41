// SPDX-License-Identifier: Apache-2.0
#include "text/normalizer.h"

#include "text/nfc.h"

namespace hearth::tokenizers {

std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (size_t from = 0;;) {
    const size_t at = text.find(pattern, from);
    out += text.substr(from, at == std::string_view::npos ? at : at - from);
    if (at == std::string_view::npos) return out;
    out += content;
    from = at + pattern.size();
  }
}

static std::string merge_white_space(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

static std::string apply_step(const NormalizerStep& step, const std::string& text) {
  if (const auto* prepend = std::get_if<Prepend>(&step)) return text.empty() ? text : prepend->text + text;
  if (const auto* replace = std::get_if<Replace>(&step)) return replace_all(text, replace->pattern, replace->content);
  if (std::holds_alternative<NormalizeNfc>(step)) return to_nfc(text);
  return merge_white_space(text);
}

void Normalizer::add(const NormalizerStep& step) { steps_.push_back(step); }

std::string Normalizer::apply(std::string_view text) const {
  std::string out(text);
  for (const NormalizerStep& step : steps_) out = apply_step(step, out);
  return out;
}

bool Normalizer::moves_the_start() const {
  for (const NormalizerStep& step : steps_)
    if (!std::holds_alternative<NormalizeNfc>(step)) return true;
  return false;
}

}  // namespace hearth::tokenizers
