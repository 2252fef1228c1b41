// SPDX-License-Identifier: Apache-2.0
// Text -> typed value -> text and JSON, one rule for the command line and for configuration files.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "cli/flags.h"
#include "io/nearest.h"

namespace hearth {

template <class T>
struct Inner {  // the type of one value: T of optional<T> and vector<T>
  using type = T;
};
template <class T>
struct Inner<std::optional<T>> {
  using type = T;
};
template <class T>
struct Inner<std::vector<T>> {
  using type = T;
};
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// A quoted value for a message; long ones are cut.
static std::string quoted(const std::string& text) {
  return "'" + printable(text.size() <= 60 ? text : text.substr(0, 57) + "...") + "'";
}

// "at least 1", "from 1 to 8", "above 0 and at most 1"; empty without limits.
std::string flag_range(const FlagOptions& options) {
  if (options.above) {
    const std::string text = fmt::format("above {}", *options.above);
    return options.maximum ? fmt::format("{} and at most {}", text, *options.maximum) : text;
  }
  if (options.minimum && options.maximum) return fmt::format("from {} to {}", *options.minimum, *options.maximum);
  if (options.minimum) return fmt::format("at least {}", *options.minimum);
  if (options.maximum) return fmt::format("at most {}", *options.maximum);
  return "";
}

static void check_range(const FlagOptions& options, double value, const std::string& text, const std::string& where) {
  const bool inside = (!options.minimum || value >= *options.minimum) &&
                      (!options.maximum || value <= *options.maximum) && (!options.above || value > *options.above);
  if (!inside) throw UsageError(cat(where, ": ", text, " is out of range; it must be ", flag_range(options)));
}

template <class T>
static T parse_number(const std::string& text, const FlagOptions& options, const std::string& where) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (text.size() > 1 && *begin == '+' && begin[1] != '-') ++begin;  // from_chars knows no plus sign
  T value{};
  const auto [stop, error] = std::from_chars(begin, end, value);
  constexpr bool whole = std::is_integral_v<T>;
  const bool readable = stop == end && begin != end;
  if constexpr (std::is_unsigned_v<T>) {
    int64_t negative = 0;
    const auto [minus_end, minus_error] = std::from_chars(begin, end, negative);
    if (*begin == '-' && minus_end == end && minus_error != std::errc::invalid_argument)
      throw UsageError(cat(where, ": ", text, " is negative; it must be at least 0"));
  }
  if (!readable || error == std::errc::invalid_argument)
    throw UsageError(cat(where, ": ", quoted(text), whole ? " is not a whole number" : " is not a number"));
  if (error == std::errc::result_out_of_range) {
    if (whole) {
      const bool low = *begin == '-';
      throw UsageError(cat(where, ": ", quoted(text),
                           low ? " is too small; the limit is " : " is too large; the limit is ",
                           low ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max()));
    }
    throw UsageError(cat(where, ": ", quoted(text), " is beyond what a floating-point number holds"));
  }
  if constexpr (!whole)
    if (!std::isfinite(value)) throw UsageError(cat(where, ": ", quoted(text), " is not a finite number"));
  check_range(options, static_cast<double>(value), text, where);
  return value;
}

static bool parse_bool(const std::string& text, const std::string& where) {
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* yes : {"true", "yes", "on", "1"})
    if (lower == yes) return true;
  for (const char* no : {"false", "no", "off", "0"})
    if (lower == no) return false;
  throw UsageError(cat(where, ": ", quoted(text), " is neither true nor false"));
}

static std::string parse_string(const std::string& text, const FlagOptions& options, const std::string& where) {
  const std::vector<std::string>& allowed = options.allowed;
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
  std::string list;
  for (const std::string& value : allowed) list += (list.empty() ? "" : ", ") + value;
  throw UsageError(cat(where, ": ", quoted(text), " is not one of ", list, did_you_mean(text, allowed)));
}

template <class T>
static T parse_one(const std::string& text, const FlagOptions& options, const std::string& where) {
  if constexpr (std::is_same_v<T, bool>)
    return parse_bool(text, where);
  else if constexpr (std::is_same_v<T, std::string>)
    return parse_string(text, options, where);
  else
    return parse_number<T>(text, options, where);
}

static std::vector<std::string> split_items(const std::vector<std::string>& texts, char separator,
                                            const std::string& where) {
  if (!separator) return texts;
  std::vector<std::string> items;
  for (const std::string& text : texts) {
    if (text.empty()) continue;  // --stop "" is the empty list
    size_t begin = 0;
    for (size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && text[i] != separator) continue;
      if (i == begin) throw UsageError(cat(where, ": ", quoted(text), " has an empty item"));
      items.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return items;
}

void set_flag(Flag& flag, const std::vector<std::string>& texts, const std::string& where) {
  const FlagOptions& options = flag.options;
  if (!flag.is_list() && texts.size() != 1) {
    if (texts.empty()) throw UsageError(cat(where, " needs a value"));
    throw UsageError(cat(where, " is given ", texts.size() == 2 ? "twice" : cat(texts.size(), " times"), ": ",
                         quoted(texts[0]), " and ", quoted(texts[1])));
  }
  std::visit(
      [&](auto* field) {
        using T = std::decay_t<decltype(*field)>;
        if constexpr (is_vector<T>) {
          T values;
          for (const std::string& item : split_items(texts, options.separator, where)) {
            auto value = parse_one<typename Inner<T>::type>(item, options, where);
            if (options.distinct && std::find(values.begin(), values.end(), value) != values.end())
              throw UsageError(cat(where, ": ", quoted(item), " is named twice"));
            values.push_back(std::move(value));
          }
          *field = std::move(values);
        } else {
          *field = parse_one<typename Inner<T>::type>(texts[0], options, where);
        }
      },
      flag.target);
  flag.given = true;
}

static std::string text_of(const std::string& value) { return value; }
static std::string text_of(bool value) { return value ? "true" : "false"; }
template <class T>
static std::string text_of(const T& value) {
  return fmt::format("{}", value);  // the shortest text that reads back as the same number
}

std::string flag_text(const Flag& flag) {
  return std::visit(
      [&](auto* field) -> std::string {
        using T = std::decay_t<decltype(*field)>;
        if constexpr (is_vector<T>) {
          std::string text;
          for (const auto& item : *field)
            text += (text.empty() ? "" : std::string(1, flag.options.separator ? flag.options.separator : ',')) +
                    text_of(item);
          return text;
        } else if constexpr (is_optional<T>) {
          return *field ? text_of(**field) : "";
        } else {
          return text_of(*field);
        }
      },
      flag.target);
}

nlohmann::ordered_json flag_json(const Flag& flag) {
  return std::visit(
      [](auto* field) -> nlohmann::ordered_json {
        using T = std::decay_t<decltype(*field)>;
        if constexpr (std::is_same_v<T, float>)
          return std::stod(text_of(*field));  // 0.8, not 0.800000011920929
        else if constexpr (is_optional<T>)
          return *field ? nlohmann::ordered_json(**field) : nlohmann::ordered_json();
        else
          return *field;
      },
      flag.target);
}

}  // namespace hearth
