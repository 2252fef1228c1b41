// SPDX-License-Identifier: Apache-2.0
// Python's two ways to format: "%5.2f" % x and "{:>5}".format(x).
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/text_lines.h"
#include "text/jinja/unicode.h"

namespace hearth::jinja {
namespace {

constexpr int64_t kMaxWidth = 1 << 20, kMaxPrecision = 400;

// How one value is to be written.
struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =, 0: by the kind of value
  char sign = '-';
  bool alternate = false, commas = false;
  int64_t width = 0, precision = -1;
  char type = 0;
};

std::string whole_digits(uint64_t value, int base, bool upper) {
  const char* digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    out += digits[value % static_cast<uint64_t>(base)];
    value /= static_cast<uint64_t>(base);
  } while (value > 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string print_real(double value, char type, int64_t precision, bool alternate) {
  char form[] = {'%', '#', '.', '*', type, '\0'};
  if (!alternate) std::copy(form + 2, form + 6, form + 1);
  std::string out(512, '\0');  // 309 digits in front of the point at most
  out.resize(out.size() + static_cast<size_t>(precision));
  out.resize(static_cast<size_t>(std::snprintf(out.data(), out.size(), form, static_cast<int>(precision), value)));
  return out;
}

// Digits of |value| without sign, as the spec's type says.
std::string real_digits(double value, const Spec& spec) {
  const double size = std::fabs(value);
  const bool upper = spec.type == 'F' || spec.type == 'E' || spec.type == 'G';
  if (!std::isfinite(size)) return std::isnan(size) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");
  if (spec.type == '%') return print_real(size * 100, 'f', spec.precision < 0 ? 6 : spec.precision, false) + "%";
  if (spec.type == 0) {
    if (spec.precision < 0) return text_of_real(size);
    std::string out = print_real(size, 'g', std::max<int64_t>(1, spec.precision), false);
    if (out.find_first_of(".e") == out.npos) {  // like 'g', but always with a digit behind the point
      if (static_cast<int64_t>(out.size()) >= spec.precision)
        return print_real(size, 'e', std::max<int64_t>(0, spec.precision - 1), false);
      out += ".0";
    }
    return out;
  }
  return print_real(size, spec.type, spec.precision < 0 ? 6 : spec.precision, spec.alternate);
}

std::string with_commas(const std::string& digits) {
  const size_t whole = std::min(digits.find_first_of(".eE%"), digits.size());
  std::string out;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out + digits.substr(whole);
}

std::string with_sign(bool negative, char sign) { return negative ? "-" : sign == '-' ? "" : std::string(1, sign); }

std::string aligned(Interpreter& interpreter, const std::string& prefix, const std::string& body, const Spec& spec,
                    char natural) {
  const char align = spec.align ? spec.align : natural;
  if (align != '=') {
    Spec plain = spec;
    const int64_t missing = spec.width - static_cast<int64_t>(code_points(prefix + body));
    if (missing <= 0) return prefix + body;
    const std::string text = prefix + body;
    if (align == '^') {  // unlike str.center, the smaller half stands on the left
      const std::string left = padded(interpreter, "", missing / 2, spec.fill, '<');
      return left + text + padded(interpreter, "", missing - missing / 2, spec.fill, '<');
    }
    return padded(interpreter, text, spec.width, spec.fill, align);
  }
  const int64_t room = spec.width - static_cast<int64_t>(code_points(prefix));
  return prefix + padded(interpreter, body, room, spec.fill, '>');
}

std::string format_real(Interpreter& interpreter, double value, const Spec& spec) {
  const std::string digits = real_digits(value, spec);
  const std::string prefix = with_sign(std::signbit(value) && !std::isnan(value), spec.sign);
  return aligned(interpreter, prefix, spec.commas ? with_commas(digits) : digits, spec, '>');
}

std::string format_whole(Interpreter& interpreter, int64_t value, const Spec& spec) {
  const uint64_t size = value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  const int base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  std::string prefix = with_sign(value < 0, spec.sign);
  if (spec.alternate && base != 10) prefix += std::string("0") + spec.type;
  std::string digits = whole_digits(size, base, spec.type == 'X');
  if (spec.precision > 0) digits = padded(interpreter, digits, spec.precision, "0", '>');
  return aligned(interpreter, prefix, spec.commas ? with_commas(digits) : digits, spec, '>');
}

bool is_real_type(char type) { return type != 0 && std::string_view("eEfFgG%").find(type) != std::string_view::npos; }

void check_sizes(const Spec& spec) {
  HEARTH_CHECK(spec.width <= kMaxWidth && spec.precision <= kMaxPrecision, value, "format: a width of ", spec.width,
               " or a precision of ", spec.precision, " is too large");
}

// A number in a format, at most 9 digits.
int64_t read_number(std::string_view form, size_t& at) {
  int64_t value = 0;
  for (; at < form.size() && form[at] >= '0' && form[at] <= '9'; ++at)
    value = std::min<int64_t>(value * 10 + (form[at] - '0'), int64_t{1} << 30);
  return value;
}

// --- %
// -----------------------------------------------------------------------------------------------------------------

class PercentFormat {
 public:
  PercentFormat(Interpreter& interpreter, std::string_view form, const Value& arguments)
      : interpreter_(interpreter), form_(form), arguments_(arguments) {
    const bool tuple = arguments.is(Kind::list) && arguments.as_list().form == ListForm::tuple;
    if (tuple)
      values_ = arguments.as_list().items;
    else
      values_ = {arguments};
  }

  std::string run() {
    std::string out;
    for (size_t percent = form_.find('%', at_); percent != form_.npos; percent = form_.find('%', at_)) {
      out += form_.substr(at_, percent - at_);
      at_ = percent + 1;
      const std::string piece = read_directive();
      interpreter_.charge(1, piece.size());
      out += piece;
    }
    const bool all_used = used_ >= values_.size() || arguments_.is(Kind::dict) || by_name_;
    const bool indexable =
        arguments_.is(Kind::undefined) || (arguments_.is(Kind::list) && arguments_.as_list().form == ListForm::list);
    HEARTH_CHECK(all_used || indexable, value, "not all arguments converted during string formatting");
    return out += form_.substr(at_);
  }

 private:
  char next() {
    HEARTH_CHECK(at_ < form_.size(), value, "incomplete format");
    return form_[at_++];
  }

  Value argument() {
    HEARTH_CHECK(used_ < values_.size(), value, "not enough arguments for format string");
    return values_[used_++];
  }

  Value named_argument() {
    const size_t end = form_.find(')', at_);
    HEARTH_CHECK(end != form_.npos, value, "incomplete format key");
    HEARTH_CHECK(arguments_.is(Kind::dict), value, "format requires a mapping");
    const std::string_view key = form_.substr(at_, end - at_);
    const Value* found = arguments_.as_dict().find(key);
    HEARTH_CHECK(found, value, "format: there is no argument ", repr_of_text(key));
    at_ = end + 1;
    by_name_ = true;
    return *found;
  }

  int64_t width_or_star() {
    if (at_ >= form_.size() || form_[at_] != '*') return read_number(form_, at_);
    ++at_;
    const Value value = argument();
    HEARTH_CHECK(value.is_whole(), value, "* wants int");
    return value.as_integer();
  }

  std::string read_directive() {
    Spec spec;
    Value named = Value::none();
    bool has_named = false, zero = false;
    if (at_ < form_.size() && form_[at_] == '(') {
      ++at_;
      named = named_argument();
      has_named = true;
    }
    for (; at_ < form_.size() && std::string_view("-+ #0").find(form_[at_]) != std::string_view::npos; ++at_) {
      const char flag = form_[at_];
      if (flag == '-') spec.align = '<';
      if (flag == '+' || (flag == ' ' && spec.sign != '+')) spec.sign = flag;
      if (flag == '#') spec.alternate = true;
      if (flag == '0') zero = true;
    }
    spec.width = width_or_star();
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = -std::max(spec.width, -kMaxWidth - 1);
    }
    if (at_ < form_.size() && form_[at_] == '.') {
      ++at_;
      spec.precision = std::max<int64_t>(0, width_or_star());
    }
    check_sizes(spec);
    while (at_ < form_.size() && (form_[at_] == 'l' || form_[at_] == 'h' || form_[at_] == 'L')) ++at_;
    spec.type = next();
    if (spec.type == '%') return "%";
    if (zero && spec.align == 0 && spec.type != 's' && spec.type != 'r' && spec.type != 'c') {
      spec.align = '=';
      spec.fill = "0";
    }
    return write(has_named ? named : argument(), spec);
  }

  std::string write(const Value& value, Spec spec) {
    if (spec.type == 's' || spec.type == 'r') {
      std::string text = spec.type == 's' ? to_text(value) : to_repr(value);
      if (spec.precision >= 0) text = text.substr(0, byte_of(text, static_cast<size_t>(spec.precision)));
      return padded(interpreter_, text, spec.width, " ", spec.align == '<' ? '<' : '>');
    }
    if (spec.type == 'c' && value.is(Kind::text) && code_points(value.as_text()) == 1)
      return padded(interpreter_, value.as_text(), spec.width, " ", spec.align == '<' ? '<' : '>');
    const bool whole = std::string_view("diuxXo").find(spec.type) != std::string_view::npos;
    HEARTH_CHECK(whole || (is_real_type(spec.type) && spec.type != '%'), value, "unsupported format character '",
                 std::string(1, spec.type), "'");
    check_defined(value);
    HEARTH_CHECK(value.is_number(), value, "%", std::string(1, spec.type), " format: a real number is required, not ",
                 type_name(value));
    if (!whole) return format_real(interpreter_, value.as_real(), spec);
    if (spec.type == 'i' || spec.type == 'u') spec.type = 'd';
    if (value.is_whole()) return format_whole(interpreter_, value.as_integer(), spec);
    HEARTH_CHECK(spec.type == 'd', value, "%", std::string(1, spec.type), " format: an integer is required, not float");
    HEARTH_CHECK(std::fabs(value.as_real()) < 9.2e18, unsupported, "format: ", value.as_real(),
                 " is no 64-bit integer");
    return format_whole(interpreter_, static_cast<int64_t>(value.as_real()), spec);
  }

  Interpreter& interpreter_;
  const std::string_view form_;
  const Value& arguments_;
  std::vector<Value> values_;
  size_t at_ = 0, used_ = 0;
  bool by_name_ = false;
};

// --- {}
// ----------------------------------------------------------------------------------------------------------------

Spec read_spec(std::string_view text) {
  Spec spec;
  size_t at = 0;
  const auto is_align = [&](size_t i) {
    return i < text.size() && std::string_view("<>^=").find(text[i]) != std::string_view::npos;
  };
  const size_t fill = text.empty() ? 0 : byte_of(text, 1);
  if (fill > 0 && is_align(fill)) {
    spec.fill = std::string(text.substr(0, fill));
    spec.align = text[fill];
    at = fill + 1;
  } else if (is_align(0)) {
    spec.align = text[at++];
  }
  const auto skip = [&](char c) { return at < text.size() && text[at] == c && ++at; };
  for (const char sign : {'+', '-', ' '})
    if (skip(sign)) spec.sign = sign;
  spec.alternate = skip('#');
  if (skip('0') && spec.align == 0) {
    spec.align = '=';
    spec.fill = "0";
  }
  spec.width = read_number(text, at);
  spec.commas = skip(',');
  if (skip('.')) {
    HEARTH_CHECK(at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])), value,
                 "Format specifier missing precision");
    spec.precision = read_number(text, at);
  }
  if (at < text.size()) spec.type = text[at++];
  HEARTH_CHECK(at == text.size(), value, "Invalid format specifier ", repr_of_text(text));
  check_sizes(spec);
  return spec;
}

