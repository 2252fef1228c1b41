// SPDX-License-Identifier: Apache-2.0
#pragma once
// The variable "loop" of a for statement, which also feeds the statement its items.

#include <functional>
#include <optional>

#include "text/jinja/interpreter.h"

namespace hearth::jinja {

class Loop : public Object, public std::enable_shared_from_this<Loop> {
 public:
  // Says of an item whether the loop takes it (for ... if ...); empty: all.
  using Condition = std::function<bool(const Value&)>;
  Loop(Interpreter& interpreter, const Statement& statement, std::vector<Value> items, int depth)
      : interpreter_(interpreter), statement_(statement), items_(std::move(items)), depth_(depth) {}

  void set_condition(Condition condition) { condition_ = std::move(condition); }
  bool next();  // false: no item is left
  const Value& current() const { return *current_; }
  void set_around(std::shared_ptr<Scope> around) { around_ = std::move(around); }
  void finish();  // the statement has ended

  std::string type_name() const override { return "LoopContext"; }
  bool callable() const override { return statement_.recursive; }
  Value call(Interpreter& interpreter, Arguments& arguments) override;
  bool attribute(const std::string& name, Value* value) override;
  Value cycle(const Arguments& arguments) const;
  Value changed(const Arguments& arguments);

 private:
  std::optional<Value> pull();
  const std::optional<Value>& peek();
  int64_t length();

  Interpreter& interpreter_;
  const Statement& statement_;
  std::vector<Value> items_;
  const int depth_;
  std::weak_ptr<Scope> around_;
  Condition condition_;
  size_t at_ = 0;  // of the next item
  int64_t index_ = -1;
  std::optional<Value> before_, current_, after_;
  Namespace* seen_ = nullptr;  // what changed() was called with last
};

}  // namespace hearth::jinja
