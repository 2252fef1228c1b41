// SPDX-License-Identifier: Apache-2.0
#include "array/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace hearth {
namespace {

std::string printed(const char* format, int digits, double x) {
  char text[512];  // the largest f64 has 309 digits before the point
  std::snprintf(text, sizeof text, format, digits, x);
  return text;
}

// The fewest digits of a 16-bit float: it needs 5 at most.
std::string shortest_16_bit(double x, DType dtype) {
  for (int digits = 0;; ++digits) {
    std::string text = printed("%.*e", digits, x);
    const float back = float(std::strtod(text.c_str(), nullptr));
    if (digits >= 8 || (dtype == DType::f16 ? float(f16(back)) : float(bf16(back))) == float(x)) return text;
  }
}

struct Digits {
  std::string digits;  // d.ddd without the point and without zeros at the end
  int exponent = 0;    // of the first digit
};

Digits digits_of(std::string scientific) {
  const size_t e = scientific.find('e');
  Digits out{scientific.substr(0, e), std::atoi(scientific.c_str() + e + 1)};
  if (out.digits.size() > 1) out.digits.erase(1, 1);
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  return out;
}

Digits shortest(double magnitude, DType dtype) {
  if (size_bytes(dtype) == 2) return digits_of(shortest_16_bit(magnitude, dtype));
  char text[64];
  const std::to_chars_result end =
      dtype == DType::f32 ? std::to_chars(text, text + sizeof text, float(magnitude), std::chars_format::scientific)
                          : std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific);
  return digits_of(std::string(text, end.ptr));
}

std::string sign_of(double x, bool plus) { return std::signbit(x) ? "-" : plus ? "+" : ""; }

void trim_zeros(std::string& digits) {
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
}

}  // namespace

NumberText positional_text(double x, DType dtype, NumberFormat format) {
  const double magnitude = std::fabs(x);
  const Digits d = shortest(magnitude, dtype);
  const int after = std::max(0, int(d.digits.size()) - 1 - d.exponent);
  NumberText out{sign_of(x, format.plus), "", ""};
  if (format.precision >= 0 && after > format.precision) {
    const std::string text = printed("%.*f", format.precision, magnitude);
    const size_t point = text.find('.');
    out.whole += text.substr(0, point);
    if (point != std::string::npos) out.fraction = text.substr(point + 1);
  } else if (d.exponent < 0) {
    out.whole += "0";
    out.fraction = std::string(size_t(-d.exponent - 1), '0') + d.digits;
  } else {
    const size_t before = size_t(d.exponent) + 1;
    out.whole += d.digits.substr(0, before);
    if (d.digits.size() < before) out.whole += std::string(before - d.digits.size(), '0');
    if (d.digits.size() > before) out.fraction = d.digits.substr(before);
  }
  trim_zeros(out.fraction);
  return out;
}

NumberText scientific_text(double x, DType dtype, NumberFormat format) {
  const double magnitude = std::fabs(x);
  Digits d = shortest(magnitude, dtype);
  const int after = int(d.digits.size()) - 1;
  if (format.precision >= 0 && after > format.precision) d = digits_of(printed("%.*e", format.precision, magnitude));
  if (after < format.at_least) d = digits_of(printed("%.*e", format.at_least, magnitude));
  char exponent[16];
  std::snprintf(exponent, sizeof exponent, "%c%02d", d.exponent < 0 ? '-' : '+', std::abs(d.exponent));
  NumberText out{sign_of(x, format.plus) + d.digits[0], d.digits.substr(1), exponent};
  if (int(out.fraction.size()) < format.at_least) out.fraction.resize(size_t(format.at_least), '0');
  if (format.at_least == 0) trim_zeros(out.fraction);  // of 0
  return out;
}

std::string scalar_text(double x, DType dtype, ScalarFormat format) {
  if (std::isnan(x)) return format.plus ? "+nan" : "nan";
  if (std::isinf(x)) return sign_of(x, format.plus) + "inf";
  const double magnitude = std::fabs(x);
  const double limit = size_bytes(dtype) == 2 ? 1e3 : dtype == DType::f32 ? 1e6 : 1e16;
  const bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < limit);
  const NumberFormat full{.precision = -1, .plus = format.plus};
  const NumberText text = plain ? positional_text(x, dtype, full) : scientific_text(x, dtype, full);
  std::string out = text.whole;
  if (!text.fraction.empty())
    out += "." + text.fraction;
  else if (plain && format.zero)
    out += ".0";
  return plain ? out : out + "e" + text.exponent;
}

}  // namespace hearth
