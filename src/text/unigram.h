// SPDX-License-Identifier: Apache-2.0
#pragma once
// Unigram: of all ways to cut a word in tokens, the one whose scores (log-probabilities) sum to most.
// Source: Kudo 2018, arXiv:1804.10959 (the Viterbi search; no sampling). Equal to models/unigram of the tokenizers
// library, sums in its order.

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_tokens.h"
#include "text/model.h"
#include "text/trie.h"

namespace hearth::tokenizers {

struct UnigramOptions {
  int32_t unk_id = -1;            // -1: a character that no token covers is an error
  bool byte_fallback = false;     // unknown characters become tokens <0x00>..<0xFF> where the vocabulary has them
  bool single_precision = false;  // sums in f32, as sentencepiece has them: it decides between paths that are equal
};

class Unigram : public Model {
 public:
  // As a score: this token is never found in a text.
  static constexpr double kHidden = -std::numeric_limits<double>::infinity();

  // scores by id. Throws Error{format}; `where` names the file.
  Unigram(Vocab vocab, std::vector<double> scores, UnigramOptions options, const std::string& where);

  // Cost: linear; time and memory of 24 bytes for each byte of a word.
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const override;

 private:
  struct Node;
  std::vector<Node> best_paths(std::string_view text) const;
  void encode(std::string_view text, std::vector<int32_t>& ids) const;
  void append(std::string_view piece, std::vector<int32_t>& ids) const;

  std::vector<double> scores_;
  double unk_score_ = 0;
  UnigramOptions options_;
  ByteTokens bytes_;
  Trie trie_;
};

}  // namespace hearth::tokenizers
