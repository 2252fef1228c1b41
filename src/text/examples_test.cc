// SPDX-License-Identifier: Apache-2.0
#include "text/examples.h"

#include <gtest/gtest.h>

#include <numeric>

namespace hearth {

TEST(Packing, best_fit_decreasing) {
  const std::vector<std::vector<int64_t>> expected = {{1, 4},
                                                      {3, 0, 2}};  // 7+1, 4+3+... each into the fullest that fits
  EXPECT_EQ(pack_rows({2, 7, 2, 4, 1}, 8), expected);
  EXPECT_TRUE(pack_rows({}, 8).empty());
  EXPECT_EQ(pack_rows({8, 8}, 8).size(), 2u);
  EXPECT_ANY_THROW(pack_rows({9}, 8));
}

TEST(Packing, every_item_once_and_no_row_too_full) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 5000; ++i) lengths.push_back(1 + i * i * 7919 % 97);
  std::vector<int64_t> seen(lengths.size(), 0);
  const auto rows = pack_rows(lengths, 128);
  for (const auto& row : rows) {
    int64_t sum = 0;
    for (const int64_t item : row) {
      ++seen[size_t(item)];
      sum += lengths[size_t(item)];
    }
    EXPECT_LE(sum, 128);
  }
  EXPECT_EQ(seen, std::vector<int64_t>(lengths.size(), 1));
  const int64_t total = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  EXPECT_LE(int64_t(rows.size()), total / 128 + total / 1000);
}

}  // namespace hearth
