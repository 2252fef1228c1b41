// SPDX-License-Identifier: Apache-2.0
// Tokens, nodes and statements.
#include "text/jinja/parser.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/jinja/builtins.h"

namespace hearth::jinja {

static constexpr int kMaxNested = 120, kMaxExprDepth = 300;

void Parser::refuse_token(const char* wanted) const {
  refuse(current().line, "expected ", wanted, ", found ", describe(current()));
}

Nesting::Nesting(Parser& p) : parser(p) {
  if (++p.nested_ > kMaxNested) {
    --p.nested_;
    p.refuse(p.current().line, "more than ", kMaxNested, " expressions or blocks stand inside of each other");
  }
}

Token Parser::take() {
  Token token = std::move(tokens_[at_]);
  tokens_[at_] = token;
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool Parser::skip_symbol(std::string_view symbol) {
  const bool found = current().is_symbol(symbol);
  if (found) ++at_;
  return found;
}

bool Parser::skip_name(std::string_view name) {
  const bool found = current().is_name(name);
  if (found) ++at_;
  return found;
}

void Parser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) refuse_token(("'" + std::string(symbol) + "'").c_str());
}

Token Parser::expect(TokenKind kind, const char* what) {
  if (current().kind != kind) refuse_token(what);
  return take();
}

Expr* Parser::make(ExprKind kind, int line, std::vector<const Expr*> parts) {
  tree_.exprs.push_back(std::make_unique<Expr>(Expr{.kind = kind, .line = line, .parts = std::move(parts)}));
  return finish(tree_.exprs.back().get());
}

Expr* Parser::finish(Expr* expr) {
  const auto count = [&](const Expr* part) {
    if (part) expr->depth = std::max(expr->depth, part->depth + 1);
  };
  std::for_each(expr->parts.begin(), expr->parts.end(), count);
  std::for_each(expr->arguments.positional.begin(), expr->arguments.positional.end(), count);
  for (const auto& [name, value] : expr->arguments.named) count(value);
  count(expr->arguments.spread);
  count(expr->arguments.spread_named);
  if (expr->depth > kMaxExprDepth)
    refuse(expr->line, "an expression has more than ", kMaxExprDepth, " operations inside of each other");
  return expr;
}

Statement* Parser::make(StatementKind kind, int line) {
  tree_.statements.push_back(std::make_unique<Statement>(Statement{.kind = kind, .line = line}));
  return tree_.statements.back().get();
}

Tree Parser::run() {
  tree_.body = parse_body({});
  if (!unknown_.empty()) HEARTH_FAIL(unsupported, name_, ": line ", unknown_[0].first, ": ", unknown_[0].second);
  return std::move(tree_);
}

// Stops before the first name of a block that is in ends; without ends, at the end of the template.
Body Parser::parse_body(std::initializer_list<std::string_view> ends) {
  const Nesting nesting(*this);
  Body body;
  for (;;) {
    const Token& token = current();
    if (token.kind == TokenKind::end) {
      if (ends.size() > 0) refuse(token.line, "the template ends where {% ", *(ends.end() - 1), " %} is missing");
      return body;
    }
    if (token.kind == TokenKind::data) {
      Statement* text = make(StatementKind::text, token.line);
      text->text = take().text;
      body.push_back(text);
    } else if (token.kind == TokenKind::variable_begin) {
      Statement* output = make(StatementKind::output, take().line);
      output->expr = parse_tuple(true);
      expect(TokenKind::variable_end, "'}}'");
      body.push_back(output);
    } else {
      take();
      const auto is_current = [&](std::string_view end) { return current().is_name(end); };
      if (std::any_of(ends.begin(), ends.end(), is_current)) return body;
      body.push_back(parse_statement());
      expect(TokenKind::block_end, "'%}'");
    }
  }
}

// The rest of an opening block, then its body.
Body Parser::parse_block_body(std::initializer_list<std::string_view> ends) {
  skip_symbol(":");
  expect(TokenKind::block_end, "'%}'");
  return parse_body(ends);
}

void Parser::end_block(std::string_view name) {
  if (!skip_name(name)) refuse_token(("'" + std::string(name) + "'").c_str());
}

const Statement* Parser::parse_statement() {
  const Token word = expect(TokenKind::name, "the name of a block");
  if (word.text == "set") return parse_set(word.line);
  if (word.text == "if") return parse_if(word.line);
  if (word.text == "for") return parse_for(word.line);
  if (word.text == "with") return parse_with(word.line);
  if (word.text == "macro") return parse_macro(word.line);
  if (word.text == "call") return parse_call_block(word.line);
  if (word.text == "filter") return parse_filter_block(word.line);
  if (word.text == "generation") return parse_generation(word.line);
  if (word.text == "break" || word.text == "continue") {
    if (loops_ == 0) refuse(word.line, "'", word.text, "' stands outside of a for loop");
    return make(word.text == "break" ? StatementKind::leave : StatementKind::next, word.line);
  }
  for (const char* other : {"block", "extends", "include", "import", "from", "print", "autoescape", "do", "trans"})
    HEARTH_CHECK(word.text != other, unsupported, name_, ": line ", word.line, ": the tag '", other,
                 "' has no meaning in a chat template");
  refuse(word.line, "unknown tag '", printable(word.text), "'");
}

Target Parser::target_name(bool with_attribute) {
  const Token name = expect(TokenKind::name, "a name to assign to");
  for (const char* constant : {"true", "false", "none", "True", "False", "None"})
    if (name.text == constant) refuse(name.line, "'", constant, "' cannot be assigned to");
  Target target{.name = name.text, .attribute = {}, .parts = {}};
  if (with_attribute && skip_symbol(".")) target.attribute = expect(TokenKind::name, "a name").text;
  return target;
}

