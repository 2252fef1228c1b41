// SPDX-License-Identifier: Apache-2.0
#pragma once
// The 256 values that 8-bit moments take: 0, 1, and those of seven decades from 1e-7 to 1, each decade cut in twice as
// many equal parts as the one below, of which the middles are the values. m's values have both signs (but -1), so that
// its decades have half as many parts. Codes are the values' places in rising order, as in bitsandbytes.

#include <cmath>
#include <cstdint>

namespace hearth {

constexpr int64_t kDynamicBlock = 256;  // numbers that share a scale

// Values above 0 have numbers: decade i's are parts(i) ... 2 parts(i) - 1, that of 1 is parts(7).
struct DynamicMap {
  static constexpr int kDecades = 7;
  double first;  // parts of the lowest decade

  double parts(int decade) const { return first * double(1 << decade); }
  static double top(int decade) { return std::pow(10.0, decade - (kDecades - 1)); }
  double value(int decade, double part) const { return top(decade) * (0.1 + 0.9 * (part + 0.5) / parts(decade)); }
  double last(int decade) const { return value(decade, parts(decade) - 1); }
  // From here on a number is nearer to this decade's values than to those of the one below; below 0: the value 0.
  double border(int decade) const { return decade == 0 ? value(0, 0) / 2 : (last(decade - 1) + value(decade, 0)) / 2; }
  double border_of_one() const { return (last(kDecades - 1) + 1) / 2; }
  double one() const { return parts(kDecades); }
  // The value of a number, which is below first for 0.
  double value_of(double number) const {
    if (number < first) return 0;
    int decade = 0;
    while (decade < kDecades && number >= parts(decade + 1)) ++decade;
    return decade == kDecades ? 1 : value(decade, number - parts(decade));
  }
};

constexpr DynamicMap kUnsignedMap{2};  // code = number - 1, 0 for 0
constexpr DynamicMap kSignedMap{1};    // code = 127 + number, 127 - number below 0

inline double unsigned_value(int code) { return kUnsignedMap.value_of(code + 1); }
inline double signed_value(int code) {
  return code < 127 ? -kSignedMap.value_of(127 - code) : kSignedMap.value_of(code - 127);
}

}  // namespace hearth
