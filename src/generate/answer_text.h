// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text behind a prompt while tokens arrive, up to a stop text. What may yet become a part of a stop text is held back.

#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace hearth {

// Finds the first of some texts in a text that comes in pieces. All pieces that push and finish return, joined, are
// what stands before it. Source: as in Knuth, Morris & Pratt 1977, what is held back is the longest end of the text
// that begins a stop text.
class StopTexts {
 public:
  explicit StopTexts(std::vector<std::string> stops) : stops_(std::move(stops)) {}
  std::string push(const std::string& piece);
  std::string finish();  // what was held back, unless a stop text was found
  bool found() const { return found_ >= 0; }
  const std::string& text() const { return stops_[size_t(found_)]; }  // that was found

 private:
  size_t held() const;
  std::vector<std::string> stops_;
  std::string open_;  // not yet given out
  int found_ = -1;
};

class AnswerText {
 public:
  // The prompt's ids go through the decoder too: a first token loses its space.
  AnswerText(const Tokenizer& tokenizer, const std::vector<int32_t>& prompt, std::vector<std::string> stops);
  std::string push(int32_t id) { return stops_.push(decoder_.push(id)); }  // what is certain by now
  std::string finish();
  const StopTexts& stops() const { return stops_; }

 private:
  StreamDecoder decoder_;
  StopTexts stops_;
};

}  // namespace hearth