std::string format_value(Interpreter& interpreter, const Value& value, std::string_view text) {
  if (text.empty()) return to_text(value);
  const Spec spec = read_spec(text);
  if (value.is(Kind::text)) {
    HEARTH_CHECK((spec.type == 0 || spec.type == 's') && spec.align != '=', value, "format: ", repr_of_text(text),
                 " is no format for a str");
    const std::string& whole = value.as_text();
    const size_t kept = spec.precision < 0 ? whole.size() : byte_of(whole, static_cast<size_t>(spec.precision));
    return aligned(interpreter, "", whole.substr(0, kept), spec, '<');
  }
  check_defined(value);
  HEARTH_CHECK(value.is_number(), value, "unsupported format string passed to ", type_name(value), ".__format__");
  const bool whole_type = spec.type == 0 || std::string_view("dxXob").find(spec.type) != std::string_view::npos;
  HEARTH_CHECK(whole_type || is_real_type(spec.type), value, "Unknown format code '", std::string(1, spec.type), "'");
  if (value.is_whole() && whole_type) {
    HEARTH_CHECK(spec.precision < 0, value, "Precision not allowed in integer format specifier");
    return format_whole(interpreter, value.as_integer(), spec);
  }
  HEARTH_CHECK(spec.type == 0 || is_real_type(spec.type), value, "Unknown format code '", std::string(1, spec.type),
               "' for object of type 'float'");
  return format_real(interpreter, value.as_real(), spec);
}

