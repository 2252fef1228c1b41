// SPDX-License-Identifier: Apache-2.0
#include "text/regex_dialect.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "io/nearest.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

namespace {

// A set of characters: what stands between PCRE2's brackets, and patterns of one character that cannot stand there.
struct Set {
  std::string items;
  std::vector<std::string> others;

  void join(const Set& set) {
    items += set.items;
    others.insert(others.end(), set.others.begin(), set.others.end());
  }
};

std::string pattern_of(const Set& set, bool negated) {
  if (set.others.empty()) return (negated ? "[^" : "[") + set.items + "]";
  std::string any;
  if (!set.items.empty()) any = "[" + set.items + "]";
  for (const std::string& other : set.others) any += (any.empty() ? "" : "|") + other;
  return negated ? "(?:(?!" + any + ")(?s:.))" : "(?:" + any + ")";
}

Set negation_of(const Set& set) { return {"", {pattern_of(set, true)}}; }

std::string property_items(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kLong[] = {
      {"Letter", "L"}, {"Mark", "M"},      {"Number", "N"},         {"Punctuation", "P"},
      {"Symbol", "S"}, {"Separator", "Z"}, {"Space", "White_Space"}};
  for (const auto& [from, to] : kLong)
    if (name == from) name = to;
  static constexpr std::string_view kNoScripts[] = {
      "Alphabetic", "Join_Control", "White_Space", "Uppercase", "Lowercase", "Any", "Emoji", "Extended_Pictographic"};
  const bool is_script =
      name.size() > 2 && std::find(std::begin(kNoScripts), std::end(kNoScripts), name) == std::end(kNoScripts);
  std::string newer = newer_members(name);
  if (name == "Alphabetic") newer = newer_members("L");
  // Without sc: PCRE2 takes a script's name wider, by Script_Extensions.
  return (is_script ? "\\p{sc:" : "\\p{") + std::string(name) + "}" + newer;
}

std::string word_items_of_sets() {
  return property_items("Alphabetic") + property_items("M") + property_items("Nd") + property_items("Pc");
}

// Outside of sets Oniguruma counts superscripts and fractions of Latin-1 as letters of words.
std::string word_items() { return word_items_of_sets() + "\\xB2\\xB3\\xB9\\xBC-\\xBE"; }

std::optional<std::string> class_items(char escape, bool in_set) {  // of \d, \D, ...
  switch (escape | 0x20) {
    case 'd': return property_items("Nd");
    case 's': return "\\p{White_Space}";
    case 'w': return in_set ? word_items_of_sets() : word_items();
    case 'h': return "0-9a-fA-F";
    default: return std::nullopt;
  }
}

std::optional<std::string> posix_items(std::string_view name) {
  if (name == "digit") return property_items("Nd");
  if (name == "space") return "\\p{White_Space}";
  if (name == "word") return word_items_of_sets();
  if (name == "punct") return property_items("P") + property_items("S");
  if (name == "xdigit") return "0-9a-fA-F";
  return std::nullopt;
}

std::string quoted(uint32_t c) {
  std::string text;
  append_utf8(text, c);
  const bool is_special = c < 0x80 && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  return is_special
             ? (c < ' ' || c == 0x7F ? "\\x{" + std::string(1, "01234567"[c >> 4]) + "0123456789abcdef"[c & 15] + "}"
                                     : "\\" + text)
             : text;
}

class Rewriter {
 public:
  Rewriter(const std::string& pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  std::string run() {
    while (at_ < pattern_.size()) outside();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    HEARTH_FAIL(unsupported, where_, ": the regular expression uses ", printable(what),
                ", which Hearth does not do\n  pattern: ", printable(pattern_));
  }
  bool follows(std::string_view text) const { return pattern_.compare(at_, text.size(), text) == 0; }
  bool take(std::string_view text) {
    const bool good = follows(text);
    if (good) at_ += text.size();
    return good;
  }
  char next() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }

  void outside() {
    const char c = pattern_[at_];
    if (c == '{') return repeat();
    if (c == ')') return close_group();
    if (c != '?' && c != '*' && c != '+') last_ = out_.size();
    if (c == '\\') return escape();
    if (c == '[') {
      ++at_;
      out_ += set();
    } else if (c == '(') {
      group();
    } else if (c == '^' || c == '$') {
      // Ruby's lines: none begins behind a last line end.
      out_ += c == '^' ? "(?:\\A|(?<=\\n)(?!\\z))" : "(?:(?=\\n)|\\z)";
      ++at_;
    } else {
      out_ += c;
      ++at_;
    }
  }

