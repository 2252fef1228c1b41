// SPDX-License-Identifier: Apache-2.0
// Expressions.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {

// Counts what runs inside of each other.
struct Interpreter::Deeper {
  explicit Deeper(Interpreter& i) : interpreter(i) {
    if (++i.depth_ <= i.options_.max_depth) return;
    --i.depth_;
    HEARTH_FAIL(value, "more than ", i.options_.max_depth, " calls and operations run inside of each other");
  }
  ~Deeper() { --interpreter.depth_; }
  Interpreter& interpreter;
};

Value Interpreter::eval(const Expr& expr) {
  const Deeper deeper(*this);
  charge(1);
  return eval_kind(expr);
}

Value Interpreter::eval_kind(const Expr& expr) {
  switch (expr.kind) {
    case ExprKind::constant: return expr.value;
    case ExprKind::name: return eval_name(expr);
    case ExprKind::list: return make_list(eval_all(expr.parts));
    case ExprKind::tuple: return make_list(eval_all(expr.parts), ListForm::tuple);
    case ExprKind::dict: return eval_dict(expr);
    case ExprKind::attribute: {
      const Value object = eval(*expr.parts[0]);
      line_ = expr.line;
      return attribute(object, expr.text);
    }
    case ExprKind::item: return eval_item(expr);
    case ExprKind::call: return eval_call(expr);
    case ExprKind::filter: {
      const Value value = eval(*expr.parts[0]);
      const Arguments arguments = eval_arguments(expr.text, expr.arguments);
      line_ = expr.line;
      return filter(expr.text, value, arguments);
    }
    case ExprKind::test: {
      const Value value = eval(*expr.parts[0]);
      const Arguments arguments = eval_arguments(expr.text, expr.arguments);
      line_ = expr.line;
      return Value::boolean(test(expr.text, value, arguments));
    }
    case ExprKind::negate: return negated(eval(*expr.parts[0]));
    case ExprKind::plus: return plus(eval(*expr.parts[0]));
    case ExprKind::invert: return Value::boolean(!truth(eval(*expr.parts[0])));
    case ExprKind::binary: return eval_binary(expr);
    case ExprKind::concat: return eval_concat(expr);
    case ExprKind::compare: return eval_compare(expr);
    case ExprKind::both:
    case ExprKind::either: return eval_both(expr);
    case ExprKind::condition:
      if (truth(eval(*expr.parts[0]))) return eval(*expr.parts[1]);
      if (expr.parts[2]) return eval(*expr.parts[2]);
      return Value::undefined("the inline if-expression evaluated to false and no else section was defined.");
    case ExprKind::slice: break;
  }
  HEARTH_FAIL(value, "a slice stands where no object is sliced");
}

std::vector<Value> Interpreter::eval_all(const std::vector<const Expr*>& exprs) {
  std::vector<Value> values;
  values.reserve(exprs.size());
  for (const Expr* expr : exprs) values.push_back(eval(*expr));
  return values;
}

Value Interpreter::eval_name(const Expr& expr) {
  for (const Scope* scope = scope_.get(); scope; scope = scope->parent.get())
    if (const Value* found = scope->names.find(expr.text)) return *found;
  line_ = expr.line;
  return Value::undefined("'" + expr.text + "' is undefined");
}

Value Interpreter::eval_dict(const Expr& expr) {
  std::vector<std::pair<Value, Value>> items;
  for (size_t i = 0; i < expr.parts.size(); i += 2) {
    Value key = eval(*expr.parts[i]);
    check_hashable(key);
    items.emplace_back(std::move(key), eval(*expr.parts[i + 1]));
  }
  charge(1 + items.size(), items.size() * 2 * sizeof(Value) + sizeof(Dict));
  return Value::dict(std::move(items));
}

// Long sums lean to the left: they are walked, not recursed into.
Value Interpreter::eval_binary(const Expr& expr) {
  std::vector<const Expr*> chain;
  const Expr* left = &expr;
  for (; left->kind == ExprKind::binary; left = left->parts[0]) chain.push_back(left);
  Value value = eval(*left);
  for (size_t i = chain.size(); i-- > 0;) {
    const Value right = eval(*chain[i]->parts[1]);
    line_ = chain[i]->line;
    value = binary(*this, chain[i]->text, value, right);
  }
  return value;
}

Value Interpreter::eval_both(const Expr& expr) {
  Value left = eval(*expr.parts[0]);
  return truth(left) == (expr.kind == ExprKind::either) ? left : eval(*expr.parts[1]);
}

Value Interpreter::eval_concat(const Expr& expr) {
  std::string text;
  for (const Value& part : eval_all(expr.parts)) text += to_text(part);
  return make_text(std::move(text));
}

