// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/loop.h"

#include "base/error.h"

namespace hearth::jinja {

namespace {
// loop.cycle and loop.changed.
class LoopMethod : public Object {
 public:
  LoopMethod(std::shared_ptr<Loop> loop, bool is_cycle) : loop_(std::move(loop)), is_cycle_(is_cycle) {}
  std::string type_name() const override { return "method"; }
  Value call(Interpreter&, Arguments& arguments) override {
    return is_cycle_ ? loop_->cycle(arguments) : loop_->changed(arguments);
  }

 private:
  const std::shared_ptr<Loop> loop_;
  const bool is_cycle_;
};
}  // namespace

std::optional<Value> Loop::pull() {
  while (at_ < items_.size()) {
    const Value item = items_[at_++];  // copies: the condition may ask this loop for its length, which drops both
    const Condition condition = condition_;
    if (!condition || condition(item)) return item;
  }
  return std::nullopt;
}

const std::optional<Value>& Loop::peek() {
  if (!after_) after_ = pull();
  return after_;
}

bool Loop::next() {
  std::optional<Value> item = after_ ? std::exchange(after_, std::nullopt) : pull();
  if (!item) return false;
  before_ = std::exchange(current_, std::move(item));
  ++index_;
  return true;
}

void Loop::finish() {
  condition_ = nullptr;
  items_.clear();
}

// With a condition the items that come have to be tried first.
int64_t Loop::length() {
  std::vector<Value> left;
  if (after_) left.push_back(*after_);
  while (const std::optional<Value> item = pull()) left.push_back(*item);
  const int64_t count = index_ + 1 + static_cast<int64_t>(left.size());
  items_ = std::move(left);
  at_ = 0;
  after_.reset();
  condition_ = nullptr;
  return count;
}

Value Loop::cycle(const Arguments& arguments) const {
  HEARTH_CHECK(!arguments.positional.empty(), value, "no items for cycling given");
  return arguments.positional[static_cast<size_t>(index_) % arguments.positional.size()];
}

Value Loop::changed(const Arguments& arguments) {
  const bool first = seen_ == nullptr;
  if (first) seen_ = interpreter_.new_space();  // owned there: what is kept may hold this loop
  const Value now = Value::tuple(arguments.positional);
  const Value* last = seen_->find("last");
  const bool same = last != nullptr && equal(*last, now);
  if (!same) seen_->set("last", now);
  return Value::boolean(!same);
}

Value Loop::call(Interpreter& interpreter, Arguments& arguments) {
  HEARTH_CHECK(statement_.recursive, value, "The loop must have the 'recursive' marker to be called recursively.");
  const Bound bound(arguments, {"iterable"}, 1);
  const std::shared_ptr<Scope> around = around_.lock();
  HEARTH_CHECK(around, value, "the loop has ended, it cannot be called");
  return interpreter.loop_again(statement_, around, *bound[0], depth_ + 1);
}

bool Loop::attribute(const std::string& name, Value* value) {
  const auto give = [&](Value v) {
    *value = std::move(v);
    return true;
  };
  if (name == "index") return give(Value::integer(index_ + 1));
  if (name == "index0") return give(Value::integer(index_));
  if (name == "first") return give(Value::boolean(index_ == 0));
  if (name == "last") return give(Value::boolean(!peek().has_value()));
  if (name == "length") return give(Value::integer(length()));
  if (name == "revindex") return give(Value::integer(length() - index_));
  if (name == "revindex0") return give(Value::integer(length() - index_ - 1));
  if (name == "depth") return give(Value::integer(depth_ + 1));
  if (name == "depth0") return give(Value::integer(depth_));
  if (name == "previtem") return give(before_ ? *before_ : Value::undefined("there is no previous item"));
  if (name == "nextitem") return give(peek() ? *after_ : Value::undefined("there is no next item"));
  if (name == "cycle" || name == "changed")
    return give(Value::object(std::make_shared<LoopMethod>(shared_from_this(), name == "cycle")));
  return false;
}

}  // namespace hearth::jinja
