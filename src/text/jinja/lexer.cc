// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "io/nearest.h"
#include "text/jinja/unicode.h"
#include "text/utf8.h"

namespace hearth::jinja {
namespace {

// Valid UTF-8, every kind of line end as \n, one at the very end dropped.
std::string normalized(std::string_view source) {
  const std::string valid = tokenizers::replace_invalid_utf8(source);
  std::string out;
  out.reserve(valid.size());
  for (size_t i = 0; i < valid.size(); ++i) {
    if (valid[i] == '\r' && i + 1 < valid.size() && valid[i + 1] == '\n') continue;
    out += valid[i] == '\r' ? '\n' : valid[i];
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// Longest first.
constexpr std::array<std::string_view, 27> kSymbols = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                       "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                       ">",  "<",  "=",  ".",  ":",  "|",  ",", ";", "!"};

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& name) : text_(normalized(source)), name_(name) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) read_data();
    push(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(text_).substr(at_); }
  bool starts(std::string_view what) const { return rest().starts_with(what); }

  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    HEARTH_FAIL(format, name_, ": line ", line_, ": ", parts...);
  }

  void push(TokenKind kind, std::string text) {
    tokens_.push_back({.kind = kind, .line = line_, .text = std::move(text)});
  }

  void advance(size_t bytes) {
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes), '\n'));
    at_ += bytes;
    if (bytes > 0) line_start_ = text_[at_ - 1] == '\n';
  }

  void skip_space() { advance(rest().size() - strip(rest(), Side::left).size()); }

  // The text up to the next tag, then the tag. `sign` is what stands behind the tag's two characters.
  void read_data() {
    const size_t open = next_tag(at_);
    if (open == std::string::npos) {
      push(TokenKind::data, std::string(rest()));
      return advance(rest().size());
    }
    const char kind = text_[open + 1];
    const char sign = sign_at(open + 2);
    push_data(rest().substr(0, open - at_), sign, kind != '{');
    advance(open - at_ + 2 + (sign != 0));
    if (kind == '#') return read_comment();
    if (kind == '%' && read_raw()) return;
    push(kind == '{' ? TokenKind::variable_begin : TokenKind::block_begin, "");
    read_expression(kind == '{');
  }

  size_t next_tag(size_t from) const {
    for (size_t at = text_.find('{', from); at != std::string::npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() && std::string_view("{%#").find(text_[at + 1]) != std::string_view::npos) return at;
    return std::string::npos;
  }

  char sign_at(size_t at) const {
    return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
  }

  void push_data(std::string_view data, char sign, bool is_block) {
    const int line = line_;
    if (sign == '-') {
      data = strip(data, Side::right);
    } else if (sign != '+' && is_block) {
      const size_t newline = data.rfind('\n');
      const size_t begin = newline == data.npos ? 0 : newline + 1;
      if ((begin > 0 || line_start_) && strip(data.substr(begin), Side::left).empty()) data = data.substr(0, begin);
    }
    if (!data.empty()) tokens_.push_back({.kind = TokenKind::data, .line = line, .text = std::string(data)});
  }

  // Behind the end of a block or comment: '-' took the sign, and all white space goes; '+' keeps the newline.
  void end_tag(char sign, bool trims_newline) {
    advance((sign != 0) + 2);
    if (sign == '-')
      skip_space();
    else if (sign == 0 && trims_newline && starts("\n"))
      advance(1);
  }

  void read_comment() {
    const size_t end = text_.find("#}", at_);
    if (end == std::string::npos) refuse("a comment has no end: '#}' is missing");
    const char sign = end > at_ ? sign_at(end - 1) : '\0';
    advance(end - at_ - (sign != 0));
    end_tag(sign, true);
  }

  // Behind "{%": raw ... endraw, whose inside is data. False if it is another block.
  bool read_raw() {
    const std::string_view word = strip(rest(), Side::left);
    if (!word.starts_with("raw")) return false;
    const std::string_view behind = strip(word.substr(3), Side::left);
    const bool dash = behind.starts_with("-%}");
    if (!dash && !behind.starts_with("%}")) return false;
    advance(rest().size() - behind.size());
    end_tag(dash ? '-' : '\0', false);
    for (size_t open = text_.find("{%", at_); open != std::string::npos; open = text_.find("{%", open + 2)) {
      const char sign = sign_at(open + 2);
      const std::string_view tag = strip(std::string_view(text_).substr(open + 2 + (sign != 0)), Side::left);
      if (!tag.starts_with("endraw")) continue;
      const std::string_view close = strip(tag.substr(6), Side::left);
      const char end_sign = close.starts_with("-%}") ? '-' : close.starts_with("+%}") ? '+' : '\0';
      if (end_sign == 0 && !close.starts_with("%}")) continue;
      push_data(rest().substr(0, open - at_), sign, true);
      advance(rest().size() - close.size());
      end_tag(end_sign, true);
      return true;
    }
    refuse("a raw block has no end: {% endraw %} is missing");
  }

  // Tokens up to the end of the tag.
  void read_expression(bool variable) {
    std::vector<char> brackets;  // the closing ones that are awaited
    const std::string_view close = variable ? "}}" : "%}";
    for (;;) {
      skip_space();
      if (at_ == text_.size()) refuse("a tag has no end: '", close, "' is missing");
      if (brackets.empty()) {
        const char sign = text_[at_] == '-' || (text_[at_] == '+' && !variable) ? text_[at_] : '\0';
        if (rest().substr(sign != 0).starts_with(close)) {
          push(variable ? TokenKind::variable_end : TokenKind::block_end, "");
          return end_tag(sign, !variable);
        }
      }
      read_token(brackets);
    }
  }

  void read_token(std::vector<char>& brackets) {
    const char c = text_[at_];
    if (c >= '0' && c <= '9') return read_number();
    if (c == '\'' || c == '"') return read_text(c);
    if (is_name_character(at_)) return read_name();
    for (const std::string_view symbol : kSymbols) {
      if (!starts(symbol) || symbol == "!") continue;
      track_brackets(symbol[0], symbol.size(), brackets);
      push(TokenKind::symbol, std::string(symbol));
      return advance(symbol.size());
    }
    const tokenizers::CodePoint point = tokenizers::decode_valid(text_, at_);
    refuse("unexpected character '", printable(text_.substr(at_, point.size_bytes)), "'");
  }

  void track_brackets(char c, size_t size, std::vector<char>& brackets) const {
    if (size > 1) return;
    if (c == '(' || c == '[' || c == '{') brackets.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c != ')' && c != ']' && c != '}') return;
    if (brackets.empty()) refuse("unexpected '", c, "'");
    if (brackets.back() != c) refuse("unexpected '", c, "', expected '", brackets.back(), "'");
    brackets.pop_back();
  }

  bool is_name_character(size_t at) const {
    const uint32_t c = tokenizers::decode_valid(text_, at).value;
    return c == '_' || is_alnum(c);
  }

  void read_name() {
    size_t end = at_;
    while (end < text_.size() && is_name_character(end)) end += tokenizers::decode_valid(text_, end).size_bytes;
    push(TokenKind::name, text_.substr(at_, end - at_));
    advance(end - at_);
  }

  static bool is_digit_of(char c, int base) {
    if (base == 16) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
    return c >= '0' && c < '0' + base;
  }

  // Digits, single underscores between them, from `at` on; returns where they end.
  size_t digits_end(size_t at, int base) const {
    const auto digit = [&](size_t i) { return i < text_.size() && is_digit_of(text_[i], base); };
    while (digit(at) || (at < text_.size() && text_[at] == '_' && digit(at + 1))) ++at;
    return at;
  }

  std::string without_underscores(size_t begin, size_t end) const {
    std::string digits = text_.substr(begin, end - begin);
    std::erase(digits, '_');
    return digits;
  }

  size_t fraction_end(size_t at) const {
    if (at + 1 < text_.size() && text_[at] == '.' && is_digit_of(text_[at + 1], 10)) return digits_end(at + 1, 10);
    return at;
  }

  size_t exponent_end(size_t at) const {
    if (at >= text_.size() || (text_[at] | 32) != 'e') return at;
    const size_t digits = at + 1 + (sign_at(at + 1) != 0);
    return digits < text_.size() && is_digit_of(text_[digits], 10) ? digits_end(digits, 10) : at;
  }

  void read_number() {
    const char mark = at_ + 1 < text_.size() ? static_cast<char>(text_[at_ + 1] | 32) : '\0';
    const int base = text_[at_] != '0' ? 10 : mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    if (base != 10 && at_ + 2 < text_.size() && is_digit_of(text_[at_ + 2], base))
      return push_integer(at_ + 2, digits_end(at_ + 2, base), base);
    const size_t whole = digits_end(at_, 10), end = exponent_end(fraction_end(whole));
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';  // x.1.2 holds two numbers
    if (end == whole || after_dot) return push_integer(at_, whole, 10);
    const std::string digits = without_underscores(at_, end);
    Token token{.kind = TokenKind::real, .line = line_};
    std::from_chars(digits.data(), digits.data() + digits.size(), token.real);
    if (digits.find("e-") == digits.npos && digits.find("E-") == digits.npos && token.real == 0 &&
        digits.find_first_of("123456789") < digits.find_first_of("eE"))
      token.real = HUGE_VAL;  // from_chars leaves 0 where Python has inf
    tokens_.push_back(std::move(token));
    advance(end - at_);
  }

  void push_integer(size_t begin, size_t end, int base) {
    const std::string digits = without_underscores(begin, end);
    Token token{.kind = TokenKind::integer, .line = line_};
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), token.integer, base);
    if (result.ec != std::errc()) refuse("the integer ", digits, " is too large");
    tokens_.push_back(std::move(token));
    advance(end - at_);
  }

  void read_text(char quote) {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) refuse("a string has no end: ", quote, " is missing");
    push(TokenKind::text, unescaped(std::string_view(text_).substr(at_ + 1, end - at_ - 1)));
    advance(end + 1 - at_);
  }

  std::string unescaped(std::string_view text) const {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\' || i + 1 == text.size())
        out += text[i];
      else
        i = append_escape(text, i + 1, out);
    }
    return out;
  }

  // text[at] stands behind a backslash. Returns the last place that was read.
  size_t append_escape(std::string_view text, size_t at, std::string& out) const {
    static constexpr std::string_view kLetters = "\\'\"abfnrtv", kMeanings = "\\'\"\a\b\f\n\r\t\v";
    const char c = text[at];
    if (c == '\n') return at;
    const size_t simple = kLetters.find(c);
    if (simple != kLetters.npos) {
      out += kMeanings[simple];
    } else if (is_digit_of(c, 8)) {
      size_t end = at;
      while (end < text.size() && end < at + 3 && is_digit_of(text[end], 8)) ++end;
      tokenizers::append_utf8(out, code_of(text.substr(at, end - at), 8));
      return end - 1;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (text.size() < at + 1 + digits) refuse("the escape \\", c, " needs ", digits, " hexadecimal digits");
      tokenizers::append_utf8(out, code_of(text.substr(at + 1, digits), 16));
      return at + digits;
    } else {
      if (c == 'N') refuse("the escape \\N{name} is not one that Hearth reads; write \\uXXXX");
      out += '\\';
      out += c;
    }
    return at;
  }

  uint32_t code_of(std::string_view digits, int base) const {
    uint32_t code = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
    const bool valid = result.ec == std::errc() && result.ptr == digits.data() + digits.size() && code <= 0x10FFFF &&
                       !(code >= 0xD800 && code <= 0xDFFF);
    if (!valid) refuse("'", printable(std::string(digits)), "' in a string is no character's number");
    return code;
  }

  const std::string text_;
  const std::string& name_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_start_ = true;  // the token before ended with a newline, or there was none
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& name) { return Lexer(source, name).run(); }

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::end: return "the end of the template";
    case TokenKind::data: return "text";
    case TokenKind::variable_end: return "'}}'";
    case TokenKind::block_end: return "'%}'";
    case TokenKind::variable_begin: return "'{{'";
    case TokenKind::block_begin: return "'{%'";
    case TokenKind::integer: return "'" + std::to_string(token.integer) + "'";
    case TokenKind::real: return "a number";
    default: return "'" + printable(token.text) + "'";
  }
}

}  // namespace hearth::jinja
