// SPDX-License-Identifier: Apache-2.0
// The tables of filters and tests, and the tests.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "io/nearest.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {
namespace {

using Tests = std::unordered_map<std::string, Test>;

template <Kind kind>
bool is_kind(Interpreter&, const Value& value, const Arguments&) {
  return value.is(kind);
}

template <bool wanted>
bool is_truth(Interpreter&, const Value& value, const Arguments&) {
  return value.is(Kind::boolean) && value.as_bool() == wanted;
}

template <int64_t rest>
bool has_rest(Interpreter& interpreter, const Value& value, const Arguments&) {
  return equal(binary(interpreter, "%", value, Value::integer(2)), Value::integer(rest));
}

bool is_divisible_by(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  return equal(binary(interpreter, "%", value, *Bound(arguments, {"num"}, 1)[0]), Value::integer(0));
}

bool is_iterable(Interpreter&, const Value& value, const Arguments&) {
  return value.is(Kind::undefined) || value.is(Kind::text) || value.is(Kind::list) || value.is(Kind::dict);
}

// What has a length and can be indexed.
bool is_sequence(Interpreter&, const Value& value, const Arguments&) {
  if (value.is(Kind::list)) return value.as_list().form <= ListForm::range;
  return value.is(Kind::undefined) || value.is(Kind::text) || value.is(Kind::dict);
}

bool is_same(Interpreter&, const Value& value, const Arguments& arguments) {
  const Value& other = *Bound(arguments, {"other"}, 1)[0];
  if (value.kind() != other.kind()) return false;
  const bool simple = value.is_number() || value.is(Kind::none) || value.is(Kind::text);
  return simple ? equal(value, other) : value.identity() == other.identity();
}

template <bool upper>
bool is_in_case(Interpreter&, const Value& value, const Arguments&) {
  bool cased = false;
  for (const uint32_t c : to_code_points(to_text(value))) {
    if (upper ? is_lower(c) || is_title(c) : is_upper(c) || is_title(c)) return false;
    cased |= upper ? is_upper(c) : is_lower(c);
  }
  return cased;
}

const char* operator_of(const std::string& test) {
  static const std::unordered_map<std::string, const char*> kOperators = {
      {"==", "=="},      {"eq", "=="}, {"equalto", "=="}, {"!=", "!="},         {"ne", "!="}, {">", ">"},
      {"gt", ">"},       {">=", ">="}, {"ge", ">="},      {"greaterthan", ">"}, {"<", "<"},   {"lt", "<"},
      {"lessthan", "<"}, {"<=", "<="}, {"le", "<="},      {"in", "in"}};
  const auto found = kOperators.find(test);
  return found == kOperators.end() ? nullptr : found->second;
}

bool compares(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  return compare(interpreter, operator_of(arguments.who), value, *Bound(arguments, {"other"}, 1)[0]);
}

bool names_filter(Interpreter&, const Value& value, const Arguments&) {
  check_hashable(value);
  return value.is(Kind::text) && find_filter(value.as_text()) != nullptr;
}
bool names_test(Interpreter&, const Value& value, const Arguments&) {
  check_hashable(value);
  return value.is(Kind::text) && find_test(value.as_text()) != nullptr;
}

Tests make_tests() {
  Tests tests = {
      {"defined", [](Interpreter&, const Value& v, const Arguments&) { return !v.is(Kind::undefined); }},
      {"undefined", is_kind<Kind::undefined>},
      {"none", is_kind<Kind::none>},
      {"boolean", is_kind<Kind::boolean>},
      {"integer", is_kind<Kind::integer>},
      {"float", is_kind<Kind::real>},
      {"string", is_kind<Kind::text>},
      {"mapping", is_kind<Kind::dict>},
      {"number", [](Interpreter&, const Value& v, const Arguments&) { return v.is_number(); }},
      {"escaped", [](Interpreter&, const Value& v, const Arguments&) { return v.is_markup(); }},
      {"callable",  // an undefined value can be called, though that is an error
       [](Interpreter&, const Value& v, const Arguments&) {
         return v.is(Kind::undefined) || (v.is(Kind::object) && v.as_object().callable());
       }},
      {"true", is_truth<true>},
      {"false", is_truth<false>},
      {"odd", has_rest<1>},
      {"even", has_rest<0>},
      {"divisibleby", is_divisible_by},
      {"iterable", is_iterable},
      {"sequence", is_sequence},
      {"sameas", is_same},
      {"lower", is_in_case<false>},
      {"upper", is_in_case<true>},
      {"filter", names_filter},
      {"test", names_test},
  };
  for (const char* name : {"==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", ">=", "ge", "<", "lt",
                           "lessthan", "<=", "le", "in"})
    tests.emplace(name, compares);
  return tests;
}

const Tests& all_tests() {
  static const Tests tests = make_tests();
  return tests;
}

const std::unordered_map<std::string, Filter>& all_filters() {
  static const auto filters = [] {
    std::unordered_map<std::string, Filter> all;
    for (const auto& rows : {text_filters(), list_filters(), number_filters()})
      for (const FilterRow& row : rows) all.emplace(row.name, row.filter);
    return all;
  }();
  return filters;
}

template <class Table>
std::string unknown(const char* what, const std::string& name, const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.push_back(row.first);
  std::sort(names.begin(), names.end());
  return cat("there is no ", what, " '", printable(name), "'; nearest: '", nearest_name(name, names), "'");
}

}  // namespace

Filter find_filter(const std::string& name) {
  const auto found = all_filters().find(name);
  return found == all_filters().end() ? nullptr : found->second;
}
Test find_test(const std::string& name) {
  const auto found = all_tests().find(name);
  return found == all_tests().end() ? nullptr : found->second;
}
std::string unknown_filter(const std::string& name) { return unknown("filter", name, all_filters()); }
std::string unknown_test(const std::string& name) { return unknown("test", name, all_tests()); }

}  // namespace hearth::jinja