  void close_group() {
    out_ += pattern_[at_++];
    if (groups_.empty()) return;  // PCRE2 says what is wrong
    last_ = groups_.back();
    groups_.pop_back();
  }

  void group() {
    groups_.push_back(out_.size());
    if (follows("(*")) refuse("(*");
    if (!follows("(?")) return void(out_ += pattern_[at_++]);
    const bool at_start = at_ == 0;
    for (const char* known : {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:"})
      if (take(known)) return void(out_ += known);
    // Inside a pattern Ruby's (?i) takes the alternatives behind it along, as a group.
    if (at_start && take("(?i)")) {
      groups_.pop_back();
      return void(out_ += "(?i)");
    }
    refuse("the group '" + pattern_.substr(at_, 4) + "'");
  }

  // {3}, {1,3}, {1,}, {,3}; anything else is text.
  void repeat() {
    const size_t close = pattern_.find('}', at_);
    const std::string inside = close == std::string::npos ? "" : pattern_.substr(at_ + 1, close - at_ - 1);
    const bool good = !inside.empty() && inside != "," &&
                      inside.find_first_not_of("0123456789,") == std::string::npos &&
                      std::count(inside.begin(), inside.end(), ',') <= 1;
    if (!good) {
      ++at_;
      last_ = out_.size();
      return void(out_ += "\\{");
    }
    at_ = close + 1;
    const bool repeats_again = take("+");  // in Ruby no possessive repeat, but (?:x{1,3})+
    if (repeats_again) out_.insert(last_, "(?:");
    if (next() == '?' && inside.find(',') == std::string::npos) refuse("a counted repeat {n}?");
    out_ += inside[0] == ',' ? "{0" + inside + "}" : "{" + inside + "}";
    if (repeats_again) out_ += ")+";
  }

  void escape() {
    ++at_;
    if (at_ >= pattern_.size()) refuse("\\ at its end");
    const char c = pattern_[at_];
    if (take("b") || take("B")) {
      const std::string word = "[" + word_items() + "]";
      out_ += c == 'b' ? "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))"
                       : "(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))";
    } else if (take("A") || take("z") || take("R")) {
      (out_ += '\\') += c;
    } else if (take("Z")) {
      out_ += "(?=\\n?\\z)";
    } else if (const std::optional<Set> members = escaped_set()) {
      out_ += pattern_of(*members, false);
    } else {
      out_ += quoted(escaped_character());
    }
  }

  // Behind a backslash: \d, \P{L}, ... Empty if it is none of these.
  std::optional<Set> escaped_set() {
    const char c = next();
    if (const std::optional<std::string> items = class_items(c, depth_ > 0)) {
      ++at_;
      const Set set{*items, {}};
      return (c & 0x20) != 0 ? set : negation_of(set);
    }
    if (c != 'p' && c != 'P') return std::nullopt;
    const size_t close = pattern_.find('}', at_);
    if (pattern_.compare(at_ + 1, 1, "{") != 0 || close == std::string::npos) refuse("\\p without {name}");
    std::string_view name = std::string_view(pattern_).substr(at_ + 2, close - at_ - 2);
    bool negated = c == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    // What is alphabetic has changed since PCRE2's Unicode, among old characters too.
    if (name == "Alphabetic" || name == "Alpha" || name.empty() ||
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") != name.npos)
      refuse("the property '" + std::string(name) + "'");
    at_ = close + 1;
    const Set set{property_items(name), {}};
    return negated ? negation_of(set) : set;
  }

  // Behind a backslash: one character.
  uint32_t escaped_character() {
    static constexpr std::pair<char, uint32_t> kNamed[] = {{'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'f', '\f'},
                                                           {'v', '\v'}, {'a', '\a'}, {'e', 0x1B}};
    const char c = next();
    for (const auto& [name, value] : kNamed)
      if (c == name) return ++at_, value;
    if (c == 'x' || c == 'u') return hex_character();
    const bool letter_or_digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (letter_or_digit) refuse(std::string("\\") + c);
    return character();
  }

  uint32_t hex_character() {  // \x0A, \x{1F600}, \u00e9
    const bool is_x = pattern_[at_++] == 'x', braced = is_x && take("{");
    const size_t most = braced ? 6 : is_x ? 2 : 4;
    uint32_t value = 0;
    size_t digits = 0;
    static constexpr std::string_view kHex = "0123456789abcdef";
    for (; digits < most && at_ < pattern_.size(); ++digits, ++at_) {
      const size_t digit = kHex.find(
          static_cast<char>(pattern_[at_] >= 'A' && pattern_[at_] <= 'F' ? pattern_[at_] | 0x20 : pattern_[at_]));
      if (digit == kHex.npos) break;
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    const bool is_byte = is_x && !braced && value >= 0x80;  // Oniguruma takes it for a part of a character
    const bool is_character = value < 0xD800 || (value > 0xDFFF && value <= 0x10FFFF);
    if (digits == 0 || (braced && !take("}")) || is_byte || !is_character) refuse("a broken \\x or \\u");
    return value;
  }

  uint32_t character() {
    const CodePoint c = decode_valid(pattern_, at_);
    at_ += c.size_bytes;
    return c.value;
  }

  // Behind '[': up to its ']', as a pattern of one character.
  std::string set() {
    if (++depth_ > 16) refuse("sets nested deeper than 16");
    const bool negated = take("^");
    if (next() == ']') refuse("']' as the first member of a set");
    std::vector<Set> parts(1);  // what && stands between
    while (!take("]")) {
      if (at_ >= pattern_.size()) refuse("a set without its ']'");
      if (take("&&")) {
        parts.emplace_back();
      } else {
        member(parts.back());
      }
    }
    --depth_;
    if (parts.size() == 1) return pattern_of(parts[0], negated);
    std::string all;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].items.empty() && parts[i].others.empty()) refuse("&& with nothing on one side");
      const std::string one = pattern_of(parts[i], false);
      all += i + 1 < parts.size() ? "(?=" + one + ")" : one;
    }
    return negated ? "(?:(?!" + all + ")(?s:.))" : "(?:" + all + ")";
  }

  void member(Set& part) {
    if (take("[:")) return posix(part);
    if (take("[")) {
      if (next() == '^' || has_intersection()) return void(part.others.push_back(set()));
      return nested(part);
    }
    if (next() == '\\') {
      ++at_;
      if (const std::optional<Set> members = escaped_set()) return part.join(*members);
      return range(escaped_character(), part);
    }
    range(character(), part);
  }

  // [ab] inside a set: its members are the set's.
  void nested(Set& part) {
    if (++depth_ > 16) refuse("sets nested deeper than 16");
    if (next() == ']') refuse("']' as the first member of a set");
    while (!take("]")) {
      if (at_ >= pattern_.size()) refuse("a set without its ']'");
      if (follows("&&")) refuse("&& behind a set, inside a set");
      member(part);
    }
    --depth_;
  }

  bool has_intersection() const {  // in the set that begins here; inner ones count too, which costs nothing but speed
    const size_t close = pattern_.find(']', at_), both = pattern_.find("&&", at_);
    return both != std::string::npos && both < close;
  }

  void posix(Set& part) {
    const bool negated = take("^");
    const size_t end = pattern_.find(":]", at_);
    const std::string name = end == std::string::npos ? "" : pattern_.substr(at_, end - at_);
    const std::optional<std::string> items = posix_items(name);
    if (!items) refuse("[:" + name.substr(0, 20) + ":]");
    at_ = end + 2;
    part.join(negated ? negation_of({*items, {}}) : Set{*items, {}});
  }

  // first, or first-last.
  void range(uint32_t first, Set& part) {
    part.items += quoted(first);
    if (next() != '-' || at_ + 1 >= pattern_.size() || pattern_[at_ + 1] == ']' || pattern_[at_ + 1] == '[') return;
    const size_t dash = at_++;
    if (next() == '\\' && at_ + 1 < pattern_.size() &&
        std::string_view("dDsSwWhHpP").find(pattern_[at_ + 1]) != std::string_view::npos) {
      at_ = dash + 1;
      return void(part.items += "\\-");
    }
    const uint32_t last = take("\\") ? escaped_character() : character();
    if (last < first) refuse("a range that ends before it begins");
    part.items += "-" + quoted(last);
  }

  const std::string& pattern_;
  const std::string& where_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string out_;
  size_t last_ = 0;             // where in out_ the last thing that can be repeated begins
  std::vector<size_t> groups_;  // where in out_ the open groups begin
};

}  // namespace

std::string oniguruma_to_pcre(const std::string& pattern, const std::string& where) {
  return Rewriter(pattern, where).run();
}

}  // namespace hearth::tokenizers
