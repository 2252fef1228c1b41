// SPDX-License-Identifier: Apache-2.0
#pragma once
// Byte pair encoding: a word starts as one symbol per character, then the adjacent pair with the lowest rank (leftmost
// first) is merged until no pair is left.
// Source: Sennrich et al. 2016, arXiv:1508.07909. Equal to models/bpe of the tokenizers library, byte fallback
// included.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_tokens.h"
#include "text/model.h"
#include "text/pair_map.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

struct BpeOptions {
  std::string unk_token = {};  // empty: characters that are nowhere vanish, as in the tokenizers library
  bool fuse_unk = false;       // a run of unknown characters gives one unk token
  bool byte_fallback = false;  // unknown characters become tokens <0x00>..<0xFF> where the vocabulary has them
  bool ignore_merges = false;  // a word that is a token as a whole is taken as it is
  std::string prefix = {};     // of symbols that do not begin a word (continuing_subword_prefix)
  std::string suffix = {};     // of the symbol that ends a word (end_of_word_suffix)
};

class Bpe : public Model {
 public:
  using Merge = std::pair<std::string, std::string>;

  // Throws Error{format} for a merge whose parts or result are not in the vocabulary; `where` names the file.
  Bpe(Vocab vocab, const std::vector<Merge>& merges, BpeOptions options, const std::string& where);

  // Cost: linear in the number of distinct words, where "word" is cut at each place that no merge
  // can cross; a stretch of N characters without such a place costs N log N.
  void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const override;

 private:
  struct Target {
    uint32_t rank;
    int32_t id;
  };
  struct Symbol;
  struct Queued;

  int32_t character_id(uint32_t code_point) const {
    const uint16_t page = code_point < 0x110000 ? pages_[code_point >> 8] : 0;
    return page_ids_[page][code_point & 0xFF];
  }
  bool may_join(uint32_t left, uint32_t right) const;
  void index_characters();
  void index_merge(const Merge& merge, uint32_t rank, const std::string& where);
  void encode_stretch(std::string_view text, std::vector<int32_t>& ids) const;
  void encode_cut(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const;
  int32_t symbol_id(std::string_view text, size_t at, CodePoint c, std::string& decorated) const;
  void first_symbols(std::string_view text, std::vector<int32_t>& symbols) const;
  void merge_short(std::vector<int32_t>& symbols) const;
  void merge_long(std::vector<int32_t>& symbols) const;

  BpeOptions options_;
  ByteTokens bytes_;
  bool decorates_ = false;  // with prefix or suffix
  int32_t unk_id_ = -1;
  PairMap<Target> merges_;  // (left id, right id)
  PairMap<char> joints_;    // (last character of left, first character of right) of all merges
  bool ascii_joints_[128][128] = {};
  std::vector<uint16_t> pages_;  // characters that are tokens: page of 256 by code point / 256; page 0 is empty
  std::vector<std::vector<int32_t>> page_ids_;
};

}  // namespace hearth::tokenizers