class BraceFormat {
 public:
  BraceFormat(Interpreter& interpreter, std::string_view form, const Arguments& arguments)
      : interpreter_(interpreter), form_(form), arguments_(arguments) {}

  std::string run() {
    std::string out;
    for (size_t at = 0; at < form_.size();) {
      const char c = form_[at];
      const bool doubled = at + 1 < form_.size() && form_[at + 1] == c;
      if ((c == '{' || c == '}') && doubled) {
        out += c;
        at += 2;
        continue;
      }
      HEARTH_CHECK(c != '}', value, "Single '}' encountered in format string");
      if (c != '{') {
        out += c;
        ++at;
        continue;
      }
      const size_t end = form_.find('}', at);
      HEARTH_CHECK(end != form_.npos, value, "Single '{' encountered in format string");
      const std::string piece = field(form_.substr(at + 1, end - at - 1));
      interpreter_.charge(1, piece.size());
      out += piece;
      at = end + 1;
    }
    return out;
  }

 private:
  std::string field(std::string_view text) {
    HEARTH_CHECK(text.find('{') == text.npos, unsupported, "format: a field inside of a field is not supported");
    const size_t colon = std::min(text.find(':'), text.size());
    const std::string_view spec = colon < text.size() ? text.substr(colon + 1) : "";
    std::string_view name = text.substr(0, colon);
    char conversion = 0;
    if (name.size() >= 2 && name[name.size() - 2] == '!') {
      conversion = name.back();
      name.remove_suffix(2);
      HEARTH_CHECK(conversion == 's' || conversion == 'r', value, "Unknown conversion specifier ",
                   std::string(1, conversion));
    }
    Value value = look_up(name);
    if (conversion) value = interpreter_.make_text(conversion == 'r' ? to_repr(value) : to_text(value));
    return format_value(interpreter_, value, spec);
  }

