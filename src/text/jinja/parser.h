// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads expressions and statements of jinja2's grammar into a Tree. What Hearth does not do (blocks, includes, imports)
// and filters and tests that do not exist are refused by name and line; inside of an if only when they are reached, as
// in jinja2.

#include "base/error.h"
#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace hearth::jinja {

class Parser {
 public:
  Parser(std::vector<Token> tokens, const std::string& name) : tokens_(std::move(tokens)), name_(name) {}
  Tree run();

 private:
  // tokens
  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool skip_symbol(std::string_view symbol);
  bool skip_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  Token expect(TokenKind kind, const char* what);
  template <class... Parts>
  [[noreturn]] void refuse(int line, const Parts&... parts) const {
    HEARTH_FAIL(format, name_, ": line ", line, ": ", parts...);
  }
  [[noreturn]] void refuse_token(const char* wanted) const;

  // nodes
  Expr* make(ExprKind kind, int line, std::vector<const Expr*> parts = {});
  Expr* finish(Expr* expr);  // after its parts are set
  Statement* make(StatementKind kind, int line);

  // parser_statements.cc
  Body parse_body(std::initializer_list<std::string_view> ends);  // up to a block that begins with one of them
  Body parse_block_body(std::initializer_list<std::string_view> ends);
  void end_block(std::string_view name);
  const Statement* parse_statement();
  const Statement* parse_set(int line);
  const Statement* parse_if(int line);
  const Statement* parse_for(int line);
  const Statement* parse_with(int line);
  const Statement* parse_macro(int line);
  const Statement* parse_call_block(int line);
  const Statement* parse_filter_block(int line);
  const Statement* parse_generation(int line);
  void parse_signature(Macro& macro);
  void parse_macro_body(Macro& macro, std::string_view end);
  Target parse_target(bool with_attribute, bool with_tuple = true);
  Target target_name(bool with_attribute);

  // parser_expressions.cc
  const Expr* parse_expression() { return parse_condition(); }
  const Expr* parse_tuple(bool with_condition, bool in_parentheses = false);
  bool is_tuple_end() const;
  const Expr* parse_condition();
  const Expr* parse_either();
  const Expr* parse_both();
  const Expr* parse_not();
  const Expr* parse_compare();
  std::string compare_operator();
  const Expr* parse_sum();
  const Expr* parse_concat();
  const Expr* parse_product();
  const Expr* parse_power();
  const Expr* parse_unary(bool with_filters);
  const Expr* parse_primary();
  const Expr* parse_word();
  const Expr* parse_list();
  const Expr* parse_dict();
  const Expr* parse_postfix(const Expr* expr);
  const Expr* parse_filters_and_tests(const Expr* expr);
  const Expr* parse_subscript(const Expr* expr);
  const Expr* parse_slice_or_item();
  const Expr* parse_call(const Expr* expr);
  CallArguments parse_arguments();
  const Expr* parse_filter(const Expr* expr);  // behind the |
  const Expr* parse_filters(const Expr* expr);
  const Expr* parse_test(const Expr* expr);
  bool test_argument_follows() const;
  std::string dotted_name();

  std::vector<Token> tokens_;
  const std::string& name_;
  size_t at_ = 0;
  Tree tree_;
  int nested_ = 0;                                    // expressions or blocks inside of each other
  int loops_ = 0;                                     // for statements around, in this macro
  int soft_ = 0;                                      // ifs around: filters and tests need not exist
  std::vector<std::pair<int, std::string>> unknown_;  // line and message: filters and tests that do not exist
  Macro* macro_ = nullptr;
  friend struct Nesting;
};

// Counts what stands inside of each other, so that no template can exhaust the stack.
struct Nesting {
  explicit Nesting(Parser& parser);
  ~Nesting() { --parser.nested_; }
  Parser& parser;
};

}  // namespace hearth::jinja
