// SPDX-License-Identifier: Apache-2.0
#include "text/dataset.h"

#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "text/text_tokens.h"

namespace hearth {

static std::string universal_newlines(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i] == '\r' ? '\n' : text[i];
  }
  return out;
}

static void check_fills_a_block(int64_t found, int64_t needed, int64_t block_size, const std::string& name) {
  HEARTH_CHECK(found >= needed, value, "text '", name, "' gives ", found, " tokens, but one block of ", block_size,
               " needs ", needed, "; use a longer text or a block size of at most ", block_size - (needed - found));
}

// Tokens of the text in a block that has special ones around it.
static int64_t room_in_block(const Tokenizer& tokenizer, const std::string& name, int64_t block_size) {
  const int64_t special = static_cast<int64_t>(tokenizer.special_before().size() + tokenizer.special_behind().size());
  HEARTH_CHECK(block_size > special, value, "text '", name, "': a block of ", block_size,
               " has no room for text beside ", special, " special tokens; use a larger block size");
  return block_size - special;
}

// [<s>, text...] cut every block_size tokens.
static TokenBlocks cut_stream(const Tokenizer& tokenizer, std::string_view text, const std::string& name,
                              int64_t block_size) {
  TokenBlocks out;
  out.block_size = block_size;
  if (tokenizer.bos_id() >= 0) out.tokens.push_back(tokenizer.bos_id());
  const std::vector<int32_t> ids = tokenizer.encode(text, {.add_special = false});
  out.tokens.insert(out.tokens.end(), ids.begin(), ids.end());
  const int64_t found = static_cast<int64_t>(out.tokens.size());
  check_fills_a_block(found, block_size, block_size, name);
  out.dropped_tokens = found % block_size;
  out.tokens.resize(static_cast<size_t>(found - out.dropped_tokens));
  return out;
}

// Each block: special tokens, block_size - n_special tokens of the text, special tokens.
static TokenBlocks cut_textdataset(const Tokenizer& tokenizer, std::string_view text, const std::string& name,
                                   int64_t block_size) {
  const std::span<const int32_t> before = tokenizer.special_before(), behind = tokenizer.special_behind();
  const int64_t room = room_in_block(tokenizer, name, block_size);
  const std::vector<int32_t> ids = tokenizer.encode(universal_newlines(text), {.add_special = false});
  const int64_t found = static_cast<int64_t>(ids.size());
  check_fills_a_block(found, room, block_size, name);
  TokenBlocks out;
  out.block_size = block_size;
  out.dropped_tokens = found % room;
  out.tokens.reserve(static_cast<size_t>(found / room * block_size));
  for (int64_t begin = 0; begin + room <= found; begin += room) {
    out.tokens.insert(out.tokens.end(), before.begin(), before.end());
    out.tokens.insert(out.tokens.end(), ids.begin() + begin, ids.begin() + begin + room);
    out.tokens.insert(out.tokens.end(), behind.begin(), behind.end());
  }
  return out;
}

static void check_block_size(int64_t block_size, bool has_text, const std::string& name) {
  HEARTH_CHECK(block_size >= 2, value, "text '", name, "': the block size is ", block_size,
               "; it must be at least 2, because every token is learnt from those before it");
  HEARTH_CHECK(has_text, value, "text '", name, "' is empty: 0 tokens, but one block needs ", block_size,
               "; give a file with text in it");
}

TokenBlocks cut_blocks(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Blocks form,
                       int64_t block_size) {
  check_block_size(block_size, !text.empty(), name);
  return form == Blocks::stream ? cut_stream(tokenizer, text, name, block_size)
                                : cut_textdataset(tokenizer, text, name, block_size);
}

// The same cuts for a text that is never in memory as a whole: the tokens of the file go to one spool, and with
// textdataset from there, block by block, to another.
static TokenBlocks cut_file_stream(const Tokenizer& tokenizer, const std::string& file, int64_t block_size,
                                   const std::string& folder) {
  auto spool = std::make_shared<TokenSpool>(folder);
  const int32_t bos = tokenizer.bos_id();
  if (bos >= 0) spool->append(std::span(&bos, 1));
  append_text_tokens(tokenizer, file, {}, spool.get());
  check_fills_a_block(spool->size(), block_size, block_size, file);
  TokenBlocks out;
  out.spool = spool;
  out.block_size = block_size;
  out.dropped_tokens = spool->size() % block_size;
  return out;
}

