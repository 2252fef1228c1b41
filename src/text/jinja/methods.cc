// SPDX-License-Identifier: Apache-2.0
// Methods of Python's str, dict, list and tuple.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/text_lines.h"
#include "text/jinja/unicode.h"
#include "text/utf8.h"

namespace hearth::jinja {

std::vector<std::string_view> lines_of(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  const auto is_end = [](uint32_t c) {
    return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
  };
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const tokenizers::CodePoint c = tokenizers::decode_valid(text, at);
    size_t end = at + c.size_bytes;
    if (is_end(c.value)) {
      if (c.value == '\r' && end < text.size() && text[end] == '\n') ++end;
      lines.push_back(text.substr(begin, (keep_ends ? end : at) - begin));
      begin = end;
    }
    at = end;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string replaced(Interpreter& interpreter, std::string_view text, std::string_view old, std::string_view with,
                     int64_t count) {
  std::string out;
  interpreter.charge(1 + text.size() / 64);
  size_t at = 0;
  for (; count != 0; --count) {
    const size_t found = old.empty() ? (at > text.size() ? text.npos : at) : text.find(old, at);
    if (found == text.npos) break;
    interpreter.charge(1, with.size());
    out += text.substr(at, found - at);
    out += with;
    at = found + old.size();
    if (!old.empty()) continue;
    const size_t size = at < text.size() ? byte_of(text.substr(at), 1) : 1;  // 1: past the end, it is the last one
    if (at < text.size() || count < 0 || count > 1) out += text.substr(std::min(at, text.size()), size);
    at += size;
  }
  if (at < text.size()) out += text.substr(at);
  return out;
}

std::string padded(Interpreter& interpreter, std::string_view text, int64_t width, std::string_view fill, char side) {
  const int64_t missing = width - static_cast<int64_t>(code_points(text));
  if (missing <= 0) return std::string(text);
  interpreter.charge(1 + static_cast<size_t>(missing) / 16, static_cast<size_t>(missing) * fill.size());
  const int64_t left = side == '<' ? 0 : side == '>' ? missing : missing / 2 + (missing & width & 1);
  std::string out;
  for (int64_t i = 0; i < left; ++i) out += fill;
  out += text;
  for (int64_t i = left; i < missing; ++i) out += fill;
  return out;
}

namespace {

using Methods = std::unordered_map<std::string, Method>;

// A method's result: markup when the text it was called on is.
Value same(Interpreter& interpreter, const Value& self, std::string text) {
  return interpreter.make_text(std::move(text), self.is_markup());
}

template <std::string (*change)(std::string_view)>
Value changed(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound none(arguments, {});
  return same(interpreter, self, change(self.as_text()));
}

template <Side side>
Value stripped(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"chars"});
  const std::string_view characters = bound.has(0) ? std::string_view(bound.text(0)) : std::string_view();
  interpreter.charge(self.as_text().size() / 64);
  return same(interpreter, self, std::string(strip(self.as_text(), side, bound.has(0) ? &characters : nullptr)));
}

Value replace(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"old", "new", "count"}, 2);
  const std::string with = self.is_markup() && !bound[1]->is_markup() ? escape_html(bound.text(1)) : bound.text(1);
  return same(interpreter, self, replaced(interpreter, self.as_text(), bound.text(0), with, bound.integer_or(2, -1)));
}

// --- split
// -------------------------------------------------------------------------------------------------------------

std::vector<std::string_view> split_at_space(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  for (text = strip(text, Side::left); !text.empty(); text = strip(text, Side::left)) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(strip(text, Side::right));
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      const tokenizers::CodePoint c = tokenizers::decode_valid(text, end);
      if (is_space(c.value)) break;
      end += c.size_bytes;
    }
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

std::vector<std::string_view> rsplit_at_space(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  for (text = strip(text, Side::right); !text.empty(); text = strip(text, Side::right)) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(strip(text, Side::left));
      break;
    }
    size_t begin = text.size();
    while (begin > 0) {
      const size_t size = tokenizers::last_code_point_size(text.substr(0, begin));
      if (is_space(tokenizers::decode_valid(text, begin - size).value)) break;
      begin -= size;
    }
    parts.push_back(text.substr(begin));
    text = text.substr(0, begin);
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, int64_t most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t found = text.find(separator);
    if (found == text.npos) break;
    parts.push_back(text.substr(0, found));
    text.remove_prefix(found + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator, int64_t most) {
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const size_t found = text.rfind(separator);
    if (found == text.npos) break;
    parts.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  parts.push_back(text);
  std::reverse(parts.begin(), parts.end());
  return parts;
}

