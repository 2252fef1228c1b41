// SPDX-License-Identifier: Apache-2.0
// Filters of sequences and dicts.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {
namespace {

Value length(Interpreter&, const Value& value, const Arguments&) {
  switch (value.kind()) {
    case Kind::undefined: return Value::integer(0);
    case Kind::text: return Value::integer(static_cast<int64_t>(code_points(value.as_text())));
    case Kind::dict: return Value::integer(static_cast<int64_t>(value.as_dict().items.size()));
    case Kind::list:
      if (value.as_list().form != ListForm::generator)
        return Value::integer(static_cast<int64_t>(value.as_list().items.size()));
      break;
    default: break;
  }
  HEARTH_FAIL(value, "object of type '", type_name(value), "' has no len()");
}

Value list(Interpreter& interpreter, const Value& value, const Arguments&) {
  return interpreter.make_list(interpreter.items_of(value));
}

Value first(Interpreter& interpreter, const Value& value, const Arguments&) {
  if (value.is(Kind::list) && value.as_list().form == ListForm::generator) {
    const List& all = value.as_list();
    if (all.taken < all.items.size()) return all.items[all.taken++];
  } else {
    const std::vector<Value> items = interpreter.items_of(value);
    if (!items.empty()) return items.front();
  }
  return Value::undefined("No first item, sequence was empty.");
}

void check_reversible(const Value& value) {
  check_defined(value);
  const bool generator = value.is(Kind::list) && value.as_list().form == ListForm::generator;
  HEARTH_CHECK(!generator, value, "'generator' object is not reversible");
}

Value last(Interpreter& interpreter, const Value& value, const Arguments&) {
  if (!value.is(Kind::undefined)) check_reversible(value);
  const std::vector<Value> items = interpreter.items_of(value);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value reverse(Interpreter& interpreter, const Value& value, const Arguments&) {
  if (value.is(Kind::text)) return slice(interpreter, value, Value::none(), Value::none(), Value::integer(-1));
  const bool generator = value.is(Kind::list) && value.as_list().form == ListForm::generator;
  std::vector<Value> items = interpreter.items_of(value);
  std::reverse(items.begin(), items.end());
  return interpreter.make_list(std::move(items), generator ? ListForm::list : ListForm::generator);
}

Value items(Interpreter& interpreter, const Value& value, const Arguments&) {
  if (value.is(Kind::undefined)) return interpreter.make_list({}, ListForm::generator);
  HEARTH_CHECK(value.is(Kind::dict), value, "Can only get item pairs from a mapping.");
  std::vector<Value> pairs;
  for (const auto& [key, item] : value.as_dict().items) pairs.push_back(Value::tuple({key, item}));
  return interpreter.make_list(std::move(pairs), ListForm::generator);
}

// --- order
// -------------------------------------------------------------------------------------------------------------

Value ignore_case(Interpreter& interpreter, const Value& value) {
  return value.is(Kind::text) ? interpreter.make_text(to_lower(value.as_text())) : value;
}

// What the items are compared by: one value for each attribute in "a,b".
class SortKey {
 public:
  SortKey(Interpreter& interpreter, const Value* attribute, bool case_sensitive)
      : interpreter_(interpreter), case_sensitive_(case_sensitive) {
    if (!attribute || !attribute->is(Kind::text)) {
      paths_.push_back(attribute ? *attribute : Value::none());
      return;
    }
    const std::string& text = attribute->as_text();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t comma = std::min(text.find(',', begin), text.size());
      paths_.push_back(Value::text(text.substr(begin, comma - begin)));
      begin = comma + 1;
    }
  }
  Value operator()(const Value& item) const {
    std::vector<Value> keys;
    for (const Value& path : paths_) {
      const Value found = interpreter_.item_path(item, path);
      keys.push_back(case_sensitive_ ? found : ignore_case(interpreter_, found));
    }
    return Value::list(std::move(keys));  // always a list: equal keys are never put in order, so they may be anything
  }

 private:
  Interpreter& interpreter_;
  std::vector<Value> paths_;
  const bool case_sensitive_;
};

std::vector<Value> sorted(Interpreter& interpreter, const std::vector<Value>& values, const std::vector<Value>& keys,
                          bool reversed) {
  std::vector<size_t> places(values.size());
  for (size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::stable_sort(places.begin(), places.end(), [&](size_t a, size_t b) {
    return order(interpreter, keys[reversed ? b : a], keys[reversed ? a : b], "<") == -1;
  });
  std::vector<Value> out;
  for (const size_t place : places) out.push_back(values[place]);
  return out;
}

Value sort(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"reverse", "case_sensitive", "attribute"});
  const SortKey key(interpreter, bound[2], bound.flag(1));
  const std::vector<Value> values = interpreter.items_of(value);
  std::vector<Value> keys;
  for (const Value& item : values) keys.push_back(key(item));
  return interpreter.make_list(sorted(interpreter, values, keys, bound.flag(0)));
}