  // "0", "name", "", then .attribute and [item].
  Value look_up(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first_value(name.substr(0, end));
    for (name.remove_prefix(end); !name.empty();) {
      const bool dot = name[0] == '.';
      const size_t stop = dot ? std::min(name.find_first_of(".[", 1), name.size()) : name.find(']');
      HEARTH_CHECK((dot || name[0] == '[') && stop != name.npos && stop > 1, value, "Empty attribute in format string");
      const std::string part(name.substr(1, stop - 1));
      const bool number = part.size() < 10 && part.find_first_not_of("0123456789") == part.npos;
      value = dot      ? interpreter_.attribute(value, part)
              : number ? interpreter_.item(value, Value::integer(std::stoll(part)))
                       : interpreter_.item(value, Value::text(part));
      name.remove_prefix(stop + (dot ? 0 : 1));
    }
    return value;
  }

  Value first_value(std::string_view name) {
    const bool number = !name.empty() && name.size() < 10 && name.find_first_not_of("0123456789") == name.npos;
    if (name.empty() || number) {
      const size_t i = name.empty() ? automatic_++ : static_cast<size_t>(std::stoll(std::string(name)));
      HEARTH_CHECK(i < arguments_.positional.size(), value, "Replacement index ", i,
                   " out of range for positional args tuple");
      return arguments_.positional[i];
    }
    for (const auto& [key, value] : arguments_.named)
      if (key == name) return value;
    HEARTH_FAIL(value, "format: there is no argument ", repr_of_text(name));
  }

  Interpreter& interpreter_;
  const std::string_view form_;
  const Arguments& arguments_;
  size_t automatic_ = 0;
};

}  // namespace

std::string format_percent(Interpreter& interpreter, const std::string& form, const Value& arguments) {
  return PercentFormat(interpreter, form, arguments).run();
}

std::string format_braces(Interpreter& interpreter, const std::string& form, const Arguments& arguments) {
  return BraceFormat(interpreter, form, arguments).run();
}

}  // namespace hearth::jinja