static TokenBlocks cut_file_textdataset(const Tokenizer& tokenizer, const std::string& file, int64_t block_size,
                                        const std::string& folder) {
  const std::span<const int32_t> before = tokenizer.special_before(), behind = tokenizer.special_behind();
  const int64_t room = room_in_block(tokenizer, file, block_size);
  TokenSpool text(folder);
  const int64_t found = append_text_tokens(tokenizer, file, {.universal_newlines = true}, &text);
  check_fills_a_block(found, room, block_size, file);
  auto spool = std::make_shared<TokenSpool>(folder);
  std::vector<int32_t> block(static_cast<size_t>(block_size));
  std::copy(before.begin(), before.end(), block.begin());
  std::copy(behind.begin(), behind.end(), block.end() - static_cast<std::ptrdiff_t>(behind.size()));
  for (int64_t begin = 0; begin + room <= found; begin += room) {
    text.read(begin, std::span(block).subspan(before.size(), static_cast<size_t>(room)));
    spool->append(block);
  }
  TokenBlocks out;
  out.spool = std::move(spool);
  out.block_size = block_size;
  out.dropped_tokens = found % room;
  return out;
}

TokenBlocks make_blocks(const Tokenizer& tokenizer, const std::string& text_file, Blocks form, int64_t block_size,
                        const std::string& folder) {
  check_block_size(block_size, FileReader(text_file).size() > 0, text_file);
  const std::string where = folder.empty() ? temporary_folder() : folder;
  return form == Blocks::stream ? cut_file_stream(tokenizer, text_file, block_size, where)
                                : cut_file_textdataset(tokenizer, text_file, block_size, where);
}

int64_t TokenBlocks::count() const {
  if (packed()) return static_cast<int64_t>(row_begins.size()) - 1;
  if (has_examples()) return examples();
  return block_size == 0 ? 0 : token_count() / block_size;
}

std::vector<int64_t> TokenBlocks::members(int64_t row) const {
  if (!packed()) return {row};
  const auto at = [&](int64_t r) { return row_members.begin() + row_begins[static_cast<size_t>(r)]; };
  return {at(row), at(row + 1)};
}

int64_t TokenBlocks::length(int64_t row) const {
  if (!has_examples()) return block_size;
  int64_t sum = 0;
  for (const int64_t i : members(row))
    sum += example_begins[static_cast<size_t>(i + 1)] - example_begins[static_cast<size_t>(i)];
  return sum;
}

std::vector<int32_t> TokenBlocks::block(int64_t i) const {
  const int64_t begin = has_examples() ? example_begins[static_cast<size_t>(i)] : i * block_size;
  const int64_t end = has_examples() ? example_begins[static_cast<size_t>(i + 1)] : begin + block_size;
  std::vector<int32_t> out(static_cast<size_t>(end - begin));
  if (spool)
    spool->read(begin, out);
  else
    std::copy(tokens.begin() + begin, tokens.begin() + end, out.begin());
  return out;
}

namespace {
struct SplitMix64 {
  uint64_t state;
  uint64_t next() {
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  uint64_t below(uint64_t bound) {                           // every value equally likely
    const uint64_t rest = (UINT64_MAX % bound + 1) % bound;  // 2^64 % bound
    for (;;) {
      const uint64_t draw = next();
      if (draw <= UINT64_MAX - rest) return draw % bound;
    }
  }
};
}  // namespace

std::vector<int64_t> shuffled_order(int64_t count, uint64_t seed, int64_t epoch) {
  HEARTH_CHECK(count >= 0, value, "shuffled_order: count is ", count, "; it cannot be negative");
  SplitMix64 random{seed + 0x9E3779B97F4A7C15ull * (static_cast<uint64_t>(epoch) + 1)};
  random.state = random.next();
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random.below(i + 1)]);
  return order;
}

}  // namespace hearth
