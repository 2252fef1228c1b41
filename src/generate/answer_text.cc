// SPDX-License-Identifier: Apache-2.0
#include "generate/answer_text.h"

#include <algorithm>
#include <utility>

namespace hearth {

// Bytes at the end of open_ that begin a stop text.
size_t StopTexts::held() const {
  size_t most = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(open_.size(), stop.size() - 1); n > most; --n)
      if (open_.compare(open_.size() - n, n, stop, 0, n) == 0) most = n;
  }
  return most;
}

std::string StopTexts::push(const std::string& piece) {
  if (found()) return "";
  open_ += piece;
  size_t first = std::string::npos;
  for (size_t i = 0; i < stops_.size(); ++i) {
    const size_t at = open_.find(stops_[i]);
    if (at >= first) continue;
    first = at;
    found_ = int(i);
  }
  const size_t certain = found() ? first : open_.size() - held();
  const std::string out = open_.substr(0, certain);
  open_.erase(0, certain);
  return out;
}

std::string StopTexts::finish() { return found() ? "" : std::exchange(open_, ""); }

AnswerText::AnswerText(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt, std::vector<std::string> stops)
    : decoder_(tokenizer), stops_(std::move(stops)) {
  for (const int32_t id : prompt) decoder_.push(id);
}

std::string AnswerText::finish() {
  const std::string rest = stops_.push(decoder_.finish());
  return rest + stops_.finish();
}

}  // namespace hearth
