// SPDX-License-Identifier: Apache-2.0
#pragma once
// The two models that look words up: WordPiece (BERT) and WordLevel. Equal to those of the tokenizers library.

#include <string>
#include <string_view>
#include <vector>

#include "text/model.h"
#include "text/trie.h"

namespace hearth::tokenizers {

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string prefix = "##";    // of tokens that continue a word
  size_t max_characters = 100;  // a longer word is unknown
};

// A word is the longest token that it begins with, then the longest continuing token, and so on; a word that does not
// come out even is unknown as a whole.
// Source: Wu et al. 2016, arXiv:1609.08144, section 4.1; greedy as BERT's. Cost: linear.
class WordPiece : public Model {
 public:
  WordPiece(Vocab vocab, WordPieceOptions options);
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const override;

 private:
  bool append_pieces(std::string_view word, std::vector<int32_t>& ids) const;  // false: nothing appended

  WordPieceOptions options_;
  Trie first_, continuing_;
};

// A word is a token or unknown.
class WordLevel : public Model {
 public:
  WordLevel(Vocab vocab, std::string unk_token);
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const override;

 private:
  std::string unk_token_;
};

}  // namespace hearth::tokenizers
