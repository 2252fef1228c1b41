// SPDX-License-Identifier: Apache-2.0
#pragma once
// A text file as blocks of tokens, all of one size, for training a language model.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace hearth {

enum class Blocks {
  stream,       // <s> once (if the tokenizer has one), then the whole text, cut every block_size tokens
  textdataset,  // transformers 4's TextDataset: every block has the tokenizer's special tokens around it
};

struct TokenBlocks {
  std::vector<int32_t> tokens;  // [count, block_size]
  int64_t block_size = 0;
  int64_t dropped_tokens = 0;  // of the text's tail, which fills no block

  int64_t count() const { return block_size == 0 ? 0 : static_cast<int64_t>(tokens.size()) / block_size; }
  std::span<const int32_t> block(int64_t i) const {
    return std::span(tokens).subspan(static_cast<size_t>(i * block_size), static_cast<size_t>(block_size));
  }
};

// Cuts the text of a file. "<s>" inside the text counts as the special token, as it does in the libraries that users
// come from; textdataset also reads \r\n and \r as \n, as Python's open() does. Throws Error{file} when the file cannot
// be read, Error{value} when it is empty, fills no block, or when block_size has no room for the text.
TokenBlocks make_blocks(const Tokenizer& tokenizer, const std::string& text_file, Blocks form, int64_t block_size);

// The same for a text in memory; name stands for it in errors.
TokenBlocks cut_blocks(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Blocks form,
                       int64_t block_size);

// The numbers 0..count-1 in an order that depends on nothing but the three arguments, on any machine, for ever:
// Fisher-Yates from the last place down, place i swapped with draw % (i + 1); draws are splitmix64's, those at or above
// the largest multiple of i + 1 thrown away; its state starts at seed + 0x9E3779B97F4A7C15 * (epoch + 1), mixed once.
// Source: Steele et al. 2014 (splitmix64); Durstenfeld 1964, algorithm 235.
std::vector<int64_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch);

}  // namespace hearth
