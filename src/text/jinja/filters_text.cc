// SPDX-License-Identifier: Apache-2.0
// Filters that make texts.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/text_lines.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {
namespace {

// soft_str: markup stays what it is.
Value soft_text(Interpreter& interpreter, const Value& value) {
  return value.is(Kind::text) ? value : interpreter.make_text(to_text(value));
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound none(arguments, {});
  return interpreter.make_text(change(to_text(value)), value.is_markup());
}

// Unlike str.title: a word begins behind white space, a hyphen or an opening bracket only.
std::string title_of_words(std::string_view text) {
  std::string out;
  bool begins = true;
  for (size_t at = 0; at < text.size();) {
    const auto is_break = [&](size_t i) {
      const size_t size = byte_of(text.substr(i), 1);
      return strip(text.substr(i, size), Side::left).empty() ||
             std::string_view("-({[<").find(text[i]) != std::string_view::npos;
    };
    size_t end = at;
    begins = is_break(at);
    while (end < text.size() && is_break(end) == begins) end += byte_of(text.substr(end), 1);
    const std::string_view part = text.substr(at, end - at);
    const size_t first = byte_of(part, 1);
    out += to_upper(part.substr(0, first)) + to_lower(part.substr(first));
    at = end;
  }
  return out;
}

Value trim(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"chars"});
  const std::string text = to_text(value);
  const std::string_view characters = bound.has(0) ? std::string_view(bound.text(0)) : std::string_view();
  return interpreter.make_text(std::string(strip(text, Side::both, bound.has(0) ? &characters : nullptr)),
                               value.is_markup());
}

Value replace(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"old", "new", "count"}, 2);
  return interpreter.make_text(
      replaced(interpreter, to_text(value), to_text(*bound[0]), to_text(*bound[1]), bound.integer_or(2, -1)));
}

Value center(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"width"});
  return interpreter.make_text(padded(interpreter, to_text(value), bound.integer_or(0, 80), " ", '^'),
                               value.is_markup());
}

Value indent(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"width", "first", "blank"});
  HEARTH_CHECK(value.is(Kind::text), value, "indent: the value must be str, not ", type_name(value));
  const bool given = bound[0] && bound[0]->is(Kind::text);
  const int64_t width = given ? 0 : bound.integer_or(0, 4);
  HEARTH_CHECK(width < 1 << 20, value, "indent: the width is ", width);
  const std::string space = given ? bound.text(0) : std::string(static_cast<size_t>(std::max<int64_t>(0, width)), ' ');
  std::string text;
  bool first = true;
  const std::string ended = value.as_text() + "\n";
  for (const std::string_view line : lines_of(ended, false)) {
    if (!first) text += '\n';
    if (first ? bound.flag(1) : !line.empty() || bound.flag(2)) text += space;
    interpreter.charge(1, space.size());
    text += line;
    first = false;
  }
  return interpreter.make_text(std::move(text), value.is_markup());
}

Value truncate(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"length", "killwords", "end", "leeway"});
  const bool is_list = value.is(Kind::list) && value.as_list().form <= ListForm::range;
  const bool is_short = value.is(Kind::undefined) || is_list || value.is(Kind::dict);  // Python's len() is all it asks
  HEARTH_CHECK(value.is(Kind::text) || is_short, value, "truncate: the value must be str, not ", type_name(value));
  if (is_short) return value;
  const std::string end = bound.has(2) ? bound.text(2) : "...";
  const int64_t length = bound.integer_or(0, 255), leeway = bound.integer_or(3, 5);
  const int64_t room = length - static_cast<int64_t>(code_points(end));
  HEARTH_CHECK(room >= 0, value, "expected length >= ", code_points(end), ", got ", length);
  HEARTH_CHECK(leeway >= 0, value, "expected leeway >= 0, got ", leeway);
  const std::string& text = value.as_text();
  if (static_cast<int64_t>(code_points(text)) <= length + leeway) return value;
  std::string kept = text.substr(0, byte_of(text, static_cast<size_t>(room)));
  if (!bound.flag(1)) kept = kept.substr(0, kept.rfind(' '));
  return interpreter.make_text(kept + end);
}

