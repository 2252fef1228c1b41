// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {

void check_defined(const Value& value) { HEARTH_CHECK(!value.is(Kind::undefined), value, value.as_text()); }

void check_hashable(const Value& value) {
  if (value.is(Kind::dict)) HEARTH_FAIL(value, "unhashable type: 'dict'");
  if (!value.is(Kind::list)) return;
  HEARTH_CHECK(value.as_list().form != ListForm::list, value, "unhashable type: 'list'");
  for (const Value& item : value.as_list().items) check_hashable(item);
}

namespace {

[[noreturn]] void refuse_types(const std::string& op, const Value& a, const Value& b) {
  HEARTH_FAIL(value, "unsupported operand type(s) for ", op == "**" ? "** or pow()" : op, ": '", type_name(a),
              "' and '", type_name(b), "'");
}

[[noreturn]] void refuse_large(const std::string& op) {
  HEARTH_FAIL(unsupported, "the result of ", op, " is an integer beyond 64 bits");
}

Value add(Interpreter& interpreter, const Value& a, const Value& b) {
  if (a.is(Kind::text)) {
    HEARTH_CHECK(b.is(Kind::text), value, "can only concatenate str (not \"", type_name(b), "\") to str");
    if (!a.is_markup() && !b.is_markup()) return interpreter.make_text(a.as_text() + b.as_text());
    const auto escaped = [](const Value& v) { return v.is_markup() ? v.as_text() : escape_html(v.as_text()); };
    return interpreter.make_text(escaped(a) + escaped(b), true);
  }
  if (!a.is(Kind::list) || a.as_list().form > ListForm::tuple) refuse_types("+", a, b);
  const List& list = a.as_list();
  HEARTH_CHECK(b.is(Kind::list) && b.as_list().form == list.form, value, "can only concatenate ", type_name(a),
               " (not \"", type_name(b), "\") to ", type_name(a));
  interpreter.charge(1 + b.as_list().items.size());
  std::vector<Value> items = list.items;
  items.insert(items.end(), b.as_list().items.begin(), b.as_list().items.end());
  return interpreter.make_list(std::move(items), list.form);
}

Value repeat(Interpreter& interpreter, const Value& what, int64_t times) {
  const size_t count = static_cast<size_t>(std::max<int64_t>(0, times));
  const size_t size = what.is(Kind::text) ? what.as_text().size() : what.as_list().items.size();
  size_t total = 0;
  HEARTH_CHECK(!__builtin_mul_overflow(size, count, &total) && total < (size_t{1} << 40), value,
               "a repeated text or list is too large");
  interpreter.charge(1 + total / 64, total);
  if (what.is(Kind::text)) {
    std::string text;
    text.reserve(total);
    if (size > 0)
      for (size_t i = 0; i < count; ++i) text += what.as_text();
    return interpreter.make_text(std::move(text), what.is_markup());
  }
  interpreter.charge(total, total * sizeof(Value));
  std::vector<Value> items;
  if (size > 0)
    for (size_t i = 0; i < count; ++i)
      items.insert(items.end(), what.as_list().items.begin(), what.as_list().items.end());
  return interpreter.make_list(std::move(items), what.as_list().form);
}

bool repeats(const Value& value) {
  return value.is(Kind::text) || (value.is(Kind::list) && value.as_list().form <= ListForm::tuple);
}

int64_t floor_divide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

int64_t whole_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if (exponent & 1)
      if (__builtin_mul_overflow(result, base, &result)) refuse_large("**");
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) refuse_large("**");
  }
  return result;
}

Value whole_binary(const std::string& op, int64_t a, int64_t b) {
  int64_t result = 0;
  bool large = false;
  if (op == "+") {
    large = __builtin_add_overflow(a, b, &result);
  } else if (op == "-") {
    large = __builtin_sub_overflow(a, b, &result);
  } else if (op == "*") {
    large = __builtin_mul_overflow(a, b, &result);
  } else if (op == "**") {
    if (b >= 0) return Value::integer(whole_power(a, b));
    HEARTH_CHECK(a != 0, value, "0.0 cannot be raised to a negative power");
    return Value::real(std::pow(static_cast<double>(a), static_cast<double>(b)));
  } else {
    HEARTH_CHECK(b != 0, value, op == "/" ? "division by zero" : "integer division or modulo by zero");
    if (op == "/") return Value::real(static_cast<double>(a) / static_cast<double>(b));
    large = a == INT64_MIN && b == -1;
    if (large) refuse_large(op);
    result = op == "//" ? floor_divide(a, b) : a - floor_divide(a, b) * b;
  }
  if (large) refuse_large(op);
  return Value::integer(result);
}

