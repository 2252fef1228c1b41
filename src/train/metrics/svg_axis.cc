// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/svg_axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hearth {

static double nice_step(double range, int wanted, bool whole_numbers) {
  const double rough = range / std::max(1, wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (double factor : {1.0, 2.0, 2.5, 5.0}) {
    const double candidate = factor * power;
    if (candidate < rough * 0.999 || (whole_numbers && candidate != std::floor(candidate))) continue;
    step = candidate;
    break;
  }
  return whole_numbers ? std::max(1.0, std::round(step)) : step;
}

ChartAxis make_axis(double low, double high, int wanted, double margin, bool whole_numbers) {
  if (low > high) std::swap(low, high);
  // Bounds that differ by rounding only would give ticks that all read the same.
  if (high - low <= 1e-9 * std::max(std::fabs(low), std::fabs(high)) || high == low) {
    const double pad = whole_numbers ? 1 : std::max(std::fabs(high) * 0.1, 1e-6);
    low = whole_numbers && low >= 0 ? std::max(0.0, low - pad) : low - pad;  // steps and counts are not negative
    high += pad;
  } else if (margin > 0) {
    const double pad = (high - low) * margin;
    low = low >= 0 ? std::max(0.0, low - pad) : low - pad;
    high = high <= 0 ? std::min(0.0, high + pad) : high + pad;
  }
  ChartAxis axis{.low = low, .high = high, .step = nice_step(high - low, wanted, whole_numbers)};
  const double slack = axis.step * 1e-6;
  for (double i = std::ceil((low - slack) / axis.step); i * axis.step <= high + slack && axis.ticks.size() < 100; ++i)
    axis.ticks.push_back(i == 0 ? 0 : i * axis.step);
  return axis;
}

static std::string with_commas(const std::string& digits) {
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const size_t left = digits.size() - i;
    if (i > 0 && left % 3 == 0 && digits[i - 1] != '-') text += ',';
    text += digits[i];
  }
  return text;
}

std::string ChartAxis::label(double tick) const {
  const double largest = std::max(std::fabs(low), std::fabs(high));
  if (tick != 0 && (largest >= 1e7 || step < 1e-4)) return fmt::format("{:.6g}", tick);
  int decimals = 0;
  for (double rest = step; decimals < 6 && std::fabs(rest - std::round(rest)) > 1e-6 * rest; rest *= 10) ++decimals;
  const std::string text = fmt::format("{:.{}f}", tick, decimals);
  return decimals == 0 ? with_commas(text) : text;
}

// Length of the UTF-8 character at `at`, 0 if there is none that is valid and allowed in XML.
static size_t character_length(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u; };
  const uint32_t first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  uint32_t code = first & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const uint32_t smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code < smallest || code > 0x10ffff || surrogate || code == 0xfffe || code == 0xffff ? 0 : length;
}

std::string xml_text(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_length(text, at);
    const char c = text[at];
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else
      out.append(text, at, length);
    at += std::max<size_t>(1, length);
  }
  return out;
}

}  // namespace hearth
