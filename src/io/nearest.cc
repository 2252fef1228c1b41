// SPDX-License-Identifier: Apache-2.0
#include "io/nearest.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace hearth {

// Levenshtein distance, or `limit` if it is at least that.
static size_t edit_distance(const std::string& a, const std::string& b, size_t limit) {
  if (a.size() > b.size() + limit || b.size() > a.size() + limit) return limit;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0], smallest = row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
      smallest = std::min(smallest, row[j]);
    }
    if (smallest >= limit) return limit;
  }
  return std::min(row[b.size()], limit);
}

std::string nearest_name(const std::string& wanted, const std::vector<std::string>& names) {
  constexpr size_t kLongest = 256, kMost = 20000;  // damaged files may hold a million names of a kilobyte each
  std::string best;
  size_t best_distance = kLongest;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    if (names[i].size() > kLongest || wanted.size() > kLongest) continue;
    const size_t distance = edit_distance(wanted, names[i], best_distance);
    if (distance < best_distance) {
      best_distance = distance;
      best = names[i];
    }
  }
  return best;
}

std::string printable(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string list_names(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), most); ++i) text += (i ? ", '" : "'") + printable(names[i]) + "'";
  return names.size() > most ? text + cat(" and ", names.size() - most, " more") : text;
}

}  // namespace hearth
