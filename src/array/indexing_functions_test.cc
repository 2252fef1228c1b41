// SPDX-License-Identifier: Apache-2.0
#include "array/indexing_functions.h"

#include <gtest/gtest.h>

#include "array/call_test.h"
#include "array/jit.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

Array two_by_three() { return array({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}}); }
void expect_is(const Array& got, const Dims& dims, const Floats& values) {
  EXPECT_EQ(got.shape(), dims);
  EXPECT_EQ(got.to_vector<float>(), values);
}

TEST(IndexingFunctions, put) {
  const Array x = two_by_three();
  expect_is(put(x, array({0, -1}), array({8.0f, 9.0f})), {2, 3}, {8, 2, 3, 4, 5, 9});
  expect_is(put(x, array({{0, 1}, {4, 0}}), array({{8.0f, 9.0f}, {7.0f, 6.0f}})), {2, 3}, {6, 9, 3, 4, 7, 6});
  expect_is(put(x, array({100}), 0), {2, 3}, x.to_vector<float>());
  expect_is(put(x, array({100}), 0, IndexMode::clip), {2, 3}, {1, 2, 3, 4, 5, 0});
}

TEST(IndexingFunctions, place_repeats_its_values) {
  const Array x = two_by_three();
  expect_is(place(x, x > 2, array({7.0f, 8.0f, 9.0f})), {2, 3}, {1, 2, 7, 8, 9, 7});
  expect_is(jit([](const Array& y) { return place(y, y < 3, array({0.0f, -1.0f})); })(x), {2, 3}, {0, -1, 3, 4, 5, 6});
  EXPECT_EQ(message_of([&] { place(x, x > 2, array(Floats{})); }),
            "place: there are no values\n  x is f32[2,3]\n  values is f32[0]");
}

TEST(IndexingFunctions, fill_diagonal) {
  expect_is(fill_diagonal(two_by_three(), 0), {2, 3}, {0, 2, 3, 4, 0, 6});
  const Array tall = array(Floats(10, 1), {5, 2});
  expect_is(fill_diagonal(tall, array({7.0f, 8.0f})), {5, 2}, {7, 1, 1, 8, 1, 1, 1, 1, 1, 1});
  expect_is(fill_diagonal(tall, 0, {.wrap = true}), {5, 2}, {0, 1, 1, 0, 1, 1, 0, 1, 1, 0});
  expect_is(fill_diagonal(array(Floats(8, 1), {2, 2, 2}), 0), {2, 2, 2}, {0, 1, 1, 1, 1, 1, 1, 0});
  EXPECT_EQ(message_of([] { fill_diagonal(array({1.0f}), 0); }),
            "fill_diagonal: x must be a matrix or have axes of one size; it is f32[1]");
}

TEST(IndexingFunctions, ix_makes_a_block) {
  const Array x = two_by_three();
  expect_is(get_indexed(x, ix_({array({1, 0}), array({0, 2})})), {2, 2}, {4, 6, 1, 3});
  expect_is(get_indexed(x, ix_({array({false, true}), array({0, 2})})), {1, 2}, {4, 6});
}

TEST(IndexingFunctions, choose) {
  const Array a = array({1.0f, 2.0f, 3.0f}), b = array({10.0f, 20.0f, 30.0f});
  expect_is(choose(array({0, 1, 5}), {a, b}), {3}, {1, 20, 30});
  expect_is(choose(array({{1}, {-3}}), {a, b}), {2, 3}, {10, 20, 30, 1, 2, 3});
  expect_is(choose(array({0, 1}), {2, 3}), {2}, {2, 3});
  expect_is(choose(array({0, 0}), {2}), {2}, {2, 2});
}

}  // namespace
}  // namespace hearth
