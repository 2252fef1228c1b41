// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace hearth::tokenizers {

// The double that the tokenizers library reads for a number of tokenizer.json. Its parser (serde_json without
// float_roundtrip) keeps the digits that fit 64 bits and divides by a power of ten once: about one number in twelve is
// the nearest double's neighbour, which decides between paths of a Unigram model whose scores tie.
// text: a JSON number, as the grammar of JSON has it.
double serde_number(std::string_view text);

}  // namespace hearth::tokenizers
