// SPDX-License-Identifier: Apache-2.0
#include "text/serde_number.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

namespace hearth::tokenizers {
namespace {

constexpr int64_t kMaxPower = 308;  // the largest power of ten that a double holds

struct Digits {
  uint64_t significand = 0;
  int64_t exponent = 0;
  bool is_full = false;  // a further digit did not fit

  // Digits that do not fit count before the point as zeros, and behind it not at all.
  void add(char digit, bool behind_point) {
    const uint64_t value = static_cast<uint64_t>(digit - '0');
    is_full = is_full || significand > (std::numeric_limits<uint64_t>::max() - value) / 10;
    if (!is_full) significand = significand * 10 + value;
    if (is_full != behind_point) exponent += behind_point ? -1 : 1;
  }
};

double power_of_ten(int64_t exponent) { return std::strtod(("1e" + std::to_string(exponent)).c_str(), nullptr); }

double scaled(double value, int64_t exponent) {
  for (; exponent < -kMaxPower && value != 0; exponent += kMaxPower) value /= 1e308;
  if (value == 0) return value;
  return exponent < 0 ? value / power_of_ten(-exponent) : value * power_of_ten(exponent);
}

int64_t written_exponent(std::string_view text) {
  static constexpr int64_t kFarAway = 1 << 20;
  const bool is_negative = text.starts_with('-');
  int64_t exponent = 0;
  for (const char c : text)
    if (c >= '0' && c <= '9') exponent = std::min(kFarAway, exponent * 10 + (c - '0'));
  return is_negative ? -exponent : exponent;
}

}  // namespace

double serde_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const size_t e = std::min(text.find_first_of("eE"), text.size());
  Digits digits;
  bool behind_point = false;
  for (const char c : text.substr(0, e)) {
    if (c == '.') {
      behind_point = true;
      digits.is_full = false;  // serde_json tries once more behind the point
    } else {
      digits.add(c, behind_point);
    }
  }
  if (e < text.size()) digits.exponent += written_exponent(text.substr(e + 1));
  const double value = scaled(static_cast<double>(digits.significand), digits.exponent);
  return is_negative ? -value : value;
}

}  // namespace hearth::tokenizers