Value list_of(Interpreter& interpreter, const Value& self, const std::vector<std::string_view>& parts,
              ListForm form = ListForm::list) {
  std::vector<Value> values;
  for (const std::string_view part : parts) values.push_back(same(interpreter, self, std::string(part)));
  return interpreter.make_list(std::move(values), form);
}

template <bool right>
Value split(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"sep", "maxsplit"});
  const int64_t most = bound.integer_or(1, -1);
  const std::string& text = self.as_text();
  interpreter.charge(1 + text.size() / 64);
  if (!bound.has(0))
    return list_of(interpreter, self, right ? rsplit_at_space(text, most) : split_at_space(text, most));
  const std::string& separator = bound.text(0);
  HEARTH_CHECK(!separator.empty(), value, "empty separator");
  return list_of(interpreter, self, right ? rsplit_at(text, separator, most) : split_at(text, separator, most));
}

Value split_lines(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"keepends"});
  return list_of(interpreter, self, lines_of(self.as_text(), bound.flag(0)));
}

template <bool right>
Value partition(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"sep"}, 1);
  const std::string_view text = self.as_text(), separator = bound.text(0);
  HEARTH_CHECK(!separator.empty(), value, "empty separator");
  const size_t found = right ? text.rfind(separator) : text.find(separator);
  if (found == text.npos && right) return list_of(interpreter, self, {"", "", text}, ListForm::tuple);
  if (found == text.npos) return list_of(interpreter, self, {text, "", ""}, ListForm::tuple);
  return list_of(interpreter, self, {text.substr(0, found), separator, text.substr(found + separator.size())},
                 ListForm::tuple);
}

// --- search
// ------------------------------------------------------------------------------------------------------------

// The part of a text that optional arguments "start" and "end" name, in characters.
struct Part {
  std::string_view text;
  size_t first = 0;   // its first character's number
  bool valid = true;  // false: start lies behind the end
};

Part part_of(const std::string& text, const Bound& bound, size_t start, size_t end) {
  if (!bound.has(start) && !bound.has(end)) return {text};
  const int64_t size = static_cast<int64_t>(code_points(text));
  const auto place = [&](size_t i, int64_t otherwise) {
    const int64_t at = bound.integer_or(i, otherwise);
    return std::max<int64_t>(0, at < 0 ? at + size : at);
  };
  const int64_t from = place(start, 0), to = std::min(size, place(end, size));
  if (from > size || from > to) return {"", 0, false};
  const size_t begin = byte_of(text, static_cast<size_t>(from));
  const size_t bytes = byte_of(std::string_view(text).substr(begin), static_cast<size_t>(to - from));
  return {std::string_view(text).substr(begin, bytes), static_cast<size_t>(from)};
}

template <bool right, bool must>
Value find(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"sub", "start", "end"}, 1);
  const Part part = part_of(self.as_text(), bound, 1, 2);
  interpreter.charge(1 + self.as_text().size() / 64);
  const size_t found = !part.valid ? std::string::npos
                       : right     ? part.text.rfind(bound.text(0))
                                   : part.text.find(bound.text(0));
  HEARTH_CHECK(!must || found != std::string::npos, value, "substring not found");
  if (found == std::string::npos) return Value::integer(-1);
  return Value::integer(static_cast<int64_t>(part.first + code_points(part.text.substr(0, found))));
}

Value count(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"sub", "start", "end"}, 1);
  const Part part = part_of(self.as_text(), bound, 1, 2);
  const std::string& wanted = bound.text(0);
  interpreter.charge(1 + self.as_text().size() / 64);
  if (!part.valid) return Value::integer(0);
  if (wanted.empty()) return Value::integer(static_cast<int64_t>(code_points(part.text)) + 1);
  int64_t times = 0;
  for (size_t at = part.text.find(wanted); at != std::string::npos; at = part.text.find(wanted, at + wanted.size()))
    ++times;
  return Value::integer(times);
}

