// SPDX-License-Identifier: Apache-2.0
// Values as text: Python's str, repr and json.dumps.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/jinja/unicode.h"
#include "text/jinja/value.h"
#include "text/utf8.h"

namespace hearth::jinja {

static void append_hex(std::string& out, uint32_t value, int digits) {
  static const char* kDigits = "0123456789abcdef";
  for (int i = digits - 1; i >= 0; --i) out += kDigits[value >> (4 * i) & 15];
}

// The shortest digits that read back as the same number; an exponent below 1e-4 and from 1e16 on.
std::string text_of_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string scientific(buffer, end);
  const size_t e = scientific.find('e');
  const int exponent = std::stoi(scientific.substr(e + 1));
  if (exponent < -4 || exponent >= 16) return scientific;  // "1e-07" and "1.5e+16": two digits, as in Python
  const auto fixed_end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string fixed(buffer, fixed_end);
  if (fixed.find('.') == std::string::npos) fixed += ".0";
  return fixed;
}

std::string repr_of_text(std::string_view text) {
  const bool double_quotes = text.find('\'') != text.npos && text.find('"') == text.npos;
  const uint32_t quote = double_quotes ? '"' : '\'';
  std::string out(1, static_cast<char>(quote));
  for (const uint32_t c : to_code_points(text)) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (is_printable(c)) {
      tokenizers::append_utf8(out, c);
    } else {
      out += c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U";
      append_hex(out, c, c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
    }
  }
  out += static_cast<char>(quote);
  return out;
}

namespace {

// Writes reprs. A namespace may hold itself, hence the depth.
class ReprWriter {
 public:
  void write(const Value& value) {
    switch (value.kind()) {
      case Kind::undefined: out += "Undefined"; return;
      case Kind::none: out += "None"; return;
      case Kind::boolean: out += value.as_bool() ? "True" : "False"; return;
      case Kind::integer: out += std::to_string(value.as_integer()); return;
      case Kind::real: out += text_of_real(value.as_real()); return;
      case Kind::text: write_text(value); return;
      case Kind::list: write_list(value.as_list()); return;
      case Kind::dict: write_items(value.as_dict().items, [](const Value& key) { return to_repr(key); }); return;
      case Kind::space: write_space(value.as_space()); return;
      case Kind::object: out += "<" + value.as_object().type_name() + ">"; return;
    }
  }
  std::string out;

 private:
  void write_text(const Value& value) {
    const std::string repr = repr_of_text(value.as_text());
    out += value.is_markup() ? "Markup(" + repr + ")" : repr;
  }

  void write_list(const List& list) {
    static const char* kOpen[] = {"[", "(", "range(", "dict_keys([", "dict_values([", "dict_items([", ""};
    static const char* kClose[] = {"]", ")", ")", "])", "])", "])", ""};
    const size_t form = static_cast<size_t>(list.form);
    if (list.form == ListForm::generator) {
      out += "<generator object>";
      return;
    }
    out += kOpen[form];
    if (list.form == ListForm::range) {
      write_range(list.items);
    } else {
      for (size_t i = 0; i < list.items.size(); ++i) {
        if (i > 0) out += ", ";
        write(list.items[i]);
      }
      if (list.form == ListForm::tuple && list.items.size() == 1) out += ",";
    }
    out += kClose[form];
  }

  // A range knows its numbers only: begin, end and, if it is not 1, the step.
  void write_range(const std::vector<Value>& items) {
    const int64_t first = items.empty() ? 0 : items[0].as_integer();
    const int64_t step = items.size() < 2 ? 1 : items[1].as_integer() - first;
    out += std::to_string(first) + ", " + std::to_string(first + step * static_cast<int64_t>(items.size()));
    if (step != 1) out += ", " + std::to_string(step);
  }

  template <class Items, class KeyText>
  void write_items(const Items& items, const KeyText& key_text) {
    out += "{";
    bool first = true;
    for (const auto& [key, value] : items) {
      if (!first) out += ", ";
      first = false;
      out += key_text(key) + ": ";
      write(value);
    }
    out += "}";
  }

