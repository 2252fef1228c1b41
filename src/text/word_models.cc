// SPDX-License-Identifier: Apache-2.0
#include "text/word_models.h"

#include "base/error.h"
#include "io/nearest.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

// A vocabulary without the unknown token is good until a text needs it.
static int32_t unknown_id(const Vocab& vocab, const std::string& unk_token, std::string_view word) {
  const int32_t id = vocab.id(unk_token);
  HEARTH_CHECK(id >= 0, value, "tokenizer: no token covers '", printable(std::string(word.substr(0, 40))),
               "', and unk_token '", printable(unk_token), "' is not in the vocabulary");
  return id;
}

WordPiece::WordPiece(Vocab vocab, WordPieceOptions options) : Model(std::move(vocab)), options_(std::move(options)) {
  for (int32_t id = 0; id < vocab_.max_id_plus_1(); ++id) {
    if (!vocab_.has(id) || vocab_.text(id).empty()) continue;
    const std::string_view text = vocab_.text(id);
    first_.add(text, id);
    if (text.starts_with(options_.prefix) && text.size() > options_.prefix.size())
      continuing_.add(text.substr(options_.prefix.size()), id);
  }
}

bool WordPiece::append_pieces(std::string_view word, std::vector<int32_t>& ids) const {
  const size_t ids_before = ids.size();
  for (size_t at = 0; at < word.size();) {
    size_t longest = 0;
    int32_t best = -1;
    (at == 0 ? first_ : continuing_).for_each_prefix(word.substr(at), [&](size_t size, int32_t id) {
      longest = size;
      best = id;
    });
    if (best < 0) {
      ids.resize(ids_before);
      return false;
    }
    ids.push_back(best);
    at += longest;
  }
  return true;
}

void WordPiece::encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const {
  with_cache(word, cache, ids, [&](std::string_view text) {
    const bool is_short = text.size() <= options_.max_characters || count_code_points(text) <= options_.max_characters;
    if (!is_short || !append_pieces(text, ids)) ids.push_back(unknown_id(vocab_, options_.unk_token, text));
  });
}

WordLevel::WordLevel(Vocab vocab, std::string unk_token) : Model(std::move(vocab)), unk_token_(std::move(unk_token)) {}

void WordLevel::encode_word(std::string_view word, WordCache&, std::vector<int32_t>& ids) const {
  const int32_t id = vocab_.id(word);
  ids.push_back(id >= 0 ? id : unknown_id(vocab_, unk_token_, word));
}

}  // namespace hearth::tokenizers