template <bool at_end>
Value has_affix(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"prefix", "start", "end"}, 1);
  const Part part = part_of(self.as_text(), bound, 1, 2);
  const bool many = bound[0]->is(Kind::list) && bound[0]->as_list().form == ListForm::tuple;
  const std::vector<Value> wanted = many ? bound[0]->as_list().items : std::vector<Value>{*bound[0]};
  interpreter.charge(wanted.size());
  for (const Value& affix : wanted) {
    HEARTH_CHECK(affix.is(Kind::text), value, at_end ? "endswith" : "startswith",
                 " first arg must be str or a tuple of str, not ", type_name(affix));
    if (!part.valid) continue;
    if (at_end ? part.text.ends_with(affix.as_text()) : part.text.starts_with(affix.as_text()))
      return Value::boolean(true);
  }
  return Value::boolean(false);
}

template <bool at_end>
Value remove_affix(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"prefix"}, 1);
  std::string_view text = self.as_text();
  const std::string& affix = bound.text(0);
  if (at_end ? text.ends_with(affix) : text.starts_with(affix))
    text = at_end ? text.substr(0, text.size() - affix.size()) : text.substr(affix.size());
  return same(interpreter, self, std::string(text));
}

// --- others
// ------------------------------------------------------------------------------------------------------------

Value join(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"iterable"}, 1);
  check_defined(bound[0]->is(Kind::undefined) ? Value::text("") : *bound[0]);
  const std::vector<Value> items = interpreter.items_of(*bound[0]);
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    HEARTH_CHECK(items[i].is(Kind::text) || self.is_markup(), value, "sequence item ", i, ": expected str instance, ",
                 type_name(items[i]), " found");
    if (i > 0) text += self.as_text();
    const std::string item = to_text(items[i]);
    text += self.is_markup() && !items[i].is_markup() ? escape_html(item) : item;
    interpreter.charge(1, item.size() + self.as_text().size());
  }
  return same(interpreter, self, std::move(text));
}

template <char side>
Value pad(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"width", "fillchar"}, 1);
  const std::string fill = bound[1] ? bound.text(1) : " ";
  HEARTH_CHECK(code_points(fill) == 1, value, "The fill character must be exactly one character long");
  return same(interpreter, self, padded(interpreter, self.as_text(), bound.integer(0), fill, side));
}

Value zero_fill(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"width"}, 1);
  const std::string& text = self.as_text();
  const bool sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const std::string digits =
      padded(interpreter, std::string_view(text).substr(sign), bound.integer(0) - sign, "0", '>');
  return same(interpreter, self, text.substr(0, sign) + digits);
}

template <bool (*test)(uint32_t), bool empty_is>
Value all_are(Interpreter& interpreter, const Value& self, const Arguments&) {
  interpreter.charge(self.as_text().size() / 16);
  const std::vector<uint32_t> points = to_code_points(self.as_text());
  return Value::boolean(points.empty() ? empty_is : std::all_of(points.begin(), points.end(), test));
}

bool is_ascii_character(uint32_t c) { return c < 0x80; }

template <bool upper>
Value is_case(Interpreter& interpreter, const Value& self, const Arguments&) {
  return Value::boolean(interpreter.test(upper ? "upper" : "lower", self, Arguments{.who = "islower"}));
}

// Upper case letters follow only uncased characters, lower case ones only cased.
Value is_titled(Interpreter&, const Value& self, const Arguments&) {
  bool cased = false, found = false;
  for (const uint32_t c : to_code_points(self.as_text())) {
    const bool upper = is_upper(c) || is_title(c), lower = is_lower(c);
    if ((upper && cased) || (lower && !cased)) return Value::boolean(false);
    cased = upper || lower;
    found |= cased;
  }
  return Value::boolean(found);
}

Value format(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  return same(interpreter, self, format_braces(interpreter, self.as_text(), arguments));
}