Value word_count(Interpreter&, const Value& value, const Arguments&) {
  int64_t words = 0;
  bool inside = false;
  for (const uint32_t c : to_code_points(to_text(value))) {
    const bool word = c == '_' || is_alnum(c);
    words += word && !inside;
    inside = word;
  }
  return Value::integer(words);
}

Value escape(Interpreter& interpreter, const Value& value, const Arguments&) {
  if (value.is_markup()) return value;
  return interpreter.make_text(escape_html(to_text(value)), true);
}
Value force_escape(Interpreter& interpreter, const Value& value, const Arguments&) {
  return interpreter.make_text(escape_html(to_text(value)), true);
}
Value safe(Interpreter& interpreter, const Value& value, const Arguments&) {
  return interpreter.make_text(to_text(value), true);
}
Value string(Interpreter& interpreter, const Value& value, const Arguments&) { return soft_text(interpreter, value); }

Value join(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"d", "attribute"});
  const std::string between = bound[0] ? to_text(*bound[0]) : "";
  std::string text;
  bool first = true;
  for (const Value& item : interpreter.items_of(value)) {
    if (!first) text += between;
    first = false;
    const size_t before = text.size();
    text += to_text(bound.has(1) ? interpreter.item_path(item, *bound[1]) : item);
    interpreter.charge(1, text.size() - before + between.size());
  }
  return interpreter.make_text(std::move(text));
}

Value format(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  HEARTH_CHECK(arguments.positional.empty() || arguments.named.empty(), value,
               "can't handle positional and keyword arguments at the same time");
  std::vector<std::pair<Value, Value>> named;
  for (const auto& [name, argument] : arguments.named) named.emplace_back(Value::text(name), argument);
  const Value all = named.empty() ? Value::tuple(arguments.positional) : Value::dict(std::move(named));
  return interpreter.make_text(format_percent(interpreter, to_text(value), all), value.is_markup());
}

Value tojson(Interpreter& interpreter, const Value& value, const Arguments& arguments) {
  const Bound bound(arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonForm form{.ascii = bound.flag(0), .sort_keys = bound.flag(3), .has_indent = bound.has(1)};
  if (form.has_indent) {
    const bool given = bound[1]->is(Kind::text);
    const int64_t width = given ? 0 : bound.integer(1);
    HEARTH_CHECK(width <= 64, value, "tojson: the indent is ", width, "; at most 64 are allowed");
    form.indent = given ? bound.text(1) : std::string(static_cast<size_t>(std::max<int64_t>(0, width)), ' ');
    form.item_separator = ",";
  }
  if (bound.has(2)) {
    const std::vector<Value> two = interpreter.items_of(*bound[2]);
    HEARTH_CHECK(two.size() == 2 && two[0].is(Kind::text) && two[1].is(Kind::text), value,
                 "tojson: 'separators' must be two texts");
    form.item_separator = two[0].as_text();
    form.key_separator = two[1].as_text();
  }
  return interpreter.make_text(to_json(value, form));
}

}  // namespace

std::vector<FilterRow> text_filters() {
  return {{"upper", changed<to_upper>},
          {"lower", changed<to_lower>},
          {"capitalize", changed<to_capitalized>},
          {"title", changed<title_of_words>},
          {"trim", trim},
          {"replace", replace},
          {"center", center},
          {"indent", indent},
          {"truncate", truncate},
          {"wordcount", word_count},
          {"escape", escape},
          {"e", escape},
          {"forceescape", force_escape},
          {"safe", safe},
          {"string", string},
          {"join", join},
          {"format", format},
          {"tojson", tojson}};
}

}  // namespace hearth::jinja
