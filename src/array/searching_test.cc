// SPDX-License-Identifier: Apache-2.0
#include "array/searching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "array/sets.h"
#include "array/sorting.h"
#include "base/error.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int>;
using Bools = std::vector<bool>;
const float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class F>
std::string error_text(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Sorting, stable_with_nan_last) {
  const Array x = array({2.0f, kNaN, -1.0f, 2.0f});
  const Floats up = sort(x).to_vector<float>(), down = sort(x, -1, {.descending = true}).to_vector<float>();
  EXPECT_TRUE(std::isnan(up[3]) && std::isnan(down[0]));
  EXPECT_EQ(up[0], -1);
  EXPECT_EQ(argsort(x).to_vector<int>(), (Ints{2, 0, 3, 1}));
  EXPECT_EQ(argsort(x, 0, {.descending = true}).to_vector<int>(), (Ints{1, 0, 3, 2}));
  EXPECT_EQ(sort(array({true, false, true})).to_vector<bool>(), (Bools{false, true, true}));
  EXPECT_EQ(sort(array({{3, 1}, {2, 5}}), 0).to_vector<int>(), (Ints{2, 1, 3, 5}));
  EXPECT_EQ(lexsort({array({1, 0, 1, 0}), array({2, 2, 1, 1})}).to_vector<int>(), (Ints{3, 2, 1, 0}));
  EXPECT_EQ(partition(array({5, 1, 4}), 1).to_vector<int>()[1], 4);
  EXPECT_EQ(argpartition(array({5, 1, 4}), -1).to_vector<int>()[2], 0);
  EXPECT_EQ(error_text([] { partition(array({5, 1, 4}), 3); }), "partition: no element 3 among 3\n  x is i32[3]");
}

TEST(Sorting, top_k_with_k_equal_n) {
  const TopKResult r = top_k(array({1, 5, 5, 2}), 4);
  EXPECT_EQ(r.values.to_vector<int>(), (Ints{5, 5, 2, 1}));
  EXPECT_EQ(r.indices.to_vector<int>(), (Ints{1, 2, 3, 0}));
  EXPECT_EQ(top_k(array({1, 5}), 0).values.shape(), (Dims{0}));
}

TEST(Searching, largest_and_smallest) {
  const Array x = array({{1, 7, 7}, {9, -3, 0}});
  EXPECT_EQ(argmax(x).item<int>(), 3);
  EXPECT_EQ(argmin(x).item<int>(), 4);
  EXPECT_EQ(argmax(x, {.axis = 1}).to_vector<int>(), (Ints{1, 0}));
  EXPECT_EQ(argmax(x, {.axis = 1, .keepdims = true}).shape(), (Dims{2, 1}));
  EXPECT_EQ(argmax(x, {.keepdims = true, .index = DType::i64}).shape(), (Dims{1, 1}));
  EXPECT_EQ(argmax(array({1.0f, kNaN, 3.0f, kNaN})).item<int>(), 1);
}

TEST(Searching, elements_that_are_not_zero) {
  const Array x = array({{0.0f, 2.0f, -0.0f}, {kNaN, 0.0f, 1.0f}});
  const Arrays at = nonzero(x);
  EXPECT_EQ(at[0].to_vector<int>(), (Ints{0, 1, 1}));
  EXPECT_EQ(at[1].to_vector<int>(), (Ints{1, 0, 2}));
  EXPECT_EQ(where(x).size(), 2u);
  EXPECT_EQ(flatnonzero(x).to_vector<int>(), (Ints{1, 3, 5}));
  EXPECT_EQ(argwhere(x).to_vector<int>(), (Ints{0, 1, 1, 0, 1, 2}));
  EXPECT_EQ(argwhere(array({0, 0})).shape(), (Dims{0, 1}));
  EXPECT_EQ(compress(array({false, true}), x, 0).shape(), (Dims{1, 3}));
  EXPECT_EQ(compress(array({false, true}), array({{1, 2}, {3, 4}})).to_vector<int>(), (Ints{2}));
}

TEST(Searching, searchsorted_is_lower_and_upper_bound) {
  for (const int n : {0, 1, 2, 3, 7, 8, 9, 33}) {
    Ints sorted;
    for (int i = 0; i < n; ++i) sorted.push_back(i / 3 * 2);
    Ints v, left, right;
    for (int i = -2; i < n + 2; ++i) v.push_back(i);
    for (const int x : v) {
      left.push_back(int(std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin()));
      right.push_back(int(std::upper_bound(sorted.begin(), sorted.end(), x) - sorted.begin()));
    }
    EXPECT_EQ(searchsorted(array(sorted), array(v)).to_vector<int>(), left) << n;
    EXPECT_EQ(searchsorted(array(sorted), array(v), {.side = "right"}).to_vector<int>(), right) << n;
  }
}

