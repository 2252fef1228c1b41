// SPDX-License-Identifier: Apache-2.0
#pragma once
// A value of a template, with the behaviour of its Python counterpart. Immutable, but for namespaces (which the
// interpreter owns) and the reading position of generators. Copies share what they hold.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/json.h"

namespace hearth::jinja {

enum class Kind : uint8_t { undefined, none, boolean, integer, real, text, list, dict, space, object };

class Interpreter;
class Object;
struct Arguments;
struct Dict;
struct List;
struct Namespace;

class Value {
 public:
  Value() : Value(undefined("value is undefined")) {}
  static Value undefined(std::string message);  // using it, other than by printing or testing it, is this error
  static Value none();
  static Value boolean(bool value);
  static Value integer(int64_t value);
  static Value real(double value);
  static Value text(std::string value);
  static Value markup(std::string value);  // markupsafe's Markup: what is joined to it by + gets escaped
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items);
  static Value sequence(List list);
  static Value dict(std::vector<std::pair<Value, Value>> items);  // of equal keys the last one counts
  static Value space(Namespace* space);
  static Value object(std::shared_ptr<Object> object);
  static Value from_json(const Json& json);  // Error{value} when nested too deep

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_number() const { return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::real; }
  bool is_whole() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }
  bool is_markup() const { return kind_ == Kind::text && flag_; }

  bool as_bool() const { return flag_; }  // boolean
  int64_t as_integer() const;             // boolean, integer
  double as_real() const;                 // any number
  const std::string& as_text() const;     // text; of undefined: its message
  const List& as_list() const;
  const Dict& as_dict() const;
  Namespace& as_space() const { return *space_; }
  Object& as_object() const;
  std::shared_ptr<Object> shared_object() const;

  int depth() const;  // of nested lists and dicts; a list of numbers has 1
  const void* identity() const;

 private:
  explicit Value(Kind kind) : kind_(kind) {}
  Kind kind_;
  bool flag_ = false;  // boolean's value; whether a text is markup
  union {
    int64_t integer_ = 0;
    double real_;
    Namespace* space_;
  };
  std::shared_ptr<const void> data_;
};

// Python's kinds of sequence.
enum class ListForm : uint8_t { list, tuple, range, keys, values, items, generator };

struct List {
  ListForm form = ListForm::list;
  std::vector<Value> items = {};
  int depth = 1;             // set by Value
  mutable size_t taken = 0;  // a generator gives each item once
};

struct Dict {
  std::vector<std::pair<Value, Value>> items;
  std::unordered_map<std::string_view, size_t> index;  // of text keys, in large dicts only
  int depth = 1;

  const Value* find(const Value& key) const;  // null if absent
  const Value* find(std::string_view key) const;
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> items;
  const Value* find(std::string_view name) const;
  void set(const std::string& name, Value value);
};

// Functions, macros, methods, the loop variable.
class Object {
 public:
  virtual ~Object() = default;
  virtual std::string type_name() const = 0;
  virtual bool callable() const { return true; }
  virtual Value call(Interpreter& interpreter, Arguments& arguments) = 0;
  virtual bool attribute(const std::string& name, Value* value);  // false: it has none of that name
};

inline constexpr int kMaxValueDepth = 100;  // lists in lists in lists

bool truth(const Value& value);
bool equal(const Value& a, const Value& b);
// "NoneType", "str", "list": what Python's type(x).__name__ says.
std::string type_name(const Value& value);

std::string to_text(const Value& value);  // str()
std::string to_repr(const Value& value);  // repr()
std::string text_of_real(double value);   // "1.0", "1e-07", "inf"
std::string repr_of_text(std::string_view text);

// json.dumps
struct JsonForm {
  bool ascii = false, sort_keys = false;
  bool has_indent = false;
  std::string indent = {};  // of one level
  std::string item_separator = ", ", key_separator = ": ";
};
std::string to_json(const Value& value, const JsonForm& form);

std::string escape_html(std::string_view text);  // & < > " '

}  // namespace hearth::jinja