Value Interpreter::eval_compare(const Expr& expr) {
  Value left = eval(*expr.parts[0]);
  for (size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = eval(*expr.parts[i + 1]);
    line_ = expr.line;
    if (!compare(*this, expr.operators[i], left, right)) return Value::boolean(false);
    left = std::move(right);
  }
  return Value::boolean(true);
}

// --- attributes and items
// ----------------------------------------------------------------------------------------------

namespace {
// "text".strip and the like, not called yet.
class MethodValue : public Object {
 public:
  MethodValue(Value self, Method method, std::string name)
      : self_(std::move(self)), method_(method), name_(std::move(name)) {}
  std::string type_name() const override { return "builtin_function_or_method"; }
  Value call(Interpreter& interpreter, Arguments& arguments) override {
    arguments.who = name_;
    return method_(interpreter, self_, arguments);
  }

 private:
  const Value self_;
  const Method method_;
  const std::string name_;
};

Method find_method(const Value& object, const std::string& name) {
  if (object.is(Kind::text)) return find_text_method(name);
  if (object.is(Kind::dict)) return find_dict_method(name);
  const bool is_list = object.is(Kind::list) && object.as_list().form <= ListForm::range;
  if (!is_list || (name == "copy" && object.as_list().form != ListForm::list)) return nullptr;
  return find_list_method(name);
}

std::string object_name(const Value& object) {
  if (object.is(Kind::none)) return "None";
  if (object.is(Kind::space)) return "jinja2.utils.Namespace object";
  return type_name(object) + " object";
}
}  // namespace

Value Interpreter::unknown_attribute(const Value& object, const std::string& name) {
  if (is_changing_method(object.kind(), name))
    return Value::undefined("access to attribute '" + name + "' of '" + type_name(object) +
                            "' object is unsafe: templates may not change what they are given");
  return Value::undefined("'" + object_name(object) + "' has no attribute '" + name + "'");
}

// object.name: a method goes before an item of that name.
Value Interpreter::attribute(const Value& object, const std::string& name) {
  check_defined(object);
  if (const Method method = find_method(object, name))
    return Value::object(std::make_shared<MethodValue>(object, method, name));
  if (object.is(Kind::space))
    if (const Value* found = object.as_space().find(name)) return *found;
  if (object.is(Kind::object)) {
    Value value = Value::none();
    if (object.as_object().attribute(name, &value)) return value;
  }
  if (object.is(Kind::dict) && !is_changing_method(Kind::dict, name))
    if (const Value* found = object.as_dict().find(std::string_view(name))) return *found;
  return unknown_attribute(object, name);
}

static const Value* list_item(const List& list, int64_t index) {
  const int64_t size = static_cast<int64_t>(list.items.size());
  if (list.form > ListForm::range || index < -size || index >= size) return nullptr;
  return &list.items[static_cast<size_t>(index < 0 ? index + size : index)];
}

// object[key]: an item goes before a method of that name. What is not there is undefined.
Value Interpreter::item(const Value& object, const Value& key) {
  check_defined(object);
  charge(1);
  if (object.is(Kind::dict)) {
    const bool hashable = !key.is(Kind::dict) && !(key.is(Kind::list) && key.as_list().form == ListForm::list);
    if (hashable)
      if (const Value* found = object.as_dict().find(key)) return *found;
  } else if (object.is(Kind::list) && key.is_whole()) {
    if (const Value* found = list_item(object.as_list(), key.as_integer())) return *found;
  } else if (object.is(Kind::text) && key.is_whole()) {
    const std::string& text = object.as_text();
    charge(text.size() / 64);
    const int64_t size = static_cast<int64_t>(code_points(text)), index = key.as_integer();
    if (index >= -size && index < size) {
      const size_t begin = byte_of(text, static_cast<size_t>(index < 0 ? index + size : index));
      return make_text(text.substr(begin, byte_of(std::string_view(text).substr(begin), 1)), object.is_markup());
    }
  }
  if (!key.is(Kind::text)) return Value::undefined(object_name(object) + " has no element " + to_repr(key));
  if (const Method method = find_method(object, key.as_text()))
    return Value::object(std::make_shared<MethodValue>(object, method, key.as_text()));
  if (object.is(Kind::space) || object.is(Kind::object)) return attribute(object, key.as_text());
  return unknown_attribute(object, key.as_text());
}

Value Interpreter::item_path(const Value& object, const Value& path) {
  if (!path.is(Kind::text)) return path.is(Kind::none) ? object : item(object, path);
  Value value = object;
  const std::string& text = path.as_text();
  for (size_t begin = 0; begin <= text.size();) {
    const size_t dot = std::min(text.find('.', begin), text.size());
    const std::string part = text.substr(begin, dot - begin);
    const bool number = !part.empty() && part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
    value = item(value, number ? Value::integer(std::stoll(part)) : Value::text(part));
    begin = dot + 1;
  }
  return value;
}

