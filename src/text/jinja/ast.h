// SPDX-License-Identifier: Apache-2.0
#pragma once
// A parsed template. Nodes are owned by their Template, so that a chain of any length is freed without recursion.

#include <memory>
#include <string>
#include <vector>

#include "text/jinja/value.h"

namespace hearth::jinja {

enum class ExprKind : uint8_t {
  constant,   // value
  name,       // text
  list,       // parts
  tuple,      // parts
  dict,       // parts: key, value, key, value
  attribute,  // parts[0] . text
  item,       // parts[0] [ parts[1] ]
  slice,      // parts: begin, end, step, each may be null
  call,       // parts[0], arguments
  filter,     // parts[0] (null in a filter block), text, arguments
  test,       // parts[0], text, arguments
  negate,     // - parts[0]
  plus,       // + parts[0]
  invert,     // not parts[0]
  binary,     // parts[0] text parts[1]
  concat,     // all parts
  compare,    // parts[0] operators[0] parts[1] operators[1] ...
  both,       // parts[0] and parts[1]
  either,     // parts[0] or parts[1]
  condition,  // parts[1] if parts[0] else parts[2] (may be null)
};

struct Expr;

struct CallArguments {
  std::vector<const Expr*> positional = {};
  std::vector<std::pair<std::string, const Expr*>> named = {};
  const Expr* spread = nullptr;        // *list
  const Expr* spread_named = nullptr;  // **dict
};

struct Expr {
  ExprKind kind;
  int line;
  int depth = 1;  // of the nodes below
  std::string text = {};
  Value value = Value::none();
  std::vector<const Expr*> parts = {};
  std::vector<std::string> operators = {};
  CallArguments arguments = {};
};

// What a value is assigned to: a name, namespace.name, or a tuple of targets.
struct Target {
  std::string name, attribute;
  std::vector<Target> parts;
  bool is_tuple = false;
};

struct Parameter {
  std::string name;
  const Expr* otherwise = nullptr;  // null: none
};

struct Macro {
  std::string name;
  std::vector<Parameter> parameters;
  std::vector<const struct Statement*> body;
  bool uses_varargs = false, uses_kwargs = false, uses_caller = false;
};

enum class StatementKind : uint8_t {
  text,        // text
  output,      // expr
  set,         // target = expr
  set_block,   // target = body, through the filters of expr (may be null)
  branch,      // if expr: body; else: otherwise
  loop,        // for target in expr if condition: body; else: otherwise
  with,        // targets = exprs: body
  macro,       // macro
  call_block,  // expr called with caller = macro
  filter_block,
  generation,  // body, whose output is the assistant's
  leave,       // break
  next,        // continue
};

struct Statement {
  StatementKind kind;
  int line;
  std::string text = {};
  const Expr* expr = nullptr;
  const Expr* condition = nullptr;
  std::vector<Target> targets = {};
  std::vector<const Expr*> exprs = {};
  std::vector<const Statement*> body = {}, otherwise = {};
  Macro macro = {};
  bool recursive = false;
};

using Body = std::vector<const Statement*>;

struct Tree {
  std::vector<std::unique_ptr<Expr>> exprs;
  std::vector<std::unique_ptr<Statement>> statements;
  Body body;
  bool has_generation = false;
};

Tree parse(std::string_view source, const std::string& name);

}  // namespace hearth::jinja