  void write_space(const Namespace& space) {
    HEARTH_CHECK(++spaces_ <= kMaxValueDepth && out.size() < kMaxReprBytes, value,
                 "a namespace that holds namespaces is too large to be written");
    out += "<Namespace ";
    write_items(space.items, [](const std::string& key) { return repr_of_text(key); });
    out += ">";
    --spaces_;
  }

  static constexpr size_t kMaxReprBytes = 1 << 20;
  int spaces_ = 0;
};

class JsonWriter {
 public:
  explicit JsonWriter(const JsonForm& form) : form_(form) {}

  void write(const Value& value, int level) {
    switch (value.kind()) {
      case Kind::none: out += "null"; return;
      case Kind::boolean: out += value.as_bool() ? "true" : "false"; return;
      case Kind::integer: out += std::to_string(value.as_integer()); return;
      case Kind::real: write_real(value.as_real()); return;
      case Kind::text: write_text(value.as_text()); return;
      case Kind::list:
        if (value.as_list().form <= ListForm::tuple) return write_list(value.as_list().items, level);
        break;
      case Kind::dict: return write_dict(value.as_dict(), level);
      default: break;
    }
    HEARTH_FAIL(value, "Object of type ", type_name(value), " is not JSON serializable");
  }
  std::string out;

 private:
  void write_real(double value) {
    out += std::isnan(value) ? "NaN" : std::isinf(value) ? (value > 0 ? "Infinity" : "-Infinity") : text_of_real(value);
  }

  void write_text(std::string_view text) {
    out += '"';
    for (const uint32_t c : to_code_points(text)) write_character(c);
    out += '"';
  }

  void write_character(uint32_t c) {
    static constexpr std::string_view kPlain = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
    const size_t special = c < 0x80 ? kPlain.find(static_cast<char>(c)) : kPlain.npos;
    if (special != kPlain.npos) {
      out += '\\';
      out += kLetters[special];
    } else if (c < 0x20 || (form_.ascii && c >= 0x7F && c < 0x10000)) {
      if (c == 0x7F) return static_cast<void>(out += static_cast<char>(c));
      out += "\\u";
      append_hex(out, c, 4);
    } else if (form_.ascii && c >= 0x10000) {
      out += "\\u";
      append_hex(out, 0xD800 + ((c - 0x10000) >> 10), 4);
      out += "\\u";
      append_hex(out, 0xDC00 + ((c - 0x10000) & 0x3FF), 4);
    } else {
      tokenizers::append_utf8(out, c);
    }
  }

  void new_line(int level) {
    if (!form_.has_indent) return;
    out += '\n';
    for (int i = 0; i < level; ++i) out += form_.indent;
  }

  void write_list(const std::vector<Value>& items, int level) {
    out += '[';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += form_.item_separator;
      new_line(level + 1);
      write(items[i], level + 1);
    }
    if (!items.empty()) new_line(level);
    out += ']';
  }

  static std::string key_text(const Value& key) {
    if (key.is(Kind::text)) return key.as_text();
    if (key.is(Kind::boolean)) return key.as_bool() ? "true" : "false";
    if (key.is(Kind::none)) return "null";
    HEARTH_CHECK(key.is_number(), value, "keys must be str, int, float, bool or None, not ", type_name(key));
    return to_repr(key);
  }

  void write_dict(const Dict& dict, int level) {
    std::vector<const std::pair<Value, Value>*> items;
    for (const auto& item : dict.items) items.push_back(&item);
    if (form_.sort_keys)
      std::stable_sort(items.begin(), items.end(),
                       [](const auto* a, const auto* b) { return key_text(a->first) < key_text(b->first); });
    out += '{';
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += form_.item_separator;
      new_line(level + 1);
      write_text(key_text(items[i]->first));
      out += form_.key_separator;
      write(items[i]->second, level + 1);
    }
    if (!items.empty()) new_line(level);
    out += '}';
  }

  const JsonForm& form_;
};

}  // namespace

std::string to_repr(const Value& value) {
  ReprWriter writer;
  writer.write(value);
  return std::move(writer.out);
}

std::string to_text(const Value& value) {
  if (value.is(Kind::text)) return value.as_text();
  return value.is(Kind::undefined) ? "" : to_repr(value);
}

std::string to_json(const Value& value, const JsonForm& form) {
  JsonWriter writer(form);
  writer.write(value, 0);
  return std::move(writer.out);
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace hearth::jinja
