// SPDX-License-Identifier: Apache-2.0
// Expressions, from the loosest operator to the tightest: if-else, or, and, not, comparisons and in, + -, ~, * / // %,
// **, signs, then what follows a value: . [] () | is.
#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/jinja/builtins.h"
#include "text/jinja/parser.h"

namespace hearth::jinja {

bool Parser::is_tuple_end() const {
  const Token& t = current();
  return t.kind == TokenKind::variable_end || t.kind == TokenKind::block_end || t.is_symbol(")") || t.is_name("in") ||
         t.is_name("recursive");
}

const Expr* Parser::parse_tuple(bool with_condition, bool in_parentheses) {
  const Nesting nesting(*this);
  const int line = current().line;
  std::vector<const Expr*> parts;
  bool is_tuple = false;
  for (;;) {
    if (!parts.empty()) expect_symbol(",");
    if (is_tuple_end()) break;
    parts.push_back(with_condition ? parse_condition() : parse_either());
    if (!current().is_symbol(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !parts.empty()) return parts[0];
  if (!is_tuple && !in_parentheses) refuse_token("an expression");
  return make(ExprKind::tuple, line, std::move(parts));
}

const Expr* Parser::parse_condition() {
  const Nesting nesting(*this);
  const size_t unknown = unknown_.size();
  const Expr* expr = parse_either();
  if (current().is_name("if")) unknown_.resize(unknown);  // it need not be reached
  while (current().is_name("if")) {
    const int line = take().line;
    ++soft_;
    const Expr* test = parse_either();
    const Expr* otherwise = skip_name("else") ? parse_condition() : nullptr;
    --soft_;
    expr = make(ExprKind::condition, line, {test, expr, otherwise});
  }
  return expr;
}

const Expr* Parser::parse_either() {
  const Expr* left = parse_both();
  while (current().is_name("or")) {
    const int line = take().line;
    const Expr* right = parse_both();
    left = make(ExprKind::either, line, {left, right});
  }
  return left;
}

const Expr* Parser::parse_both() {
  const Expr* left = parse_not();
  while (current().is_name("and")) {
    const int line = take().line;
    const Expr* right = parse_not();
    left = make(ExprKind::both, line, {left, right});
  }
  return left;
}

const Expr* Parser::parse_not() {
  if (!current().is_name("not")) return parse_compare();
  const Nesting nesting(*this);
  const int line = take().line;
  return make(ExprKind::invert, line, {parse_not()});
}

// The comparison that stands here, taken; empty if there is none.
std::string Parser::compare_operator() {
  for (const char* symbol : {"==", "!=", "<", "<=", ">", ">="})
    if (skip_symbol(symbol)) return symbol;
  if (skip_name("in")) return "in";
  if (!current().is_name("not") || !ahead().is_name("in")) return "";
  at_ += 2;
  return "not in";
}

const Expr* Parser::parse_compare() {
  const int line = current().line;
  const Expr* first = parse_sum();
  std::vector<const Expr*> parts = {first};
  std::vector<std::string> operators;
  for (std::string found = compare_operator(); !found.empty(); found = compare_operator()) {
    operators.push_back(std::move(found));
    parts.push_back(parse_sum());
  }
  if (operators.empty()) return first;
  Expr* expr = make(ExprKind::compare, line, std::move(parts));
  expr->operators = std::move(operators);
  return expr;
}

const Expr* Parser::parse_sum() {
  const Expr* left = parse_concat();
  while (current().is_symbol("+") || current().is_symbol("-")) {
    const Token op = take();
    const Expr* right = parse_concat();
    Expr* expr = make(ExprKind::binary, op.line, {left, right});
    expr->text = op.text;
    left = expr;
  }
  return left;
}

const Expr* Parser::parse_concat() {
  const int line = current().line;
  std::vector<const Expr*> parts = {parse_product()};
  while (skip_symbol("~")) parts.push_back(parse_product());
  return parts.size() == 1 ? parts[0] : make(ExprKind::concat, line, std::move(parts));
}

const Expr* Parser::parse_product() {
  const Expr* left = parse_power();
  const auto is_product = [&] {
    const Token& t = current();
    return t.is_symbol("*") || t.is_symbol("/") || t.is_symbol("//") || t.is_symbol("%");
  };
  while (is_product()) {
    const Token op = take();
    const Expr* right = parse_power();
    Expr* expr = make(ExprKind::binary, op.line, {left, right});
    expr->text = op.text;
    left = expr;
  }
  return left;
}

const Expr* Parser::parse_power() {
  const Expr* left = parse_unary(true);
  while (current().is_symbol("**")) {
    const Token op = take();
    const Expr* right = parse_unary(true);
    Expr* expr = make(ExprKind::binary, op.line, {left, right});
    expr->text = op.text;
    left = expr;
  }
  return left;
}

const Expr* Parser::parse_unary(bool with_filters) {
  const Nesting nesting(*this);
  const Expr* expr;
  if (current().is_symbol("-") || current().is_symbol("+")) {
    const Token sign = take();
    expr = make(sign.text == "-" ? ExprKind::negate : ExprKind::plus, sign.line, {parse_unary(false)});
  } else {
    expr = parse_primary();
  }
  expr = parse_postfix(expr);
  return with_filters ? parse_filters_and_tests(expr) : expr;
}

const Expr* Parser::parse_word() {
  const Token token = take();
  Expr* expr = make(ExprKind::constant, token.line);
  if (token.text == "true" || token.text == "True") {
    expr->value = Value::boolean(true);
  } else if (token.text == "false" || token.text == "False") {
    expr->value = Value::boolean(false);
  } else if (token.text != "none" && token.text != "None") {
    expr->kind = ExprKind::name;
    expr->text = token.text;
    if (macro_ && token.text == "varargs") macro_->uses_varargs = true;
    if (macro_ && token.text == "kwargs") macro_->uses_kwargs = true;
    if (macro_ && token.text == "caller") macro_->uses_caller = true;
  }
  return expr;
}

const Expr* Parser::parse_primary() {
  const Token& token = current();
  if (token.kind == TokenKind::name) return parse_word();
  if (token.is_symbol("[")) return parse_list();
  if (token.is_symbol("{")) return parse_dict();
  if (skip_symbol("(")) {
    const Expr* inside = parse_tuple(true, true);
    expect_symbol(")");
    return inside;
  }
  Expr* expr = make(ExprKind::constant, token.line);
  if (token.kind == TokenKind::text) {
    std::string text;
    while (current().kind == TokenKind::text) text += take().text;
    expr->value = Value::text(std::move(text));
  } else if (token.kind == TokenKind::integer) {
    expr->value = Value::integer(take().integer);
  } else if (token.kind == TokenKind::real) {
    expr->value = Value::real(take().real);
  } else {
    refuse_token("an expression");
  }
  return expr;
}

const Expr* Parser::parse_list() {
  const int line = take().line;
  std::vector<const Expr*> parts;
  while (!current().is_symbol("]")) {
    if (!parts.empty()) expect_symbol(",");
    if (current().is_symbol("]")) break;
    parts.push_back(parse_expression());
  }
  expect_symbol("]");
  return make(ExprKind::list, line, std::move(parts));
}

const Expr* Parser::parse_dict() {
  const int line = take().line;
  std::vector<const Expr*> parts;
  while (!current().is_symbol("}")) {
    if (!parts.empty()) expect_symbol(",");
    if (current().is_symbol("}")) break;
    parts.push_back(parse_expression());
    expect_symbol(":");
    parts.push_back(parse_expression());
  }
  expect_symbol("}");
  return make(ExprKind::dict, line, std::move(parts));
}

const Expr* Parser::parse_postfix(const Expr* expr) {
  for (;;) {
    if (current().is_symbol(".") || current().is_symbol("["))
      expr = parse_subscript(expr);
    else if (current().is_symbol("("))
      expr = parse_call(expr);
    else
      return expr;
  }
}

const Expr* Parser::parse_filters_and_tests(const Expr* expr) {
  for (;;) {
    if (skip_symbol("|"))
      expr = parse_filter(expr);
    else if (current().is_name("is"))
      expr = parse_test(expr);
    else if (current().is_symbol("("))
      expr = parse_call(expr);
    else
      return expr;
  }
}

const Expr* Parser::parse_subscript(const Expr* expr) {
  const Token open = take();
  if (open.text == ".") {
    if (current().kind == TokenKind::integer) {
      Expr* index = make(ExprKind::constant, open.line);
      index->value = Value::integer(take().integer);
      return make(ExprKind::item, open.line, {expr, index});
    }
    Expr* attribute = make(ExprKind::attribute, open.line, {expr});
    attribute->text = expect(TokenKind::name, "a name or a number").text;
    return attribute;
  }
  std::vector<const Expr*> parts;
  while (!current().is_symbol("]")) {
    if (!parts.empty()) expect_symbol(",");
    parts.push_back(parse_slice_or_item());
  }
  expect_symbol("]");
  const Expr* index = parts.size() == 1 ? parts[0] : make(ExprKind::tuple, open.line, std::move(parts));
  return make(ExprKind::item, open.line, {expr, index});
}

const Expr* Parser::parse_slice_or_item() {
  const int line = current().line;
  const auto part = [&]() -> const Expr* {
    const bool empty = current().is_symbol(":") || current().is_symbol("]") || current().is_symbol(",");
    return empty ? nullptr : parse_expression();
  };
  const Expr* begin = current().is_symbol(":") ? nullptr : parse_expression();
  if (!skip_symbol(":")) return begin;
  const Expr* end = part();
  const Expr* step = skip_symbol(":") ? part() : nullptr;
  return make(ExprKind::slice, line, {begin, end, step});
}

CallArguments Parser::parse_arguments() {
  const int line = current().line;
  expect_symbol("(");
  CallArguments arguments;
  const auto ensure = [&](bool in_order) {
    if (!in_order) refuse(line, "the arguments of a call stand in the wrong order");
  };
  for (bool first = true; !current().is_symbol(")"); first = false) {
    if (!first) expect_symbol(",");
    if (current().is_symbol(")")) break;
    if (skip_symbol("*")) {
      ensure(!arguments.spread && !arguments.spread_named);
      arguments.spread = parse_expression();
    } else if (skip_symbol("**")) {
      ensure(!arguments.spread_named);
      arguments.spread_named = parse_expression();
    } else if (current().kind == TokenKind::name && ahead().is_symbol("=")) {
      ensure(!arguments.spread_named);
      std::string name = take().text;
      take();
      arguments.named.emplace_back(std::move(name), parse_expression());
    } else {
      ensure(!arguments.spread && !arguments.spread_named && arguments.named.empty());
      arguments.positional.push_back(parse_expression());
    }
  }
  expect_symbol(")");
  return arguments;
}

const Expr* Parser::parse_call(const Expr* expr) {
  Expr* call = make(ExprKind::call, current().line, {expr});
  call->arguments = parse_arguments();
  return finish(call);
}

std::string Parser::dotted_name() {
  std::string name = expect(TokenKind::name, "a name").text;
  while (skip_symbol(".")) name += "." + expect(TokenKind::name, "a name").text;
  return name;
}

const Expr* Parser::parse_filter(const Expr* expr) {
  const int line = current().line;
  Expr* filter = make(ExprKind::filter, line, {expr});
  filter->text = dotted_name();
  if (soft_ == 0 && !find_filter(filter->text)) unknown_.emplace_back(line, unknown_filter(filter->text));
  if (current().is_symbol("(")) filter->arguments = parse_arguments();
  return finish(filter);
}

const Expr* Parser::parse_filters(const Expr* expr) {
  while (skip_symbol("|")) expr = parse_filter(expr);
  return expr;
}

bool Parser::test_argument_follows() const {
  const Token& t = current();
  if (t.kind == TokenKind::name) return !t.is_name("else") && !t.is_name("or") && !t.is_name("and");
  return t.kind == TokenKind::text || t.kind == TokenKind::integer || t.kind == TokenKind::real || t.is_symbol("[") ||
         t.is_symbol("{");
}

const Expr* Parser::parse_test(const Expr* expr) {
  const int line = take().line;
  const bool negated = skip_name("not");
  Expr* test = make(ExprKind::test, line, {expr});
  test->text = dotted_name();
  if (soft_ == 0 && !find_test(test->text)) unknown_.emplace_back(line, unknown_test(test->text));
  if (current().is_symbol("(")) {
    test->arguments = parse_arguments();
  } else if (test_argument_follows()) {
    if (current().is_name("is")) refuse(line, "two tests with 'is' cannot follow each other; put parentheses");
    const Expr* argument = parse_primary();
    test->arguments.positional = {parse_postfix(argument)};
  }
  finish(test);
  return negated ? make(ExprKind::invert, line, {test}) : test;
}

}  // namespace hearth::jinja
