// SPDX-License-Identifier: Apache-2.0
// The functions that every template can call.
#include <ctime>

#include "base/error.h"
#include "text/jinja/interpreter.h"

namespace hearth::jinja {
namespace {

class Function : public Object {
 public:
  using Body = Value (*)(Interpreter&, const Arguments&);
  Function(const char* name, Body body) : name_(name), body_(body) {}
  std::string type_name() const override { return "function"; }
  Value call(Interpreter& interpreter, Arguments& arguments) override {
    arguments.who = name_;
    return body_(interpreter, arguments);
  }

 private:
  const char* name_;
  const Body body_;
};

constexpr uint64_t kMaxRange = 100000;

Value make_range(Interpreter& interpreter, const Arguments& arguments) {
  const Bound bound(arguments, {"start", "stop", "step"}, 1);
  const bool one = bound[1] == nullptr;
  const int64_t start = one ? 0 : bound.integer(0), stop = bound.integer(one ? 0 : 1);
  const int64_t step = bound[2] ? bound.integer(2) : 1;
  HEARTH_CHECK(step != 0, value, "range() arg 3 must not be zero");
  const bool empty = step > 0 ? start >= stop : start <= stop;
  const uint64_t distance = step > 0 ? uint64_t(stop) - uint64_t(start) : uint64_t(start) - uint64_t(stop);
  const uint64_t stride = step > 0 ? uint64_t(step) : uint64_t{0} - uint64_t(step);
  const uint64_t count = empty ? 0 : (distance - 1) / stride + 1;
  HEARTH_CHECK(count <= kMaxRange, value, "Range too big. The sandbox blocks ranges larger than MAX_RANGE (", kMaxRange,
               ").");
  std::vector<Value> items;
  for (uint64_t i = 0; i < count; ++i)
    items.push_back(Value::integer(static_cast<int64_t>(uint64_t(start) + i * uint64_t(step))));
  return interpreter.make_list(std::move(items), ListForm::range);
}

// dict(mapping or pairs, name=value...)
std::vector<std::pair<Value, Value>> dict_items(Interpreter& interpreter, const Arguments& arguments) {
  std::vector<std::pair<Value, Value>> items;
  HEARTH_CHECK(arguments.positional.size() <= 1, value, arguments.who, "() takes at most 1 argument, ",
               arguments.positional.size(), " are given");
  for (const Value& from : arguments.positional) {
    if (from.is(Kind::dict)) {
      items = from.as_dict().items;
      continue;
    }
    for (const Value& pair : interpreter.items_of(from)) {
      const std::vector<Value> two = interpreter.items_of(pair);
      HEARTH_CHECK(two.size() == 2, value, "dictionary update sequence element has length ", two.size(),
                   "; 2 is required");
      check_hashable(two[0]);
      items.emplace_back(two[0], two[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) items.emplace_back(Value::text(name), value);
  interpreter.charge(items.size(), items.size() * 2 * sizeof(Value));
  return items;
}

Value make_dict(Interpreter& interpreter, const Arguments& arguments) {
  return Value::dict(dict_items(interpreter, arguments));
}

Value make_namespace(Interpreter& interpreter, const Arguments& arguments) {
  Namespace* space = interpreter.new_space();
  for (const auto& [key, value] : dict_items(interpreter, arguments)) {
    HEARTH_CHECK(key.is(Kind::text), value, "a namespace's names must be str, not ", type_name(key));
    space->set(key.as_text(), value);
  }
  return Value::space(space);
}

Value raise_exception(Interpreter&, const Arguments& arguments) {
  const Bound bound(arguments, {"message"}, 1);
  HEARTH_FAIL(value, "the template refuses this conversation: ", to_text(*bound[0]));
}

Value strftime_now(Interpreter& interpreter, const Arguments& arguments) {
  const Bound bound(arguments, {"format"}, 1);
  const std::string& format = bound.text(0);
  HEARTH_CHECK(format.size() < 1000, value, "strftime_now: the format has ", format.size(), " bytes; 999 are allowed");
  const std::time_t now = interpreter.options().now ? interpreter.options().now : std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  // Widths ("%999999d") would make it write without bounds: what does not fit gives an empty text.
  char buffer[16384];
  return interpreter.make_text(std::string(buffer, std::strftime(buffer, sizeof buffer, format.c_str(), &parts)));
}

class Cycler : public Object {
 public:
  explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
  std::string type_name() const override { return "Cycler"; }
  bool callable() const override { return false; }
  Value call(Interpreter&, Arguments&) override { return Value::none(); }
  Value step(bool reset) {
    const Value now = items_[at_];
    at_ = reset ? 0 : (at_ + 1) % items_.size();
    return reset ? Value::none() : now;
  }
  bool attribute(const std::string& name, Value* value) override;
  std::weak_ptr<Cycler> self;

 private:
  const std::vector<Value> items_;
  size_t at_ = 0;
};

class CyclerMethod : public Object {
 public:
  CyclerMethod(std::shared_ptr<Cycler> cycler, bool reset) : cycler_(std::move(cycler)), reset_(reset) {}
  std::string type_name() const override { return "method"; }
  Value call(Interpreter&, Arguments&) override { return cycler_->step(reset_); }

 private:
  const std::shared_ptr<Cycler> cycler_;
  const bool reset_;
};

bool Cycler::attribute(const std::string& name, Value* value) {
  if (name == "current") {
    *value = items_[at_];
    return true;
  }
  if (name != "next" && name != "reset") return false;
  *value = Value::object(std::make_shared<CyclerMethod>(self.lock(), name == "reset"));
  return true;
}

Value make_cycler(Interpreter& interpreter, const Arguments& arguments) {
  HEARTH_CHECK(!arguments.positional.empty(), value, "at least one item has to be provided");
  interpreter.charge(1, arguments.positional.size() * sizeof(Value) + sizeof(Cycler));
  const auto cycler = std::make_shared<Cycler>(arguments.positional);
  cycler->self = cycler;
  return Value::object(cycler);
}

// Nothing when called first, the separator afterwards.
class Joiner : public Object {
 public:
  explicit Joiner(std::string separator) : separator_(std::move(separator)) {}
  std::string type_name() const override { return "Joiner"; }
  Value call(Interpreter& interpreter, Arguments&) override {
    return interpreter.make_text(std::exchange(used_, true) ? separator_ : "");
  }

 private:
  const std::string separator_;
  bool used_ = false;
};

Value make_joiner(Interpreter& interpreter, const Arguments& arguments) {
  const Bound bound(arguments, {"sep"});
  interpreter.charge(1, sizeof(Joiner));
  return Value::object(std::make_shared<Joiner>(bound[0] ? to_text(*bound[0]) : ", "));
}

}  // namespace

std::vector<std::pair<std::string, Value>> global_functions() {
  static const struct {
    const char* name;
    Function::Body body;
  } kFunctions[] = {{"range", make_range},          {"dict", make_dict},
                    {"namespace", make_namespace},  {"raise_exception", raise_exception},
                    {"strftime_now", strftime_now}, {"cycler", make_cycler},
                    {"joiner", make_joiner}};
  std::vector<std::pair<std::string, Value>> all;
  for (const auto& row : kFunctions)
    all.emplace_back(row.name, Value::object(std::make_shared<Function>(row.name, row.body)));
  return all;
}

}  // namespace hearth::jinja
