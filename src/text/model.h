// SPDX-License-Identifier: Apache-2.0
#pragma once
// What turns one word, as the pre-tokenizer leaves it, into ids: BPE, Unigram, WordPiece or WordLevel.

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/vocab.h"
#include "text/word_cache.h"

namespace hearth::tokenizers {

class Model {
 public:
  virtual ~Model() = default;

  // Appends the ids of word (maybe a whole book, if nothing cuts it), which is valid UTF-8 and not empty, to ids.
  // Throws Error{value} for a character that no token covers when there is no token for unknown ones.
  virtual void encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const = 0;

  const Vocab& vocab() const { return vocab_; }

 protected:
  explicit Model(Vocab vocab) : vocab_(std::move(vocab)) {}

  // Takes the ids of word from cache, or from encode() and leaves them there.
  template <class Encode>
  static void with_cache(std::string_view word, WordCache& cache, std::vector<int32_t>& ids, const Encode& encode) {
    if (word.size() > WordCache::kMaxWordBytes) return encode(word);
    const uint64_t hash = WordCache::hash(word);
    if (cache.append(word, hash, ids)) return;
    const size_t begin = ids.size();
    encode(word);
    cache.add(word, hash, std::span(ids).subspan(begin));
  }

  Vocab vocab_;
};

}  // namespace hearth::tokenizers