double python_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double python_floor_divide(double a, double b) {
  const double quotient = (a - python_modulo(a, b)) / b;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floored = std::floor(quotient);
  return quotient - floored > 0.5 ? floored + 1 : floored;
}

Value real_binary(const std::string& op, double a, double b) {
  if (op == "+") return Value::real(a + b);
  if (op == "-") return Value::real(a - b);
  if (op == "*") return Value::real(a * b);
  if (op == "**") {
    HEARTH_CHECK(a != 0 || b >= 0, value, "0.0 cannot be raised to a negative power");
    HEARTH_CHECK(a >= 0 || b == std::floor(b), unsupported, "a negative number to a broken power is complex");
    const double power = std::pow(a, b);
    HEARTH_CHECK(std::isfinite(power) || !std::isfinite(a) || !std::isfinite(b), value,
                 "Numerical result out of range");
    return Value::real(power);
  }
  HEARTH_CHECK(b != 0, value,
               op == "/"   ? "float division by zero"
               : op == "%" ? "float modulo"
                           : "float floor division by zero");
  if (op == "/") return Value::real(a / b);
  return Value::real(op == "//" ? python_floor_divide(a, b) : python_modulo(a, b));
}

}  // namespace

Value binary(Interpreter& interpreter, const std::string& op, const Value& a, const Value& b) {
  check_defined(a);
  if (op == "%" && a.is(Kind::text))
    return interpreter.make_text(format_percent(interpreter, a.as_text(), b), a.is_markup());
  check_defined(b);
  if (a.is_number() && b.is_number()) {
    if (a.is_whole() && b.is_whole()) return whole_binary(op, a.as_integer(), b.as_integer());
    return real_binary(op, a.as_real(), b.as_real());
  }
  if (op == "*" && repeats(a) && b.is_whole()) return repeat(interpreter, a, b.as_integer());
  if (op == "*" && repeats(b) && a.is_whole()) return repeat(interpreter, b, a.as_integer());
  if (op == "*" && (repeats(a) || repeats(b)))
    HEARTH_FAIL(value, "can't multiply sequence by non-int of type '", type_name(repeats(a) ? b : a), "'");
  if (op == "+") return add(interpreter, a, b);
  refuse_types(op, a, b);
}

Value negated(const Value& value) {
  check_defined(value);
  HEARTH_CHECK(value.is_number(), value, "bad operand type for unary -: '", type_name(value), "'");
  if (value.is(Kind::real)) return Value::real(-value.as_real());
  if (value.as_integer() == INT64_MIN) refuse_large("-");
  return Value::integer(-value.as_integer());
}

Value plus(const Value& value) {
  check_defined(value);
  HEARTH_CHECK(value.is_number(), value, "bad operand type for unary +: '", type_name(value), "'");
  return value.is(Kind::real) ? value : Value::integer(value.as_integer());
}

int order(Interpreter& interpreter, const Value& a, const Value& b, const char* op) {
  interpreter.charge(1);
  const auto sign = [](auto x, auto y) { return x < y ? -1 : y < x ? 1 : x == y ? 0 : 2; };
  if (a.is_number() && b.is_number())
    return a.is_whole() && b.is_whole() ? sign(a.as_integer(), b.as_integer()) : sign(a.as_real(), b.as_real());
  if (a.is(Kind::text) && b.is(Kind::text))
    return sign(a.as_text().compare(b.as_text()), 0);  // UTF-8 sorts as its characters do
  if (a.is(Kind::list) && b.is(Kind::list) && a.as_list().form == b.as_list().form &&
      a.as_list().form <= ListForm::tuple) {
    const std::vector<Value>&x = a.as_list().items, &y = b.as_list().items;
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (!equal(x[i], y[i])) return order(interpreter, x[i], y[i], op);
    return sign(x.size(), y.size());
  }
  check_defined(a);
  check_defined(b);
  HEARTH_FAIL(value, "'", op, "' not supported between instances of '", type_name(a), "' and '", type_name(b), "'");
}

