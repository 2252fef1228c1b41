// SPDX-License-Identifier: Apache-2.0
#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace hearth::jinja {

static constexpr size_t kIndexedDict = 16;  // entries from which on looking up by hash is quicker

Value Value::undefined(std::string message) {
  Value v(Kind::undefined);
  v.data_ = std::make_shared<const std::string>(std::move(message));
  return v;
}
Value Value::none() { return Value(Kind::none); }
Value Value::boolean(bool value) {
  Value v(Kind::boolean);
  v.flag_ = value;
  return v;
}
Value Value::integer(int64_t value) {
  Value v(Kind::integer);
  v.integer_ = value;
  return v;
}
Value Value::real(double value) {
  Value v(Kind::real);
  v.real_ = value;
  return v;
}
Value Value::text(std::string value) {
  Value v(Kind::text);
  v.data_ = std::make_shared<const std::string>(std::move(value));
  return v;
}
Value Value::markup(std::string value) {
  Value v = text(std::move(value));
  v.flag_ = true;
  return v;
}
Value Value::list(std::vector<Value> items) { return sequence({.items = std::move(items)}); }
Value Value::tuple(std::vector<Value> items) { return sequence({.form = ListForm::tuple, .items = std::move(items)}); }

static void check_depth(int depth) {
  HEARTH_CHECK(depth <= kMaxValueDepth, value, "lists and dicts are nested more than ", kMaxValueDepth, " deep");
}

Value Value::sequence(List list) {
  list.depth = 1;
  for (const Value& item : list.items) list.depth = std::max(list.depth, item.depth() + 1);
  check_depth(list.depth);
  Value v(Kind::list);
  v.data_ = std::make_shared<const List>(std::move(list));
  return v;
}

Value Value::dict(std::vector<std::pair<Value, Value>> items) {
  auto dict = std::make_shared<Dict>();
  dict->items.reserve(items.size());
  const bool indexed = items.size() > kIndexedDict;
  for (auto& [key, value] : items) {
    dict->depth = std::max(dict->depth, std::max(key.depth(), value.depth()) + 1);
    if (Value* old = const_cast<Value*>(dict->find(key))) {  // our own, not shared yet
      *old = std::move(value);
      continue;
    }
    if (indexed && key.is(Kind::text)) dict->index.emplace(key.as_text(), dict->items.size());
    dict->items.emplace_back(std::move(key), std::move(value));
  }
  check_depth(dict->depth);
  Value v(Kind::dict);
  v.data_ = std::move(dict);
  return v;
}

Value Value::space(Namespace* space) {
  Value v(Kind::space);
  v.space_ = space;
  return v;
}

Value Value::object(std::shared_ptr<Object> object) {
  Value v(Kind::object);
  v.data_ = std::move(object);
  return v;
}

static Value from_json_at(const Json& json, int depth) {
  check_depth(depth);
  switch (json.type()) {
    case Json::value_t::boolean: return Value::boolean(json.get<bool>());
    case Json::value_t::number_integer: return Value::integer(json.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const uint64_t value = json.get<uint64_t>();
      HEARTH_CHECK(value <= uint64_t{INT64_MAX}, unsupported, "the integer ", value, " is larger than ", INT64_MAX);
      return Value::integer(static_cast<int64_t>(value));
    }
    case Json::value_t::number_float: return Value::real(json.get<double>());
    case Json::value_t::string: return Value::text(json.get_ref<const std::string&>());
    case Json::value_t::array: {
      std::vector<Value> items;
      items.reserve(json.size());
      for (const Json& item : json) items.push_back(from_json_at(item, depth + 1));
      return Value::list(std::move(items));
    }
    case Json::value_t::object: {
      std::vector<std::pair<Value, Value>> items;
      items.reserve(json.size());
      for (const auto& item : json.items())
        items.emplace_back(Value::text(item.key()), from_json_at(item.value(), depth + 1));
      return Value::dict(std::move(items));
    }
    default: return Value::none();
  }
}
Value Value::from_json(const Json& json) { return from_json_at(json, 0); }