const Methods& text_methods() {
  static const Methods methods = {{"upper", changed<to_upper>},
                                  {"lower", changed<to_lower>},
                                  {"title", changed<to_title>},
                                  {"capitalize", changed<to_capitalized>},
                                  {"swapcase", changed<swap_case>},
                                  {"strip", stripped<Side::both>},
                                  {"lstrip", stripped<Side::left>},
                                  {"rstrip", stripped<Side::right>},
                                  {"replace", replace},
                                  {"split", split<false>},
                                  {"rsplit", split<true>},
                                  {"splitlines", split_lines},
                                  {"partition", partition<false>},
                                  {"rpartition", partition<true>},
                                  {"find", find<false, false>},
                                  {"rfind", find<true, false>},
                                  {"index", find<false, true>},
                                  {"rindex", find<true, true>},
                                  {"count", count},
                                  {"startswith", has_affix<false>},
                                  {"endswith", has_affix<true>},
                                  {"removeprefix", remove_affix<false>},
                                  {"removesuffix", remove_affix<true>},
                                  {"join", join},
                                  {"center", pad<'^'>},
                                  {"ljust", pad<'<'>},
                                  {"rjust", pad<'>'>},
                                  {"zfill", zero_fill},
                                  {"format", format},
                                  {"isalpha", all_are<is_alpha, false>},
                                  {"isalnum", all_are<is_alnum, false>},
                                  {"isdigit", all_are<is_digit, false>},
                                  {"isdecimal", all_are<is_decimal, false>},
                                  {"isnumeric", all_are<is_numeric, false>},
                                  {"isspace", all_are<is_space, false>},
                                  {"isascii", all_are<is_ascii_character, true>},
                                  {"isprintable", all_are<is_printable, true>},
                                  {"isupper", is_case<true>},
                                  {"islower", is_case<false>},
                                  {"istitle", is_titled}};
  return methods;
}

// --- dicts and lists
// ---------------------------------------------------------------------------------------------------

template <ListForm form>
Value dict_view(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound none(arguments, {});
  std::vector<Value> values;
  for (const auto& [key, value] : self.as_dict().items)
    values.push_back(form == ListForm::items ? Value::tuple({key, value}) : form == ListForm::keys ? key : value);
  return interpreter.make_list(std::move(values), form);
}

Value dict_get(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"key", "default"}, 1);
  check_hashable(*bound[0]);
  const Value* found = self.as_dict().find(*bound[0]);
  return found ? *found : bound[1] ? *bound[1] : Value::none();
}

Value copy(Interpreter&, const Value& self, const Arguments&) { return self; }

Value list_count(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"value"}, 1);
  const std::vector<Value>& items = self.as_list().items;
  interpreter.charge(items.size());
  return Value::integer(std::count_if(items.begin(), items.end(), [&](const Value& v) { return equal(v, *bound[0]); }));
}

Value list_index(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound(arguments, {"value"}, 1);
  const std::vector<Value>& items = self.as_list().items;
  interpreter.charge(items.size());
  const auto found = std::find_if(items.begin(), items.end(), [&](const Value& v) { return equal(v, *bound[0]); });
  HEARTH_CHECK(found != items.end(), value, to_repr(*bound[0]), " is not in list");
  return Value::integer(found - items.begin());
}

Method method_of(const Methods& methods, const std::string& name) {
  const auto found = methods.find(name);
  return found == methods.end() ? nullptr : found->second;
}

}  // namespace

Method find_text_method(const std::string& name) { return method_of(text_methods(), name); }

Method find_dict_method(const std::string& name) {
  static const Methods methods = {{"items", dict_view<ListForm::items>},
                                  {"keys", dict_view<ListForm::keys>},
                                  {"values", dict_view<ListForm::values>},
                                  {"get", dict_get},
                                  {"copy", copy}};
  return method_of(methods, name);
}

Method find_list_method(const std::string& name) {
  static const Methods methods = {{"count", list_count}, {"index", list_index}, {"copy", copy}};
  return method_of(methods, name);
}

bool is_changing_method(Kind kind, const std::string& name) {
  static const std::vector<std::string> kDict = {"clear", "pop", "popitem", "setdefault", "update"};
  static const std::vector<std::string> kList = {"append", "clear", "pop",    "reverse",
                                                 "insert", "sort",  "extend", "remove"};
  const auto in = [&](const std::vector<std::string>& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return (kind == Kind::dict && in(kDict)) || (kind == Kind::list && in(kList));
}

}  // namespace hearth::jinja
