// SPDX-License-Identifier: Apache-2.0
#pragma once
// Added tokens: strings that become one id wherever they stand in a text, before the model sees it ("<s>", "<|eot|>").

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace hearth::tokenizers {

struct AddedToken {
  std::string content;
  bool single_word = false;  // only where no word character touches it
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space behind it
  bool normalized = false;   // its normalized form is looked for, in the normalized text
  bool special = false;      // skipped when decoding; left alone as text with parse_special = false
  friend bool operator==(const AddedToken&, const AddedToken&) = default;
};

// Finds the longest of a set of strings, leftmost first. Cost: one table look-up per byte, plus the length of a match.
class LongestMatcher {
 public:
  static constexpr size_t kMaxBytes = 256;  // of one string, which bounds the work per byte of text
  void add(const std::string& text, int32_t id);
  bool empty() const { return nodes_.empty(); }
  struct Match {
    size_t begin, end;
    int32_t id;  // -1: none
  };
  Match find(std::string_view text, size_t from) const;

 private:
  struct Node {
    int32_t id = -1;
    std::unordered_map<unsigned char, uint32_t> next;
  };
  std::vector<Node> nodes_;
  uint32_t first_[256] = {};  // node of the first byte; 0 is no node
};

class AddedTokens {
 public:
  // id: of the vocabulary if content is there, else a new one. normalized_form: content as the normalizer leaves it.
  // Throws Error{unsupported} when content is too long, Error{format} when two tokens have the same form.
  void add(const AddedToken& token, int32_t id, const std::string& normalized_form, const std::string& where);

  const AddedToken* find(int32_t id) const;
  int32_t id(const std::string& content) const;  // -1 if there is none
  int32_t max_id() const { return max_id_; }     // -1 if empty

  // The text that decoding puts in place of an added token: its normalized form, which the decoder turns back.
  const std::string& form(int32_t id) const { return tokens_.at(id).form; }
  bool is_special_text(const std::string& text) const { return special_texts_.count(text) != 0; }

  // Cuts text at the tokens: calls found(begin, end, id) for each piece, id -1 for what lies between.
  // normalized: look for those tokens whose normalized form counts, else for the others.
  using Found = std::function<void(size_t begin, size_t end, int32_t id)>;
  void split(std::string_view text, bool normalized, bool parse_special, const Found& found) const;

 private:
  struct Entry {
    AddedToken token;
    std::string form;
  };
  std::unordered_map<int32_t, Entry> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<std::string, int32_t> forms_[2];  // by AddedToken::normalized
  std::unordered_set<std::string> special_texts_;
  LongestMatcher plain_, normalized_;
  int32_t max_id_ = -1;
};

}  // namespace hearth::tokenizers