Value dictsort(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"case_sensitive", "by", "reverse"});
  const std::string by = bound[1] ? to_text(*bound[1]) : "key";
  HEARTH_CHECK(by == "key" || by == "value", value, "You can only sort by either \"key\" or \"value\"");
  check_defined(value);
  HEARTH_CHECK(value.is(Kind::dict), value, "'", type_name(value), "' object has no attribute 'items'");
  std::vector<Value> pairs, keys;
  for (const auto& [key, item] : value.as_dict().items) {
    const Value& chosen = by == "key" ? key : item;
    pairs.push_back(Value::tuple({key, item}));
    keys.push_back(bound.flag(0) ? chosen : ignore_case(interpreter, chosen));
  }
  return interpreter.make_list(sorted(interpreter, pairs, keys, bound.flag(2)));
}

template <int sign>
Value extreme(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"case_sensitive", "attribute"});
  const std::vector<Value> values = interpreter.items_of(value);
  if (values.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  const auto key = [&](const Value& item) {
    const Value found = bound[1] ? interpreter.item_path(item, *bound[1]) : item;
    return bound.flag(0) ? found : ignore_case(interpreter, found);
  };
  size_t best = 0;
  Value best_key = key(values[0]);
  for (size_t i = 1; i < values.size(); ++i) {
    Value next = key(values[i]);
    if (order(interpreter, next, best_key, sign < 0 ? "<" : ">") != sign) continue;
    best = i;
    best_key = std::move(next);
  }
  return values[best];
}

Value unique(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"case_sensitive", "attribute"});
  std::vector<Value> kept, seen;
  for (const Value& item : interpreter.items_of(value)) {
    const Value found = bound[1] ? interpreter.item_path(item, *bound[1]) : item;
    const Value key = bound.flag(0) ? found : ignore_case(interpreter, found);
    check_hashable(key);
    interpreter.charge(1 + seen.size());
    if (std::any_of(seen.begin(), seen.end(), [&](const Value& other) { return equal(other, key); })) continue;
    seen.push_back(key);
    kept.push_back(item);
  }
  return interpreter.make_list(std::move(kept), ListForm::generator);
}

// --- map, select, reject
// -----------------------------------------------------------------------------------------------

// These three take whatever is false, none too, for an empty list.
std::vector<Value> items_if_any(Interpreter& interpreter, const Value& value) {
  return truth(value) ? interpreter.items_of(value) : std::vector<Value>{};
}

// The arguments behind the first `count`, for the filter or test that they belong to.
Arguments behind(const Arguments& arguments, size_t count, const std::string& who) {
  Arguments rest{.who = who, .positional = {}, .named = arguments.named};
  rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(count), arguments.positional.end());
  return rest;
}

Value map(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const std::vector<Value> values = items_if_any(interpreter, value);
  std::vector<Value> out;
  if (arguments.positional.empty()) {
    if (values.empty()) return interpreter.make_list({}, ListForm::generator);
    const Bound bound(arguments, {"attribute", "default"});
    HEARTH_CHECK(bound[0], value, "map requires a filter argument");
    for (const Value& item : values) {
      const Value found = interpreter.item_path(item, *bound[0]);
      out.push_back(found.is(Kind::undefined) && bound.has(1) ? *bound[1] : found);
    }
  } else if (!values.empty()) {
    const std::string name = to_text(arguments.positional[0]);
    const Arguments rest = behind(arguments, 1, name);
    for (const Value& item : values) out.push_back(interpreter.filter(name, item, rest));
  }
  return interpreter.make_list(std::move(out), ListForm::generator);
}

