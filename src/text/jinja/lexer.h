// SPDX-License-Identifier: Apache-2.0
#pragma once
// A template's text as tokens, with white space handled as transformers sets jinja2 up: trim_blocks (the newline behind
// a block goes), lstrip_blocks (spaces before a block at the start of a line go), and the signs '-' and '+'.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::jinja {

enum class TokenKind : uint8_t {
  data,            // text outside of tags
  variable_begin,  // {{
  variable_end,
  block_begin,  // {%
  block_end,
  name,
  text,  // a string literal
  integer,
  real,
  symbol,  // an operator, a bracket, a comma
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  int line = 1;
  std::string text = {};  // of data, names, symbols; a string literal's content
  int64_t integer = 0;
  double real = 0;

  bool is_symbol(std::string_view wanted) const { return kind == TokenKind::symbol && text == wanted; }
  bool is_name(std::string_view wanted) const { return kind == TokenKind::name && text == wanted; }
};

// `name` stands for the template in errors: Error{format} "name: line 3: ...". The last token is end.
std::vector<Token> tokenize(std::string_view source, const std::string& name);

// "'name', line 3": where a token stands, for messages.
std::string describe(const Token& token);

}  // namespace hearth::jinja