TEST(Searching, searchsorted_with_nan_and_a_sorter) {
  const Array x = array({1.0f, 2.0f, kNaN, kNaN});
  EXPECT_EQ(searchsorted(x, array({kNaN, 3.0f})).to_vector<int>(), (Ints{2, 2}));
  EXPECT_EQ(searchsorted(x, array({kNaN, 3.0f}), {.side = "right"}).to_vector<int>(), (Ints{4, 2}));
  const Array mixed = array({3, 1, 2});
  EXPECT_EQ(searchsorted(mixed, array({2, 9}), {.sorter = argsort(mixed)}).to_vector<int>(), (Ints{1, 3}));
  EXPECT_EQ(searchsorted(array({1, 2}), Array(1.5)).shape(), (Dims{}));
  EXPECT_EQ(error_text([&] { searchsorted(x, x, {.side = "up"}); }),
            "searchsorted: side 'up' is neither left nor right");
}

TEST(Searching, takes_elements_by_number) {
  const Array x = array({{1.0f, 2.0f}, {3.0f, 4.0f}, {5.0f, 6.0f}});
  EXPECT_EQ(take(x, array({-1, 0}), {.axis = 0}).to_vector<float>(), (Floats{5, 6, 1, 2}));
  EXPECT_EQ(take(x, array({{0, 5}})).shape(), (Dims{1, 2}));
  EXPECT_TRUE(std::isnan(take(x, array({6})).item<float>()));
  EXPECT_EQ(take(x, array({6, -1}), {.mode = TakeMode::clip}).to_vector<float>(), (Floats{6, 1}));
  EXPECT_EQ(take(x, array({6, -7}), {.mode = TakeMode::wrap}).to_vector<float>(), (Floats{1, 6}));
  EXPECT_EQ(take_along_axis(x, array({{-1}, {0}, {1}}), 1).to_vector<float>(), (Floats{2, 3, 6}));
  EXPECT_EQ(take_along_axis(x, array({{int8_t(-1), int8_t(0)}}), 0).to_vector<float>(), (Floats{5, 2}));
  EXPECT_EQ(error_text([&] { take(x, x); }), "take: indices must be integers; they are f32[3,2]");
}

TEST(Searching, select_takes_the_first_that_is_true) {
  const Array x = array({0, 1, 2, 3});
  EXPECT_EQ(select({x < 1, x < 3}, {x - 10, x * 10}, -1).to_vector<int>(), (Ints{-10, 10, 20, -1}));
  EXPECT_EQ(select({x < 1}, {array({0.5f})}).dtype(), DType::f32);
}

TEST(Sets, unique_values_counts_and_places) {
  const UniqueAll u = unique_all(array({{3, 1}, {3, 2}}));
  EXPECT_EQ(u.values.to_vector<int>(), (Ints{1, 2, 3}));
  EXPECT_EQ(u.indices.to_vector<int>(), (Ints{1, 3, 0}));
  EXPECT_EQ(u.counts.to_vector<int>(), (Ints{1, 1, 2}));
  EXPECT_EQ(u.inverse_indices.shape(), (Dims{2, 2}));
  EXPECT_EQ(u.inverse_indices.to_vector<int>(), (Ints{2, 0, 2, 1}));
  EXPECT_EQ(unique_values(array({kNaN, 1.0f, kNaN, -0.0f, 0.0f})).size(), 4);
  EXPECT_EQ(unique_all(array(Floats{})).inverse_indices.shape(), (Dims{0}));
  EXPECT_EQ(unique_counts(array({true, false, true})).counts.to_vector<int>(), (Ints{1, 2}));
  const UniqueAll rows = unique_slices(array({{2, 1}, {1, 9}, {2, 1}}));
  EXPECT_EQ(rows.values.to_vector<int>(), (Ints{1, 9, 2, 1}));
  EXPECT_EQ(rows.inverse_indices.to_vector<int>(), (Ints{1, 0, 1}));
  EXPECT_EQ(unique_slices(array({{2, 1, 2}, {1, 9, 1}}), 1).values.to_vector<int>(), (Ints{1, 2, 9, 1}));
}

TEST(Sets, of_two_arrays) {
  const Array a = array({3, 1, 3, 2}), b = array({2, 5, 3});
  EXPECT_EQ(union1d(a, b).to_vector<int>(), (Ints{1, 2, 3, 5}));
  EXPECT_EQ(intersect1d(a, b).to_vector<int>(), (Ints{2, 3}));
  EXPECT_EQ(setdiff1d(a, b).to_vector<int>(), (Ints{1}));
  EXPECT_EQ(setxor1d(a, b).to_vector<int>(), (Ints{1, 5}));
  EXPECT_EQ(isin(a, b).to_vector<bool>(), (Bools{true, false, true, true}));
  EXPECT_EQ(isin(a, b, {.invert = true}).to_vector<bool>(), (Bools{false, true, false, false}));
  EXPECT_EQ(isin(a, array(Ints{})).to_vector<bool>(), Bools(4, false));
  EXPECT_FALSE(isin(Array(kNaN), array({kNaN})).item<bool>());
}

}  // namespace
}  // namespace hearth