template <bool by_attribute, bool wanted>
Value select(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const std::vector<Value>& given = arguments.positional;
  const std::vector<Value> values = items_if_any(interpreter, value);
  HEARTH_CHECK(!by_attribute || !given.empty() || values.empty(), value, "Missing parameter for attribute name");
  const size_t at = by_attribute ? 1 : 0;
  const bool tests = given.size() > at;
  const std::string name = tests ? to_text(given[at]) : "";
  const Arguments rest = tests ? behind(arguments, at + 1, name) : Arguments{.who = name};
  std::vector<Value> kept;
  for (const Value& item : values) {
    const Value looked_at = by_attribute ? interpreter.item_path(item, given[0]) : item;
    const bool holds = tests ? interpreter.test(name, looked_at, rest) : truth(looked_at);
    if (holds == wanted) kept.push_back(item);
  }
  return interpreter.make_list(std::move(kept), ListForm::generator);
}

Value batch(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"linecount", "fill_with"}, 1);
  const int64_t count = bound.integer(0);
  HEARTH_CHECK(count >= 1 && count <= 1 << 20, value, "batch: the number of items is ", count);
  std::vector<Value> lines, line;
  for (const Value& item : interpreter.items_of(value)) {
    if (static_cast<int64_t>(line.size()) == count) lines.push_back(interpreter.make_list(std::exchange(line, {})));
    line.push_back(item);
  }
  if (bound.has(1) && !line.empty()) line.resize(static_cast<size_t>(count), *bound[1]);
  if (!line.empty()) lines.push_back(interpreter.make_list(std::move(line)));
  return interpreter.make_list(std::move(lines), ListForm::generator);
}

Value slices(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"slices", "fill_with"}, 1);
  const int64_t count = bound.integer(0);
  HEARTH_CHECK(count >= 1 && count <= 1 << 20, value, "slice: the number of slices is ", count);
  const std::vector<Value> values = interpreter.items_of(value);
  const size_t parts = static_cast<size_t>(count), each = values.size() / parts, longer = values.size() % parts;
  std::vector<Value> out;
  for (size_t i = 0, at = 0; i < parts; ++i) {
    const size_t size = each + (i < longer);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(at);
    std::vector<Value> part(begin, begin + static_cast<std::ptrdiff_t>(size));
    if (bound.has(1) && i >= longer) part.push_back(*bound[1]);
    out.push_back(interpreter.make_list(std::move(part)));
    at += size;
  }
  return interpreter.make_list(std::move(out), ListForm::generator);
}

Value otherwise(Interpreter&, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"default_value", "boolean"});
  const bool replaced = value.is(Kind::undefined) || (bound.flag(1) && !truth(value));
  if (!replaced) return value;
  return bound[0] ? *bound[0] : Value::text("");
}

// Attributes only, no items.
Value attribute(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"name"}, 1);
  const Value found = interpreter.attribute(value, to_text(*bound[0]));
  const bool item = value.is(Kind::dict) && !find_dict_method(to_text(*bound[0]));
  return item ? Value::undefined("'dict object' has no attribute '" + to_text(*bound[0]) + "'") : found;
}

}  // namespace

std::vector<FilterRow> list_filters() {
  return {{"length", length},
          {"count", length},
          {"list", list},
          {"first", first},
          {"last", last},
          {"reverse", reverse},
          {"items", items},
          {"sort", sort},
          {"dictsort", dictsort},
          {"min", extreme<-1>},
          {"max", extreme<1>},
          {"unique", unique},
          {"map", map},
          {"select", select<false, true>},
          {"reject", select<false, false>},
          {"selectattr", select<true, true>},
          {"rejectattr", select<true, false>},
          {"batch", batch},
          {"slice", slices},
          {"default", otherwise},
          {"d", otherwise},
          {"attr", attribute}};
}

}  // namespace hearth::jinja
