// SPDX-License-Identifier: Apache-2.0
#pragma once
// What templates can call: filters, tests, methods of texts, dicts and lists, and the global functions. Each behaves as
// jinja2's or Python's of that name; transformers' tojson escapes nothing.

#include <initializer_list>
#include <string>
#include <vector>

#include "text/jinja/value.h"

namespace hearth::jinja {

struct Arguments {
  std::string who;  // what is called, for errors
  std::vector<Value> positional = {};
  std::vector<std::pair<std::string, Value>> named = {};
};

// Arguments under the names of the parameters. Error{value} for one too many or of an unknown name.
class Bound {
 public:
  Bound(const Arguments& arguments, std::initializer_list<const char*> names, size_t needed = 0);
  const Value* operator[](size_t i) const { return values_[i]; }  // null: not given
  bool has(size_t i) const { return values_[i] != nullptr && !values_[i]->is(Kind::none); }
  const std::string& text(size_t i) const;  // Error{value} unless a text
  int64_t integer(size_t i) const;
  int64_t integer_or(size_t i, int64_t otherwise) const { return has(i) ? integer(i) : otherwise; }
  bool flag(size_t i) const { return values_[i] != nullptr && truth(*values_[i]); }

 private:
  const std::string& who_;
  std::vector<const char*> names_;
  std::vector<const Value*> values_;
};

using Filter = Value (*)(Interpreter&, const Value&, const Arguments&);
using Test = bool (*)(Interpreter&, const Value&, const Arguments&);
using Method = Value (*)(Interpreter&, const Value&, const Arguments&);

struct FilterRow {
  const char* name;
  Filter filter;
};
struct MethodRow {
  const char* name;
  Method method;
};

Filter find_filter(const std::string& name);  // null if there is none
Test find_test(const std::string& name);
std::string unknown_filter(const std::string& name);  // the message about it
std::string unknown_test(const std::string& name);
std::vector<FilterRow> text_filters();    // filters_text.cc
std::vector<FilterRow> list_filters();    // filters_lists.cc
std::vector<FilterRow> number_filters();  // filters_numbers.cc

Method find_text_method(const std::string& name);
Method find_dict_method(const std::string& name);
Method find_list_method(const std::string& name);
bool is_changing_method(Kind kind, const std::string& name);  // append, update, ...: the sandbox hides them

std::vector<std::pair<std::string, Value>> global_functions();

// Python's "..." % arguments, and "...".format(arguments).
std::string format_percent(Interpreter& interpreter, const std::string& form, const Value& arguments);
std::string format_braces(Interpreter& interpreter, const std::string& form, const Arguments& arguments);

}  // namespace hearth::jinja
