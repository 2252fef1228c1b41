// SPDX-License-Identifier: Apache-2.0
#pragma once
// The dynamic map as tests know it: not by the formulas of dynamic_map.h.

#include <algorithm>
#include <cmath>
#include <vector>

namespace hearth {

// The 256 values of bitsandbytes' dynamic map, by the words of the paper, in rising order: a code's value is the one at
// its place.
inline std::vector<double> dynamic_map(bool is_signed) {
  std::vector<double> map = {0, 1};
  for (int decade = 0; decade < 7; ++decade) {
    const int parts = (is_signed ? 1 : 2) << decade;
    for (int j = 0; j < parts; ++j) {
      const double low = 0.1 + 0.9 * j / parts, high = 0.1 + 0.9 * (j + 1) / parts;
      const double value = std::pow(10.0, decade - 6) * (low + high) / 2;
      map.push_back(value);
      if (is_signed) map.push_back(-value);
    }
  }
  std::sort(map.begin(), map.end());
  return map;
}

}  // namespace hearth