Value Interpreter::eval_item(const Expr& expr) {
  const Value object = eval(*expr.parts[0]);
  if (expr.parts[1]->kind == ExprKind::slice) return eval_slice(object, *expr.parts[1]);
  const Value key = eval(*expr.parts[1]);
  line_ = expr.line;
  return item(object, key);
}

Value Interpreter::eval_slice(const Value& object, const Expr& expr) {
  Value bounds[3] = {Value::none(), Value::none(), Value::none()};
  for (size_t i = 0; i < 3; ++i)
    if (expr.parts[i]) bounds[i] = eval(*expr.parts[i]);
  line_ = expr.line;
  return slice(*this, object, bounds[0], bounds[1], bounds[2]);
}

// --- calls
// -------------------------------------------------------------------------------------------------------------

Arguments Interpreter::eval_arguments(const std::string& who, const CallArguments& given) {
  Arguments arguments{.who = who, .positional = eval_all(given.positional)};
  for (const auto& [name, expr] : given.named) {
    for (const auto& earlier : arguments.named)
      HEARTH_CHECK(earlier.first != name, value, who, "() got two values for the argument '", name, "'");
    arguments.named.emplace_back(name, eval(*expr));
  }
  if (given.spread)
    for (Value& value : items_of(eval(*given.spread))) arguments.positional.push_back(std::move(value));
  if (!given.spread_named) return arguments;
  const Value named = eval(*given.spread_named);
  HEARTH_CHECK(named.is(Kind::dict), value, "the argument after ** must be a mapping, not ", type_name(named));
  for (const auto& [name, value] : named.as_dict().items) {
    HEARTH_CHECK(name.is(Kind::text), value, "keywords must be strings");
    arguments.named.emplace_back(name.as_text(), value);
  }
  return arguments;
}

Value Interpreter::eval_call(const Expr& expr) {
  const Expr& callee = *expr.parts[0];
  if (callee.kind == ExprKind::attribute) {  // a method, called without making it a value
    const Value object = eval(*callee.parts[0]);
    line_ = callee.line;
    check_defined(object);
    if (const Method method = find_method(object, callee.text)) {
      const Arguments arguments = eval_arguments(callee.text, expr.arguments);
      line_ = expr.line;
      return method(*this, object, arguments);
    }
    const Value function = attribute(object, callee.text);
    const Arguments arguments = eval_arguments(callee.text, expr.arguments);
    line_ = expr.line;
    return call(function, arguments);
  }
  const Value function = eval(callee);
  const Arguments arguments = eval_arguments(callee.kind == ExprKind::name ? callee.text : "call", expr.arguments);
  line_ = expr.line;
  return call(function, arguments);
}

Value Interpreter::call(const Value& function, const Arguments& arguments) {
  const Deeper deeper(*this);
  charge(1);
  check_defined(function);
  HEARTH_CHECK(function.is(Kind::object) && function.as_object().callable(), value, "'", type_name(function),
               "' object is not callable");
  const std::shared_ptr<Object> kept = function.shared_object();  // the call may assign to the name it came from
  Arguments given = arguments;
  return kept->call(*this, given);
}

Value Interpreter::filter(const std::string& name, const Value& value, const Arguments& arguments) {
  const Filter found = find_filter(name);
  HEARTH_CHECK(found, unsupported, unknown_filter(name));
  charge(1);
  return found(*this, value, arguments);
}

bool Interpreter::test(const std::string& name, const Value& value, const Arguments& arguments) {
  const Test found = find_test(name);
  HEARTH_CHECK(found, unsupported, unknown_test(name));
  charge(1);
  return found(*this, value, arguments);
}

std::vector<Value> Interpreter::items_of(const Value& value) {
  std::vector<Value> items;
  switch (value.kind()) {
    case Kind::undefined: break;
    case Kind::list: {
      const List& list = value.as_list();
      items.assign(list.items.begin() + static_cast<std::ptrdiff_t>(list.taken), list.items.end());
      if (list.form == ListForm::generator) list.taken = list.items.size();
      break;
    }
    case Kind::dict:
      for (const auto& item : value.as_dict().items) items.push_back(item.first);
      break;
    case Kind::text: {
      const std::string& text = value.as_text();
      charge(text.size(), text.size() * (sizeof(Value) + 48));
      for (size_t at = 0; at < text.size();) {
        const size_t size = byte_of(std::string_view(text).substr(at), 1);
        items.push_back(Value::text(text.substr(at, size)));
        at += size;
      }
      break;
    }
    default: HEARTH_FAIL(value, "'", type_name(value), "' object is not iterable");
  }
  charge(items.size() / 4);
  return items;
}

}  // namespace hearth::jinja