int64_t Value::as_integer() const { return kind_ == Kind::boolean ? int64_t{flag_} : integer_; }
double Value::as_real() const { return kind_ == Kind::real ? real_ : static_cast<double>(as_integer()); }
const std::string& Value::as_text() const { return *static_cast<const std::string*>(data_.get()); }
const List& Value::as_list() const { return *static_cast<const List*>(data_.get()); }
const Dict& Value::as_dict() const { return *static_cast<const Dict*>(data_.get()); }
std::shared_ptr<Object> Value::shared_object() const {
  return std::static_pointer_cast<Object>(std::const_pointer_cast<void>(data_));
}
Object& Value::as_object() const { return *static_cast<Object*>(const_cast<void*>(data_.get())); }

int Value::depth() const {
  if (kind_ == Kind::list) return as_list().depth;
  return kind_ == Kind::dict ? as_dict().depth : 0;
}

const void* Value::identity() const { return kind_ == Kind::space ? space_ : data_.get(); }

const Value* Dict::find(std::string_view key) const {
  if (!index.empty()) {
    const auto found = index.find(key);
    return found == index.end() ? nullptr : &items[found->second].second;
  }
  for (const auto& [name, value] : items)
    if (name.is(Kind::text) && name.as_text() == key) return &value;
  return nullptr;
}

const Value* Dict::find(const Value& key) const {
  if (key.is(Kind::text)) return find(std::string_view(key.as_text()));
  for (const auto& [name, value] : items)
    if (equal(name, key)) return &value;
  return nullptr;
}

const Value* Namespace::find(std::string_view name) const {
  for (const auto& [key, value] : items)
    if (key == name) return &value;
  return nullptr;
}

void Namespace::set(const std::string& name, Value value) {
  for (auto& [key, old] : items) {
    if (key != name) continue;
    old = std::move(value);
    return;
  }
  items.emplace_back(name, std::move(value));
}

bool Object::attribute(const std::string&, Value*) { return false; }

bool truth(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined:
    case Kind::none: return false;
    case Kind::boolean: return value.as_bool();
    case Kind::integer: return value.as_integer() != 0;
    case Kind::real: return value.as_real() != 0;
    case Kind::text: return !value.as_text().empty();
    case Kind::list: return value.as_list().form == ListForm::generator || !value.as_list().items.empty();
    case Kind::dict: return !value.as_dict().items.empty();
    case Kind::space:
    case Kind::object: return true;
  }
  return false;
}

static bool equal_lists(const List& a, const List& b) {
  if (a.form != b.form || a.items.size() != b.items.size()) return false;
  if (a.form == ListForm::generator || a.form == ListForm::values) return &a == &b;  // compared by identity
  return std::equal(a.items.begin(), a.items.end(), b.items.begin(), equal);
}

static bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.items.size() != b.items.size()) return false;
  return std::all_of(a.items.begin(), a.items.end(), [&](const auto& item) {
    const Value* other = b.find(item.first);
    return other != nullptr && equal(item.second, *other);
  });
}

bool equal(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_whole() && b.is_whole()) return a.as_integer() == b.as_integer();
    return a.as_real() == b.as_real();
  }
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::undefined:
    case Kind::none: return true;
    case Kind::text: return a.as_text() == b.as_text();
    case Kind::list: return equal_lists(a.as_list(), b.as_list());
    case Kind::dict: return equal_dicts(a.as_dict(), b.as_dict());
    default: return a.identity() == b.identity();
  }
}

std::string type_name(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return "Undefined";
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::text: return value.is_markup() ? "Markup" : "str";
    case Kind::dict: return "dict";
    case Kind::space: return "Namespace";
    case Kind::object: return value.as_object().type_name();
    case Kind::list: break;
  }
  switch (value.as_list().form) {
    case ListForm::list: return "list";
    case ListForm::tuple: return "tuple";
    case ListForm::range: return "range";
    case ListForm::keys: return "dict_keys";
    case ListForm::values: return "dict_values";
    case ListForm::items: return "dict_items";
    case ListForm::generator: return "generator";
  }
  return "object";
}

}  // namespace hearth::jinja
