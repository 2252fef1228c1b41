// SPDX-License-Identifier: Apache-2.0
#pragma once
// A text file as blocks of tokens, all of one size, for training a language model.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/token_spool.h"
#include "text/tokenizer.h"

namespace hearth {

enum class Blocks {
  stream,       // <s> once (if the tokenizer has one), then the whole text, cut every block_size tokens
  textdataset,  // transformers 4's TextDataset: every block has the tokenizer's special tokens around it
};

// What a model learns from: rows of at most block_size tokens. A text is cut into rows of that size; examples (of a
// jsonl file) have a row each, or share rows when they are packed.
struct TokenBlocks {
  std::vector<int32_t> tokens = {};                   // of all rows, one behind the other
  std::shared_ptr<const TokenSpool> spool = nullptr;  // if set, in place of `tokens`
  int64_t block_size = 0;
  int64_t dropped_tokens = 0;  // of the text's tail, which fills no block

  // Examples only. A token whose prediction does not count is stored as ~id.
  std::vector<int64_t> example_begins = {};                // in the tokens; one more than there are examples
  std::vector<int64_t> row_begins = {}, row_members = {};  // packed: row r holds examples row_members[row_begins[r]...]
  int64_t truncated = 0, truncated_tokens = 0;             // examples cut to block_size, and what they lost
  int64_t counted_tokens = 0;                              // predictions that count
  int64_t together = 1;  // rows that no batch may part: 2 for pairs of answers (text/preferences.h)
  int64_t left_out = 0;  // pairs that had an answer cut off whole

  bool has_examples() const { return !example_begins.empty(); }
  bool packed() const { return !row_begins.empty(); }
  int64_t examples() const { return has_examples() ? static_cast<int64_t>(example_begins.size()) - 1 : 0; }
  int64_t token_count() const { return spool ? spool->size() : static_cast<int64_t>(tokens.size()); }
  int64_t count() const;              // rows
  int64_t length(int64_t row) const;  // tokens of a row
  // Examples of a row, in order; of a text the row itself.
  std::vector<int64_t> members(int64_t row) const;
  // Tokens of example (or of row, for a text) i, with ~id where they do not count.
  std::vector<int32_t> block(int64_t i) const;
};

// Cuts the text of a file. "<s>" inside the text counts as the special token, as it does in the libraries that users
// come from; textdataset also reads \r\n and \r as \n, as Python's open() does. Never holds the text: tokens beyond
// 64 MiB lie in a nameless file in `folder` (empty: TMPDIR). Throws Error{file} when the file cannot be read,
// Error{value} when it is empty, fills no block, or when block_size has no room for the text.
TokenBlocks make_blocks(const Tokenizer& tokenizer, const std::string& text_file, Blocks form, int64_t block_size,
                        const std::string& folder = "");

// The same for a text in memory; name stands for it in errors.
TokenBlocks cut_blocks(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Blocks form,
                       int64_t block_size);

// The numbers 0..count-1 in an order that depends on nothing but the three arguments, on any machine, for ever:
// Fisher-Yates from the last place down, place i swapped with draw % (i + 1); draws are splitmix64's, those at or above
// the largest multiple of i + 1 thrown away; its state starts at seed + 0x9E3779B97F4A7C15 * (epoch + 1), mixed once.
// Source: Steele et al. 2014 (splitmix64); Durstenfeld 1964, algorithm 235.
std::vector<int64_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch);

}  // namespace hearth
