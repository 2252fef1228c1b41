// SPDX-License-Identifier: Apache-2.0
// Filters that make numbers.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {
namespace {

// The digits of a number as Python reads them: white space around and single underscores between them are dropped.
std::optional<std::string> number_text(const std::string& given) {
  const std::string_view text = strip(given, Side::both);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i - 1])) &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 1]));
    if (!between) return std::nullopt;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::optional<double> parse_real(const std::string& given) {
  const std::optional<std::string> text = number_text(given);
  if (!text) return std::nullopt;
  const char* begin = text->c_str() + ((*text)[0] == '+');
  if (begin[0] == '-' && begin != text->c_str()) return std::nullopt;
  double value = 0;
  const auto result = std::from_chars(begin, text->c_str() + text->size(), value);
  if (result.ptr != text->c_str() + text->size()) return std::nullopt;
  if (text->find('(') != text->npos) return std::nullopt;  // "nan(1)"
  if (result.ec == std::errc::result_out_of_range) return std::strtod(begin, nullptr);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<int64_t> parse_integer(const std::string& given, int64_t base) {
  const std::optional<std::string> text = number_text(given);
  if (!text) return std::nullopt;
  std::string digits = *text;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.erase(0, 1);
  const char mark = base == 16 ? 'x' : base == 8 ? 'o' : base == 2 ? 'b' : '\0';
  if (mark && digits.size() > 2 && digits[0] == '0' && (digits[1] | 32) == mark) digits.erase(0, 2);
  if (digits.empty() || digits[0] == '-') return std::nullopt;
  int64_t value = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, static_cast<int>(base));
  if (result.ptr != digits.data() + digits.size()) return std::nullopt;
  HEARTH_CHECK(result.ec == std::errc(), unsupported, "the integer ", digits, " is beyond 64 bits");
  return negative ? -value : value;
}

std::optional<int64_t> whole_part(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  HEARTH_CHECK(std::fabs(value) < 9.2e18, unsupported, "the integer of ", value, " is beyond 64 bits");
  return static_cast<int64_t>(value);
}

Value to_integer(Interpreter&, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"default", "base"});
  check_defined(value);
  const int64_t base = bound.integer_or(1, 10);
  HEARTH_CHECK(base >= 2 && base <= 36, value, "int: the base is ", base, "; it must be 2 to 36");
  std::optional<int64_t> found;
  if (value.is_whole()) found = value.as_integer();
  if (value.is(Kind::real)) found = whole_part(value.as_real());
  if (value.is(Kind::text)) {
    found = parse_integer(value.as_text(), base);
    const std::optional<double> real = found ? std::nullopt : parse_real(value.as_text());
    if (real) found = whole_part(*real);
  }
  if (found) return Value::integer(*found);
  return bound[0] ? *bound[0] : Value::integer(0);
}

Value to_float(Interpreter&, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"default"});
  check_defined(value);
  if (value.is_number()) return Value::real(value.as_real());
  const std::optional<double> found = value.is(Kind::text) ? parse_real(value.as_text()) : std::nullopt;
  if (found) return Value::real(*found);
  return bound[0] ? *bound[0] : Value::real(0);
}

Value absolute(Interpreter&, const Value& value, const Arguments&) {
  check_defined(value);
  HEARTH_CHECK(value.is_number(), value, "bad operand type for abs(): '", type_name(value), "'");
  if (value.is(Kind::real)) return Value::real(std::fabs(value.as_real()));
  return value.as_integer() < 0 ? negated(value) : Value::integer(value.as_integer());
}

// Half goes to the even neighbour, judged on the exact value, as Python's round does.
double round_common(double value, int64_t precision) {
  if (!std::isfinite(value) || precision > 300) return value;
  if (precision >= 0) {
    char buffer[700];
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), value);
    return std::strtod(buffer, nullptr);
  }
  if (precision < -308) return std::copysign(0.0, value);
  const double unit = std::pow(10.0, static_cast<double>(-precision));
  return std::nearbyint(value / unit) * unit;
}

int64_t round_whole(int64_t value, int64_t precision) {
  if (precision >= 0) return value;
  if (precision < -18) return 0;
  int64_t unit = 1;
  for (int64_t i = 0; i < -precision; ++i) unit *= 10;
  const int64_t rest = ((value % unit) + unit) % unit, below = value - rest;
  const bool up = rest > unit - rest || (rest == unit - rest && (below / unit) % 2 != 0);
  return up ? below + unit : below;
}

Value round(Interpreter&, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"precision", "method"});
  const int64_t precision = bound.integer_or(0, 0);
  const std::string method = bound[1] ? to_text(*bound[1]) : "common";
  HEARTH_CHECK(method == "common" || method == "ceil" || method == "floor", value,
               "method must be common, ceil or floor");
  check_defined(value);
  HEARTH_CHECK(value.is_number(), value, "type ", type_name(value), " doesn't define __round__ method");
  if (method == "common")
    return value.is(Kind::real) ? Value::real(round_common(value.as_real(), precision))
                                : Value::integer(round_whole(value.as_integer(), precision));
  const double unit = std::pow(10.0, static_cast<double>(precision)), scaled = value.as_real() * unit;
  return Value::real(((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) + 0.0) / unit);
}

Value sum(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"attribute", "start"});
  Value total = bound[1] ? *bound[1] : Value::integer(0);
  HEARTH_CHECK(!total.is(Kind::text), value, "sum() can't sum strings [use ''.join(seq) instead]");
  for (const Value& item : interpreter.items_of(value))
    total = binary(interpreter, "+", total, bound.has(0) ? interpreter.item_path(item, *bound[0]) : item);
  return total;
}

}  // namespace

std::vector<FilterRow> number_filters() {
  return {{"int", to_integer}, {"float", to_float}, {"abs", absolute}, {"round", round}, {"sum", sum}};
}

}  // namespace hearth::jinja
