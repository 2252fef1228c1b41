// SPDX-License-Identifier: Apache-2.0
#include "base/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace hearth {

class Threads : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    before_ = num_threads();
    set_num_threads(GetParam());
  }
  void TearDown() override { set_num_threads(before_); }
  int before_ = 1;
};

TEST_P(Threads, every_index_once) {
  std::vector<std::atomic<int>> seen(1000);
  for (int round = 0; round < 50; ++round) {
    parallel_for(1000, [&](int64_t i, int thread) {
      ASSERT_LT(thread, GetParam());
      ++seen[size_t(i)];
    });
  }
  for (const auto& count : seen) EXPECT_EQ(count, 50);
}

TEST_P(Threads, ranges_cover_and_keep_the_grain) {
  std::vector<std::atomic<int>> seen(1003);
  parallel_ranges(1003, 16, [&](int64_t begin, int64_t end, int) {
    EXPECT_EQ(begin % 16, 0);
    for (int64_t i = begin; i < end; ++i) ++seen[size_t(i)];
  });
  for (const auto& count : seen) EXPECT_EQ(count, 1);
  parallel_ranges(0, 16, [](int64_t, int64_t, int) { FAIL(); });
}

TEST_P(Threads, an_exception_arrives_and_the_pool_lives) {
  EXPECT_THROW(parallel_for(100,
                            [](int64_t i, int) {
                              if (i == 37) throw std::runtime_error("37");
                            }),
               std::runtime_error);
  std::atomic<int> count{0};
  parallel_for(100, [&](int64_t, int) { ++count; });
  EXPECT_EQ(count, 100);
}

TEST_P(Threads, nested_runs_inside) {
  std::atomic<int> count{0};
  parallel_for(8, [&](int64_t, int) { parallel_for(8, [&](int64_t, int) { ++count; }); });
  EXPECT_EQ(count, 64);
}

INSTANTIATE_TEST_SUITE_P(pool, Threads, testing::Values(1, 2, 5));

}  // namespace hearth