bool contains(Interpreter& interpreter, const Value& whole, const Value& part) {
  switch (whole.kind()) {
    case Kind::text:
      HEARTH_CHECK(part.is(Kind::text), value, "'in <string>' requires string as left operand, not ", type_name(part));
      interpreter.charge(1 + whole.as_text().size() / 64);
      return whole.as_text().find(part.as_text()) != std::string::npos;
    case Kind::dict: check_hashable(part); return whole.as_dict().find(part) != nullptr;
    case Kind::undefined: return false;
    case Kind::list: {
      const std::vector<Value> items = interpreter.items_of(whole);
      return std::any_of(items.begin(), items.end(), [&](const Value& item) {
        return equal(item, part) || (item.identity() != nullptr && item.identity() == part.identity());
      });
    }
    default: HEARTH_FAIL(value, "argument of type '", type_name(whole), "' is not iterable");
  }
}

bool compare(Interpreter& interpreter, const std::string& op, const Value& a, const Value& b) {
  if (op == "==" || op == "!=") {
    interpreter.charge(1 + (a.is(Kind::text) ? a.as_text().size() / 256 : static_cast<size_t>(a.depth())));
    return equal(a, b) == (op == "==");
  }
  if (op == "in") return contains(interpreter, b, a);
  if (op == "not in") return !contains(interpreter, b, a);
  const int found = order(interpreter, a, b, op.c_str());
  if (found == 2) return false;
  if (op == "<") return found < 0;
  if (op == "<=") return found <= 0;
  return op == ">" ? found > 0 : found >= 0;
}

// --- slices
// ------------------------------------------------------------------------------------------------------------

namespace {
struct SlicePlan {
  int64_t begin, step, count;
};

// As Python's slice.indices().
SlicePlan plan_slice(int64_t size, const Value& begin, const Value& end, const Value& step) {
  const auto bound = [&](const Value& value, int64_t otherwise, int64_t low, int64_t high) {
    if (value.is(Kind::none)) return otherwise;
    check_defined(value);
    HEARTH_CHECK(value.is_whole(), value, "slice indices must be integers or None or have an __index__ method");
    const int64_t at = value.as_integer();
    return std::max(low, std::min(at < 0 ? at + size : at, high));
  };
  if (!step.is(Kind::none)) bound(step, 0, 0, 0);  // checks its type
  const int64_t by = step.is(Kind::none) ? 1 : step.as_integer();
  HEARTH_CHECK(by != 0, value, "slice step cannot be zero");
  const int64_t low = by < 0 ? -1 : 0, high = by < 0 ? size - 1 : size;
  const int64_t first = bound(begin, by < 0 ? high : low, low, high), last = bound(end, by < 0 ? low : high, low, high);
  const int64_t distance = by > 0 ? last - first : first - last;
  const uint64_t stride = by > 0 ? static_cast<uint64_t>(by) : uint64_t{0} - static_cast<uint64_t>(by);
  const int64_t count = distance <= 0 ? 0 : static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride) + 1;
  return {first, by, count};
}
}  // namespace

Value slice(Interpreter& interpreter, const Value& object, const Value& begin, const Value& end, const Value& step) {
  check_defined(object);
  if (object.is(Kind::text)) {
    const std::string& text = object.as_text();
    interpreter.charge(1 + text.size() / 16);
    const std::vector<uint32_t> points = to_code_points(text);
    const SlicePlan plan = plan_slice(static_cast<int64_t>(points.size()), begin, end, step);
    std::vector<uint32_t> chosen;
    for (int64_t i = 0; i < plan.count; ++i) chosen.push_back(points[static_cast<size_t>(plan.begin + i * plan.step)]);
    return interpreter.make_text(to_utf8(chosen), object.is_markup());
  }
  HEARTH_CHECK(
      object.is(Kind::list) && object.as_list().form <= ListForm::range, value,
      object.is(Kind::dict) ? "unhashable type: 'slice'" : "'" + type_name(object) + "' object is not subscriptable");
  const List& list = object.as_list();
  const SlicePlan plan = plan_slice(static_cast<int64_t>(list.items.size()), begin, end, step);
  std::vector<Value> items;
  for (int64_t i = 0; i < plan.count; ++i) items.push_back(list.items[static_cast<size_t>(plan.begin + i * plan.step)]);
  return interpreter.make_list(std::move(items), list.form);
}

}  // namespace hearth::jinja