Target Parser::parse_target(bool with_attribute, bool with_tuple) {
  const Nesting nesting(*this);
  const auto one = [&] {
    if (!skip_symbol("(")) return target_name(with_attribute);
    Target inside = parse_target(with_attribute);
    expect_symbol(")");
    return inside;
  };
  Target first = one();
  if (!with_tuple || !current().is_symbol(",")) return first;
  Target all{.name = {}, .attribute = {}, .parts = {std::move(first)}, .is_tuple = true};
  while (skip_symbol(",")) {
    if (current().kind != TokenKind::name && !current().is_symbol("(")) break;
    if (current().is_name("in")) break;
    all.parts.push_back(one());
  }
  return all;
}

const Statement* Parser::parse_set(int line) {
  Target target = parse_target(true);
  if (skip_symbol("=")) {
    Statement* set = make(StatementKind::set, line);
    set->targets = {std::move(target)};
    set->expr = parse_tuple(true);
    return set;
  }
  Statement* block = make(StatementKind::set_block, line);
  block->targets = {std::move(target)};
  block->expr = parse_filters(nullptr);
  block->body = parse_block_body({"endset"});
  end_block("endset");
  return block;
}

const Statement* Parser::parse_if(int line) {
  ++soft_;
  Statement* first = make(StatementKind::branch, line);
  Statement* branch = first;
  for (;;) {
    branch->expr = parse_tuple(false);
    branch->body = parse_block_body({"elif", "else", "endif"});
    if (!current().is_name("elif")) break;
    Statement* next = make(StatementKind::branch, take().line);
    branch->otherwise = {next};
    branch = next;
  }
  if (skip_name("else")) branch->otherwise = parse_block_body({"endif"});
  end_block("endif");
  --soft_;
  return first;
}

const Statement* Parser::parse_for(int line) {
  Statement* loop = make(StatementKind::loop, line);
  loop->targets = {parse_target(false)};
  if (!skip_name("in")) refuse_token("'in'");
  loop->expr = parse_tuple(false);
  if (skip_name("if")) loop->condition = parse_expression();
  loop->recursive = skip_name("recursive");
  ++loops_;
  loop->body = parse_block_body({"else", "endfor"});
  --loops_;
  if (skip_name("else")) loop->otherwise = parse_block_body({"endfor"});
  end_block("endfor");
  return loop;
}

const Statement* Parser::parse_with(int line) {
  Statement* with = make(StatementKind::with, line);
  while (current().kind != TokenKind::block_end) {
    if (!with->targets.empty()) expect_symbol(",");
    with->targets.push_back(parse_target(false, false));
    expect_symbol("=");
    with->exprs.push_back(parse_expression());
  }
  with->body = parse_block_body({"endwith"});
  end_block("endwith");
  return with;
}

void Parser::parse_signature(Macro& macro) {
  expect_symbol("(");
  while (!current().is_symbol(")")) {
    if (!macro.parameters.empty()) expect_symbol(",");
    const int line = current().line;
    Parameter parameter{.name = target_name(false).name};
    if (skip_symbol("="))
      parameter.otherwise = parse_expression();
    else if (!macro.parameters.empty() && macro.parameters.back().otherwise)
      refuse(line, "the parameter '", parameter.name, "' needs a default, as the one before it has one");
    macro.parameters.push_back(std::move(parameter));
  }
  expect_symbol(")");
}

void Parser::parse_macro_body(Macro& macro, std::string_view end) {
  Macro* const outer = std::exchange(macro_, &macro);
  const int outer_loops = std::exchange(loops_, 0);
  macro.body = parse_block_body({end});
  end_block(end);
  loops_ = outer_loops;
  macro_ = outer;
  if (outer) {  // a call block inside of a macro may use the macro's caller
    outer->uses_caller |= macro.uses_caller;
    outer->uses_kwargs |= macro.uses_kwargs;
    outer->uses_varargs |= macro.uses_varargs;
  }
}

const Statement* Parser::parse_macro(int line) {
  Statement* statement = make(StatementKind::macro, line);
  statement->macro.name = target_name(false).name;
  parse_signature(statement->macro);
  parse_macro_body(statement->macro, "endmacro");
  return statement;
}

const Statement* Parser::parse_call_block(int line) {
  Statement* call = make(StatementKind::call_block, line);
  call->macro.name = "caller";
  if (current().is_symbol("(")) parse_signature(call->macro);
  call->expr = parse_expression();
  if (call->expr->kind != ExprKind::call) refuse(line, "a call block needs a call: {% call name(...) %}");
  parse_macro_body(call->macro, "endcall");
  return call;
}

const Statement* Parser::parse_filter_block(int line) {
  Statement* block = make(StatementKind::filter_block, line);
  block->expr = parse_filters(parse_filter(nullptr));
  block->body = parse_block_body({"endfilter"});
  end_block("endfilter");
  return block;
}

const Statement* Parser::parse_generation(int line) {
  Statement* block = make(StatementKind::generation, line);
  const int outer_loops = std::exchange(loops_, 0);
  block->body = parse_block_body({"endgeneration"});
  end_block("endgeneration");
  loops_ = outer_loops;
  tree_.has_generation = true;
  return block;
}

Tree parse(std::string_view source, const std::string& name) { return Parser(tokenize(source, name), name).run(); }

}  // namespace hearth::jinja
