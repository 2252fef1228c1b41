// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tokens of a text file of any size, in bounded memory: the text is cut where no token can span the cut.

#include <functional>
#include <string>

#include "text/token_spool.h"
#include "text/tokenizer.h"

namespace hearth {

struct TextTokensOptions {
  bool universal_newlines = false;  // \r\n and \r count as \n
  size_t piece_bytes = 8 << 20;     // encoded at a time
};

// Appends the tokens of the whole file, without special tokens around it: those that encode() gives for the text in one
// piece. A piece ends before a newline between a letter or digit and a letter; that tokens do not span it is tried on
// the text around it, and the piece grows until a cut is found. Returns how many tokens there are.
int64_t append_text_tokens(const Tokenizer& tokenizer, const std::string& file, const TextTokensOptions& options,
                           TokenSpool* out);

}  // namespace hearth
