// SPDX-License-Identifier: Apache-2.0
#include "text/text_tokens.h"

#include <algorithm>

#include "base/error.h"

namespace hearth {
namespace {

constexpr EncodeOptions kPlain{.add_special = false};
constexpr size_t kTried = 512;  // bytes on both sides of a cut that are encoded together and apart

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

// Begins of the pieces of a text. Some tokenizers put a space in front of whatever they encode; those tokens are known
// by encoding a newline alone, and dropped from every piece but the first.
class Cutter {
 public:
  explicit Cutter(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {
    const std::vector<int32_t> behind = tokenizer.encode("a\na", kPlain), alone = tokenizer.encode("\na", kPlain);
    const std::vector<int32_t> word = tokenizer.encode("a", kPlain);
    const size_t newline = behind.size() - std::min(behind.size(), word.size());  // tokens of "\na" behind "a"
    const bool ends_alike = newline <= alone.size() && std::equal(alone.end() - std::ptrdiff_t(newline), alone.end(),
                                                                  behind.end() - std::ptrdiff_t(newline));
    if (ends_alike) front_.assign(alone.begin(), alone.end() - std::ptrdiff_t(newline));
  }

  // The tokens of text[begin, end), which stands behind other text unless begin is 0.
  std::vector<int32_t> piece(std::string_view text, bool first) const {
    std::vector<int32_t> ids = tokenizer_.encode(text, kPlain);
    if (!first && std::equal(front_.begin(), front_.end(), ids.begin(),
                             ids.begin() + std::ptrdiff_t(std::min(front_.size(), ids.size()))))
      ids.erase(ids.begin(), ids.begin() + std::ptrdiff_t(std::min(front_.size(), ids.size())));
    return ids;
  }

  // The last good cut in (0, text.size()); 0 if there is none.
  size_t last_cut(std::string_view text) const {
    for (size_t at = text.size() - std::min<size_t>(text.size(), kTried); at > 1; --at) {
      const bool candidate = text[at] == '\n' && is_word(text[at - 1]) && is_letter(text[at + 1]);
      if (candidate && holds(text, at)) return at;
    }
    return 0;
  }

 private:
  bool holds(std::string_view text, size_t at) const {
    size_t begin = at - std::min(at, kTried);
    while (begin < at && (text[begin] & 0xC0) == 0x80) ++begin;
    size_t end = std::min(text.size(), at + kTried);
    while (end > at + 1 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
    std::vector<int32_t> apart = tokenizer_.encode(text.substr(begin, at - begin), kPlain);
    const std::vector<int32_t> right = piece(text.substr(at, end - at), false);
    apart.insert(apart.end(), right.begin(), right.end());
    return apart == tokenizer_.encode(text.substr(begin, end - begin), kPlain);
  }

  const Tokenizer& tokenizer_;
  std::vector<int32_t> front_;  // what is put before every text
};

// In place; a \r at the very end waits for what follows.
void to_universal_newlines(std::string& text, size_t from, bool more) {
  size_t out = from;
  for (size_t i = from; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    const bool waits = more && text[i] == '\r' && i + 1 == text.size();
    text[out++] = text[i] == '\r' && !waits ? '\n' : text[i];
  }
  text.resize(out);
}

}  // namespace

int64_t append_text_tokens(const Tokenizer& tokenizer, const std::string& file, const TextTokensOptions& options,
                           TokenSpool* out) {
  FileReader reader(file);
  const Cutter cutter(tokenizer);
  const int64_t before = out->size();
  std::string text;
  bool first = true;
  for (size_t wanted = options.piece_bytes;;) {
    const size_t clean = text.size() - (!text.empty() && text.back() == '\r');
    bool more = true;
    while (more && text.size() < wanted) more = reader.append(text, options.piece_bytes);
    if (options.universal_newlines) to_universal_newlines(text, clean, more);
    const size_t cut = more ? cutter.last_cut(text) : text.size();
    if (cut == 0 && more) {
      wanted = text.size() + options.piece_bytes;
      continue;
    }
    out->append(cutter.piece(std::string_view(text).substr(0, cut), first));
    first = false;
    text.erase(0, cut);
    wanted = options.piece_bytes;
    if (!more) return out->size() - before;
  }
}

}  // namespace hearth
