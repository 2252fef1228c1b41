// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <iterator>

namespace hearth {

// Three digits: 9.99, 99.9, 999. Rounding decides the form, so 9.996 is 10.0 and not 10.00.
static std::string three_digits(double value) {
  const double size = std::fabs(value);
  return fmt::format("{:.{}f}", value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

// Divides by `base` until fewer than four digits stand before the point; returns how often.
static int scale_down(double* value, double base, int most) {
  int times = 0;
  for (; times < most && std::fabs(*value) >= 999.5; ++times) *value /= base;
  return times;
}

std::string format_bytes(int64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  const int unit = scale_down(&value, 1024, static_cast<int>(std::size(kUnits)) - 1);
  return (unit == 0 ? std::to_string(bytes) : three_digits(value)) + " " + kUnits[unit];
}

std::optional<int64_t> parse_bytes(const std::string& text) {
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0)) return std::nullopt;
  std::string unit;
  for (const char c : std::string_view(stop, text.data() + text.size())) {
    if (c != ' ') unit += char(std::toupper(static_cast<unsigned char>(c)));
  }
  double scale = 1;
  if (!unit.empty() && unit != "B") {
    const size_t power = std::string_view("KMGT").find(unit[0]);
    const std::string rest = unit.substr(1);
    if (power == std::string_view::npos || (rest != "" && rest != "B" && rest != "IB")) return std::nullopt;
    scale = std::pow(rest == "IB" ? 1024.0 : 1000.0, double(power + 1));
  }
  const double bytes = number * scale;
  return bytes < 0x1p63 ? std::optional(int64_t(bytes)) : std::nullopt;
}

std::string format_count(int64_t count) {
  std::string digits = std::to_string(count);
  const int64_t first = count < 0 ? 1 : 0;
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string format_short(double count) {
  if (!std::isfinite(count)) return "?";
  static constexpr const char* kUnits[] = {"", "k", "M", "B", "T"};
  double value = count;
  const int unit = scale_down(&value, 1000, static_cast<int>(std::size(kUnits)) - 1);
  const bool whole = unit == 0 && count == std::floor(count);
  return (whole ? fmt::format("{:.0f}", count) : three_digits(value)) + kUnits[unit];
}

std::string format_seconds(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e10) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const int64_t s = std::llround(seconds), minutes = s / 60, hours = minutes / 60;
  if (minutes == 0) return fmt::format("{} s", s);
  if (hours == 0) return fmt::format("{} min {:02} s", minutes, s % 60);
  if (hours < 24) return fmt::format("{} h {:02} min", hours, minutes % 60);
  return fmt::format("{} d {:02} h", hours / 24, hours % 24);
}

std::string format_loss(double loss) { return fmt::format("{:.4f}", loss); }

}  // namespace hearth
