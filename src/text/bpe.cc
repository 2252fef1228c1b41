// SPDX-License-Identifier: Apache-2.0
#include "text/bpe.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

static constexpr uint32_t kByteTokenFirst = '<', kByteTokenLast = '>';  // of "<0x0A>"

Bpe::Bpe(Vocab vocab, const std::vector<Merge>& merges, BpeOptions options, const std::string& where)
    : Model(std::move(vocab)),
      options_(std::move(options)),
      bytes_(vocab_, options_.byte_fallback),
      decorates_(!options_.prefix.empty() || !options_.suffix.empty()) {
  if (!options_.unk_token.empty()) unk_id_ = vocab_.id(options_.unk_token);
  index_characters();
  merges_.reserve(merges.size());
  for (size_t i = 0; i < merges.size(); ++i) index_merge(merges[i], static_cast<uint32_t>(i), where);
}

void Bpe::index_characters() {
  pages_.assign(0x110000 >> 8, 0);
  page_ids_.assign(1, std::vector<int32_t>(256, -1));
  for (int32_t id = 0; id < vocab_.max_id_plus_1(); ++id) {
    if (!vocab_.has(id) || vocab_.text(id).empty()) continue;
    const std::string& text = vocab_.text(id);
    const CodePoint c = decode_valid(text, 0);
    if (c.size_bytes != text.size()) continue;
    uint16_t& page = pages_[c.value >> 8];
    if (page == 0) {
      page = static_cast<uint16_t>(page_ids_.size());
      page_ids_.emplace_back(256, -1);
    }
    page_ids_[page][c.value & 0xFF] = id;
  }
}

void Bpe::index_merge(const Merge& merge, uint32_t rank, const std::string& where) {
  const auto& [left, right] = merge;
  const bool has_prefix = std::string_view(right).starts_with(options_.prefix);
  HEARTH_CHECK(has_prefix, format, where, ": merge ", rank, " ('", printable(left), "', '", printable(right),
               "'): the right part lacks continuing_subword_prefix '", printable(options_.prefix), "'");
  const int32_t left_id = vocab_.id(left), right_id = vocab_.id(right),
                id = vocab_.id(left + right.substr(options_.prefix.size()));
  HEARTH_CHECK(left_id >= 0 && right_id >= 0 && id >= 0 && !left.empty() && !right.empty(), format, where, ": merge ",
               rank, " ('", printable(left), "', '", printable(right),
               "') needs a token that is not in the vocabulary");
  merges_.set(static_cast<uint32_t>(left_id), static_cast<uint32_t>(right_id), {rank, id});
  const uint32_t last = last_code_point(left), first = first_code_point(right);
  if (last < 128 && first < 128) {
    ascii_joints_[last][first] = true;
  } else {
    joints_.set(last, first, 1);
  }
}

bool Bpe::may_join(uint32_t left, uint32_t right) const {
  return left < 128 && right < 128 ? ascii_joints_[left][right] : joints_.find(left, right) != nullptr;
}

