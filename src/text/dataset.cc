// SPDX-License-Identifier: Apache-2.0
#include "text/dataset.h"

#include <numeric>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

static constexpr int64_t kMaxTextBytes = int64_t{16} << 30;

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

// [<s>, text...] cut every block_size tokens.
static TokenBlocks cut_stream(const Tokenizer& tokenizer, std::string_view text, const std::string& name,
                              int64_t block_size) {
  TokenBlocks out{.tokens = {}, .block_size = block_size};
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
  const int64_t special = static_cast<int64_t>(before.size() + behind.size()), room = block_size - special;
  HEARTH_CHECK(room >= 1, value, "text '", name, "': a block of ", block_size, " has no room for text beside ", special,
               " special tokens; use a larger block size");
  const std::vector<int32_t> ids = tokenizer.encode(universal_newlines(text), {.add_special = false});
  const int64_t found = static_cast<int64_t>(ids.size());
  check_fills_a_block(found, room, block_size, name);
  TokenBlocks out{.tokens = {}, .block_size = block_size, .dropped_tokens = found % room};
  out.tokens.reserve(static_cast<size_t>(found / room * block_size));
  for (int64_t begin = 0; begin + room <= found; begin += room) {
    out.tokens.insert(out.tokens.end(), before.begin(), before.end());
    out.tokens.insert(out.tokens.end(), ids.begin() + begin, ids.begin() + begin + room);
    out.tokens.insert(out.tokens.end(), behind.begin(), behind.end());
  }
  return out;
}

TokenBlocks cut_blocks(const Tokenizer& tokenizer, std::string_view text, const std::string& name, Blocks form,
                       int64_t block_size) {
  HEARTH_CHECK(block_size >= 2, value, "text '", name, "': the block size is ", block_size,
               "; it must be at least 2, because every token is learnt from those before it");
  HEARTH_CHECK(!text.empty(), value, "text '", name, "' is empty: 0 tokens, but one block needs ", block_size,
               "; give a file with text in it");
  return form == Blocks::stream ? cut_stream(tokenizer, text, name, block_size)
                                : cut_textdataset(tokenizer, text, name, block_size);
}

TokenBlocks make_blocks(const Tokenizer& tokenizer, const std::string& text_file, Blocks form, int64_t block_size) {
  return cut_blocks(tokenizer, read_file(text_file, kMaxTextBytes), text_file, form, block_size);
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
