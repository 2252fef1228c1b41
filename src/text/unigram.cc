// SPDX-License-Identifier: Apache-2.0
#include "text/unigram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "io/nearest.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

Unigram::Unigram(Vocab vocab, std::vector<double> scores, UnigramOptions options, const std::string& where)
    : Model(std::move(vocab)), scores_(std::move(scores)), options_(options), bytes_(vocab_, options.byte_fallback) {
  HEARTH_CHECK(options_.unk_id < 0 || vocab_.has(options_.unk_id), format, where, ": model.unk_id is ", options_.unk_id,
               ", but the vocabulary has ", scores_.size(), " tokens");
  static constexpr double kUnknownPenalty = 10;  // sentencepiece's
  double least = std::numeric_limits<double>::infinity();
  for (int32_t id = 0; id < vocab_.max_id_plus_1(); ++id) {
    const std::string& text = vocab_.text(id);
    HEARTH_CHECK(!std::isnan(scores_[id]), format, where, ": token '", printable(text), "' has no number as its score");
    if (scores_[id] == kHidden) continue;
    least = std::min(least, scores_[id]);
    if (!text.empty()) trie_.add(text, id);
  }
  unk_score_ = std::isfinite(least) ? least - kUnknownPenalty : -kUnknownPenalty;
  if (options_.single_precision) unk_score_ = static_cast<float>(unk_score_);
}

struct Unigram::Node {
  double score = 0;    // of the best path that ends here
  int64_t begin = -1;  // where its last token begins; -1: no path ends here
  int32_t id = -1;
};

std::vector<Unigram::Node> Unigram::best_paths(std::string_view text) const {
  std::vector<Node> nodes(text.size() + 1);
  const auto offer = [&](size_t begin, size_t end, double score, int32_t id) {
    if (options_.single_precision) score = static_cast<float>(score);
    if (nodes[end].begin < 0 || score > nodes[end].score) nodes[end] = {score, static_cast<int64_t>(begin), id};
  };
  for (size_t at = 0; at < text.size();) {
    const double score = nodes[at].score;
    const size_t character = decode_valid(text, at).size_bytes;
    bool is_covered = false;
    trie_.for_each_prefix(text.substr(at), [&](size_t size, int32_t id) {
      offer(at, at + size, scores_[id] + score, id);
      is_covered = is_covered || size == character;
    });
    if (!is_covered) offer(at, at + character, unk_score_ + score, options_.unk_id);
    at += character;
  }
  return nodes;
}

// A piece is a token, or a run of unknown characters.
void Unigram::append(std::string_view piece, std::vector<int32_t>& ids) const {
  const int32_t id = vocab_.id(piece);
  if (id >= 0 && scores_[id] != kHidden) return ids.push_back(id);
  if (bytes_.covers(piece)) return bytes_.append(piece, ids);
  HEARTH_CHECK(options_.unk_id >= 0, value, "tokenizer: no token covers '", printable(std::string(piece.substr(0, 40))),
               "', and the model has no unk_id");
  ids.push_back(options_.unk_id);
}

void Unigram::encode(std::string_view text, std::vector<int32_t>& ids) const {
  const std::vector<Node> nodes = best_paths(text);
  std::vector<std::string_view> pieces;  // from the last to the first
  bool unknown_behind = false;
  for (size_t end = text.size(); end > 0;) {
    const Node& node = nodes[end];
    const size_t begin = static_cast<size_t>(node.begin);
    const bool is_unknown = node.id == options_.unk_id;
    if (is_unknown && unknown_behind) {  // a run of unknown characters is one piece
      pieces.back() = text.substr(begin, end - begin + pieces.back().size());
    } else {
      pieces.push_back(text.substr(begin, end - begin));
    }
    unknown_behind = is_unknown;
    end = begin;
  }
  for (size_t i = pieces.size(); i-- > 0;) append(pieces[i], ids);
}

void Unigram::encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const {
  with_cache(word, cache, ids, [&](std::string_view text) { encode(text, ids); });
}

}  // namespace hearth::tokenizers