void Bpe::encode_word(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const {
  if (options_.ignore_merges) {
    const int32_t id = vocab_.id(word);
    if (id >= 0) return ids.push_back(id);
  }
  if (!decorates_) return encode_cut(word, cache, ids);
  with_cache(word, cache, ids, [&](std::string_view whole) { encode_stretch(whole, ids); });
}

// Cuts word where no merge can cross: between characters x and y when no merge has a left part ending in x and a right
// part beginning with y. No merge on one side then sees the other, so the parts merge as the whole would, and each can
// come from the cache. Differs from the tokenizers library in time only. Unknown characters are not cut off from their
// neighbours: they fuse and move.
void Bpe::encode_cut(std::string_view word, WordCache& cache, std::vector<int32_t>& ids) const {
  const auto finish = [&](std::string_view stretch) {
    with_cache(stretch, cache, ids, [&](std::string_view text) { encode_stretch(text, ids); });
  };
  size_t begin = 0;
  bool unknown_before = false;
  uint32_t last = 0;
  for (size_t at = 0; at < word.size();) {
    const CodePoint c = decode_valid(word, at);
    const bool is_token = character_id(c.value) >= 0;
    const bool is_known = is_token || bytes_.covers(word.substr(at, c.size_bytes));
    const bool may_cut = at > begin && is_known && !unknown_before;
    if (may_cut && !may_join(last, is_token ? c.value : kByteTokenFirst)) {
      finish(word.substr(begin, at - begin));
      begin = at;
    }
    last = is_token ? c.value : kByteTokenLast;
    unknown_before = !is_known || (unknown_before && !is_token);
    at += c.size_bytes;
  }
  if (begin < word.size()) finish(word.substr(begin));
}

void Bpe::encode_stretch(std::string_view text, std::vector<int32_t>& ids) const {
  std::vector<int32_t> symbols;
  first_symbols(text, symbols);
  static constexpr size_t kShort = 40;  // up to here looking at all pairs is faster than a heap
  if (symbols.size() <= kShort) {
    merge_short(symbols);
  } else {
    merge_long(symbols);
  }
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

// The symbol of the character at text[at], -1 if there is none. decorated: what was looked up, with prefix and suffix.
int32_t Bpe::symbol_id(std::string_view text, size_t at, CodePoint c, std::string& decorated) const {
  if (!decorates_) {
    const int32_t id = character_id(c.value);
    if (id < 0) decorated = text.substr(at, c.size_bytes);
    return id;
  }
  decorated = at > 0 ? options_.prefix : "";
  decorated += text.substr(at, c.size_bytes);
  if (at + c.size_bytes == text.size()) decorated += options_.suffix;
  return vocab_.id(decorated);
}

// One symbol per character. Byte tokens do not close a run of unknown characters: the run's unk token comes behind
// them. That is what the tokenizers library does.
void Bpe::first_symbols(std::string_view text, std::vector<int32_t>& symbols) const {
  symbols.reserve(text.size());
  bool unknown_waits = false;
  std::string looked_up;
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_valid(text, at);
    const int32_t id = symbol_id(text, at, c, looked_up);
    at += c.size_bytes;
    if (id >= 0) {
      if (unknown_waits) symbols.push_back(unk_id_);
      unknown_waits = false;
      symbols.push_back(id);
    } else if (bytes_.covers(looked_up)) {
      bytes_.append(looked_up, symbols);
    } else if (!options_.unk_token.empty()) {
      HEARTH_CHECK(unk_id_ >= 0, value, "tokenizer: no token covers '", printable(looked_up), "', and unk_token '",
                   printable(options_.unk_token), "' is not in the vocabulary");
      if (unknown_waits && !options_.fuse_unk) symbols.push_back(unk_id_);
      unknown_waits = true;
    }
  }
  if (unknown_waits) symbols.push_back(unk_id_);
}

void Bpe::merge_short(std::vector<int32_t>& symbols) const {
  while (symbols.size() > 1) {
    const Target* best = nullptr;
    size_t best_at = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Target* target = merges_.find(static_cast<uint32_t>(symbols[i]), static_cast<uint32_t>(symbols[i + 1]));
      if (target != nullptr && (best == nullptr || target->rank < best->rank)) {
        best = target;
        best_at = i;
      }
    }
    if (best == nullptr) return;
    symbols[best_at] = best->id;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best_at) + 1);
  }
}

struct Bpe::Symbol {
  int32_t id;          // -1: merged into the symbol before it
  int32_t prev, next;  // positions; -1 at the ends
};

struct Bpe::Queued {
  uint64_t order;  // rank, then position
  int32_t id;      // what the merge gives; an entry is stale when the pair there now gives something else
  bool operator<(const Queued& other) const { return order > other.order; }  // std heaps keep the largest on top
};

void Bpe::merge_long(std::vector<int32_t>& ids) const {
  HEARTH_CHECK(ids.size() < (1u << 31), value, "tokenizer: a stretch of ", ids.size(),
               " characters without a place to cut is too long; split the text");
  const int32_t count = static_cast<int32_t>(ids.size());
  std::vector<Symbol> symbols(ids.size());
  std::vector<Queued> queue;
  const auto find = [&](int32_t at, int32_t next) {
    return merges_.find(static_cast<uint32_t>(symbols[at].id), static_cast<uint32_t>(symbols[next].id));
  };
  const auto entry = [](const Target& target, int32_t at) {
    return Queued{uint64_t{target.rank} << 32 | static_cast<uint32_t>(at), target.id};
  };
  for (int32_t i = 0; i < count; ++i) symbols[i] = {ids[i], i - 1, i + 1 < count ? i + 1 : -1};
  for (int32_t i = 0; i + 1 < count; ++i)
    if (const Target* target = find(i, i + 1)) queue.push_back(entry(*target, i));
  std::make_heap(queue.begin(), queue.end());
  const auto push = [&](int32_t at, int32_t next) {
    const Target* target = find(at, next);
    if (target == nullptr) return;
    queue.push_back(entry(*target, at));
    std::push_heap(queue.begin(), queue.end());
  };

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    const Queued top = queue.back();
    queue.pop_back();
    const int32_t at = static_cast<int32_t>(top.order & 0xFFFFFFFFu);
    const int32_t right = symbols[at].id < 0 ? -1 : symbols[at].next;
    if (right < 0) continue;
    const Target* target = find(at, right);
    if (target == nullptr || target->id != top.id) continue;
    symbols[at].id = top.id;
    symbols[at].next = symbols[right].next;
    symbols[right].id = -1;
    if (symbols[at].next >= 0) symbols[symbols[at].next].prev = at;
    if (symbols[at].prev >= 0) push(symbols[at].prev, at);
    if (symbols[at].next >= 0) push(at, symbols[at].next);
  }
  ids.clear();
  for (const Symbol& symbol : symbols)
    if (symbol.id >= 0) ids.push_back(symbol.id);
}

}  // namespace hearth::tokenizers
