// SPDX-License-Identifier: Apache-2.0
#pragma once
// Runs a Tree. A template is a program by strangers: steps, bytes made and depth are bounded, and it reaches nothing
// but the values that it is given.

#include <memory>
#include <string>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/builtins.h"
#include "text/jinja/operators.h"
#include "text/jinja/template.h"

namespace hearth::jinja {

// Names of one block. A lookup goes on in the blocks around it.
struct Scope {
  std::shared_ptr<Scope> parent;
  Namespace names;
};

class Interpreter {
 public:
  Interpreter(const Tree& tree, const std::string& name, const RenderOptions& options);
  ~Interpreter();
  Rendering run(const std::vector<std::pair<std::string, Value>>& variables);

  // For filters, tests and methods.
  const RenderOptions& options() const { return options_; }
  void charge(size_t steps, size_t bytes = 0);  // Error{value} when the template has used up what it may
  Value make_text(std::string text, bool markup = false);
  Value make_list(std::vector<Value> items, ListForm form = ListForm::list);
  std::vector<Value> items_of(const Value& value);  // Error{value} if it cannot be iterated; a generator is used up
  Value attribute(const Value& object, const std::string& name);
  Value item(const Value& object, const Value& key);
  Value item_path(const Value& object, const Value& path);  // "a.b.0": item after item
  Value call(const Value& function, const Arguments& arguments);
  Value filter(const std::string& name, const Value& value, const Arguments& arguments);
  bool test(const std::string& name, const Value& value, const Arguments& arguments);
  Namespace* new_space();
  std::string call_macro(const Macro& macro, const std::shared_ptr<Scope>& around, const Arguments& arguments);
  Value loop_again(const Statement& loop, const std::shared_ptr<Scope>& around, const Value& items, int depth);

 private:
  enum class Flow { on, leave, next };

  // interpreter.cc
  Flow run_body(const Body& body);
  Flow run(const Statement& statement);
  Flow run_in_scope(const Body& body);
  Flow run_branch(const Statement& statement);
  void run_loop(const Statement& loop, const Value& items, int depth);
  void run_with(const Statement& with);
  void run_set_block(const Statement& block);
  void run_macro(const Statement& statement);
  void run_call_block(const Statement& block);
  void run_generation(const Statement& block);
  void assign(const Target& target, const Value& value);
  std::string capture(const Body& body);
  template <class Work>
  std::string captured(const Work& work);
  void write(std::string_view text);
  Value filtered(const Expr* filters, Value value);
  void bind_macro(const Macro& macro, const Arguments& arguments);

  // expressions.cc
  Value eval(const Expr& expr);
  Value eval_kind(const Expr& expr);
  Value eval_name(const Expr& expr);
  Value eval_item(const Expr& expr);
  Value eval_slice(const Value& object, const Expr& slice);
  Value eval_call(const Expr& expr);
  Value eval_binary(const Expr& expr);
  Value eval_both(const Expr& expr);
  Value eval_concat(const Expr& expr);
  Value eval_compare(const Expr& expr);
  Value eval_dict(const Expr& expr);
  std::vector<Value> eval_all(const std::vector<const Expr*>& exprs);
  Arguments eval_arguments(const std::string& who, const CallArguments& arguments);
  Value unknown_attribute(const Value& object, const std::string& name);

  struct Deeper;
  friend class Loop;

  const Tree& tree_;
  const std::string& name_;
  const RenderOptions& options_;
  std::shared_ptr<Scope> scope_;
  std::vector<std::shared_ptr<Scope>> kept_;  // those that macros hold on to; emptied at the end
  std::vector<std::unique_ptr<Namespace>> spaces_;
  std::string* out_ = nullptr;
  size_t out_base_ = 0;  // length of all output around *out_
  std::vector<TextSpan> spans_;
  int line_ = 1, depth_ = 0;
  int64_t steps_ = 0, bytes_ = 0;
};

}  // namespace hearth::jinja
