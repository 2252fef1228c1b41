// SPDX-License-Identifier: Apache-2.0
#pragma once
// Round numbers along an axis, and text that is safe inside XML.

#include <string>
#include <vector>

namespace hearth {

// A range of values and its ticks. Steps are 1, 2, 2.5 or 5 times a power of ten.
struct ChartAxis {
  double low = 0, high = 1;  // low < high
  double step = 1;
  std::vector<double> ticks = {};        // multiples of step inside [low, high]
  std::string label(double tick) const;  // "0.25", "1,500", "2e+07"
};

// An axis for values in [low, high] with about `wanted` ticks. Equal or reversed bounds give a range around them;
// margin is the free share on either side, which does not cross zero.
ChartAxis make_axis(double low, double high, int wanted, double margin, bool whole_numbers);

// Escaped for text and attributes; what XML forbids (control characters, invalid UTF-8) becomes U+FFFD.
std::string xml_text(const std::string& text);

}  // namespace hearth
