// SPDX-License-Identifier: Apache-2.0
#include "text/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

void LongestMatcher::add(const std::string& text, int32_t id) {
  if (nodes_.empty()) nodes_.emplace_back();  // node 0 stands for "none"
  uint32_t* link = &first_[static_cast<unsigned char>(text[0])];
  for (size_t i = 0;; ++i) {
    if (*link == 0) {
      *link = static_cast<uint32_t>(nodes_.size());
      const uint32_t node = *link;  // emplace_back may move what link points at
      nodes_.emplace_back();
      if (i + 1 == text.size()) return void(nodes_[node].id = id);
      link = &nodes_[node].next[static_cast<unsigned char>(text[i + 1])];
      continue;
    }
    Node& node = nodes_[*link];
    if (i + 1 == text.size()) return void(node.id = id);
    link = &node.next[static_cast<unsigned char>(text[i + 1])];
  }
}

LongestMatcher::Match LongestMatcher::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); ++begin) {
    uint32_t node = first_[static_cast<unsigned char>(text[begin])];
    Match longest{begin, begin, -1};
    for (size_t at = begin + 1; node != 0; ++at) {
      if (nodes_[node].id >= 0) longest = {begin, at, nodes_[node].id};
      if (at >= text.size()) break;
      const auto next = nodes_[node].next.find(static_cast<unsigned char>(text[at]));
      node = next == nodes_[node].next.end() ? 0 : next->second;
    }
    if (longest.id >= 0) return longest;
  }
  return {text.size(), text.size(), -1};
}

void AddedTokens::add(const AddedToken& token, int32_t id, const std::string& normalized_form,
                      const std::string& where) {
  const std::string& form = token.normalized ? normalized_form : token.content;
  HEARTH_CHECK(!form.empty(), unsupported, where, ": added token '", printable(token.content),
               "' is empty once normalized");
  HEARTH_CHECK(std::max(form.size(), token.content.size()) <= LongestMatcher::kMaxBytes, unsupported, where,
               ": an added token has ", form.size(), " bytes; at most ", LongestMatcher::kMaxBytes, " are allowed");
  const auto [other, is_new] = forms_[token.normalized].try_emplace(form, id);
  HEARTH_CHECK(is_new || other->second == id, format, where, ": added tokens ", other->second, " and ", id,
               " look alike in a text: '", printable(form), "'");
  ids_[token.content] = id;
  tokens_[id] = {token, form};
  if (token.special) special_texts_.insert(token.content);
  (token.normalized ? normalized_ : plain_).add(form, id);
  max_id_ = std::max(max_id_, id);
}

const AddedToken* AddedTokens::find(int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second.token;
}

int32_t AddedTokens::id(const std::string& content) const {
  const auto found = ids_.find(content);
  return found == ids_.end() ? -1 : found->second;
}

static bool touches_word(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_character(last_code_point(text.substr(0, begin)))) return true;
  return end < text.size() && is_word_character(first_code_point(text.substr(end)));
}

static size_t white_space_before(std::string_view text, size_t at) {  // where the run that ends at `at` begins
  while (at > 0 && is_white_space(last_code_point(text.substr(0, at)))) at -= last_code_point_size(text.substr(0, at));
  return at;
}

static size_t white_space_behind(std::string_view text, size_t at) {
  while (at < text.size() && is_white_space(decode_valid(text, at).value)) at += decode_valid(text, at).size_bytes;
  return at;
}

// A token found but not wanted (special with parse_special off, not a single word) stays text, and the search goes on
// behind it: tokens inside or across it are not found. That is what the tokenizers library does.
void AddedTokens::split(std::string_view text, bool normalized, bool parse_special, const Found& found) const {
  const LongestMatcher& matcher = normalized ? normalized_ : plain_;
  size_t done = 0;
  for (size_t from = 0; !matcher.empty();) {
    const LongestMatcher::Match match = matcher.find(text, from);
    if (match.id < 0) break;
    from = match.end;
    const AddedToken& token = tokens_.at(match.id).token;
    if (!parse_special && is_special_text(token.content)) continue;
    if (token.single_word && touches_word(text, match.begin, match.end)) continue;
    const size_t begin = token.lstrip ? std::max(white_space_before(text, match.begin), done) : match.begin;
    const size_t end = token.rstrip ? white_space_behind(text, match.end) : match.end;
    if (done < begin) found(done, begin, -1);
    // Nothing is left of a token that lies in the white space which an rstrip token took.
    if (begin < end) found(begin, end, match.id);
    done = end;
  }
  if (done < text.size()) found(done, text.size(), -1);
}

}  // namespace hearth::tokenizers
