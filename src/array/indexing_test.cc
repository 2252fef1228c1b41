// SPDX-License-Identifier: Apache-2.0
#include "array/indexing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "array/call_test.h"
#include "array/jit.h"
#include "array/plan_cache.h"

namespace hearth {
namespace {

using Ints = std::vector<int>;
using Floats = std::vector<float>;

// 0, 1, 2, ...
Array counted(const Dims& dims) {
  std::vector<float> values(size_t(num_elements(dims)));
  std::iota(values.begin(), values.end(), 0.0f);
  return array(values, dims);
}
const Array& rows() {  // [3,4]
  static const Array x = counted({3, 4});
  return x;
}
void expect_is(const Array& got, const Dims& dims, const Floats& values) {
  EXPECT_EQ(got.shape(), dims);
  EXPECT_EQ(got.to_vector<float>(), values);
}

TEST(Indexing, integers_and_slices) {
  const Array& x = rows();
  expect_is(x(1, 2), {}, {6});
  expect_is(x(-1), {4}, {8, 9, 10, 11});
  expect_is(x(kAll, 1), {3}, {1, 5, 9});
  expect_is(x(Slice{1, 3}, Slice{kNone, kNone, 2}), {2, 2}, {4, 6, 8, 10});
  expect_is(x(0, Slice{.step = -1}), {4}, {3, 2, 1, 0});
  expect_is(x(0, Slice{-2, kNone, -2}), {2}, {2, 0});
  expect_is(x(0, Slice::from(2)), {2}, {2, 3});
  expect_is(x(0, Slice::to(-3)), {1}, {0});
  expect_is(x(0, Slice{1, 100}), {3}, {1, 2, 3});
  expect_is(x(0, Slice{3, 1}), {0}, {});
  expect_is(x(0, Slice{-100, 2}), {2}, {0, 1});
  expect_is(x(), {3, 4}, x.to_vector<float>());
}

TEST(Indexing, enormous_bounds_and_steps) {
  const int64_t least = INT64_MIN, most = INT64_MAX;
  expect_is(rows()(0, Slice{least, most, most}), {1}, {0});
  expect_is(rows()(0, Slice{most, least, least}), {1}, {3});
  expect_is(rows()(0, Slice{most, least, -1}), {4}, {3, 2, 1, 0});
}

TEST(Indexing, ellipsis_and_new_axes) {
  const Array x = counted({2, 3, 2});
  expect_is(x(kEllipsis, 1), {2, 3}, {1, 3, 5, 7, 9, 11});
  expect_is(x(1, kEllipsis, 0), {3}, {6, 8, 10});
  expect_is(x(1, 2, kEllipsis, 1), {}, {11});
  EXPECT_EQ(x(kNewAxis, kEllipsis, kNewAxis).shape(), (Dims{1, 2, 3, 2, 1}));
  expect_is(x(0, kNewAxis, 1), {1, 2}, {2, 3});
}

TEST(Indexing, integer_arrays_broadcast_together) {
  const Array& x = rows();
  expect_is(x(array({2, 0})), {2, 4}, {8, 9, 10, 11, 0, 1, 2, 3});
  expect_is(x(kAll, std::vector<int>{-1, 0}), {3, 2}, {3, 0, 7, 4, 11, 8});
  expect_is(x(array({0, 2}), array({1, 3})), {2}, {1, 11});
  expect_is(x(array({{0}, {2}}), array({1, 3})), {2, 2}, {1, 3, 9, 11});
  expect_is(x(array({int8_t(-1)}), array({uint64_t(3)})), {1}, {11});
}

// Their axes stand where they stood, or first when something lies between them.
TEST(Indexing, places_of_array_axes) {
  const Array x = counted({2, 3, 4}), two = array({0, 1}), five = array({0, 1, 2, 0, 1});
  EXPECT_EQ(x(kAll, five, 1).shape(), (Dims{2, 5}));
  EXPECT_EQ(x(0, kAll, five).shape(), (Dims{5, 3}));
  EXPECT_EQ(x(kAll, 0, kNewAxis, two).shape(), (Dims{2, 2, 1}));
  EXPECT_EQ(x(kAll, array({0}), kEllipsis, array({1})).shape(), (Dims{1, 2}));  // even an ellipsis of no axes
  EXPECT_EQ(x(true, kAll, two).shape(), (Dims{2, 2, 4}));
  EXPECT_EQ(x(kEllipsis, true, 0).shape(), (Dims{2, 3, 1}));
}

TEST(Indexing, masks) {
  const Array& x = rows();
  expect_is(x(x > 8), {3}, {9, 10, 11});
  expect_is(x(array({true, false, true})), {2, 4}, {0, 1, 2, 3, 8, 9, 10, 11});
  expect_is(x(kAll, array({false, true, false, true})), {3, 2}, {1, 3, 5, 7, 9, 11});
  expect_is(x(array({true, false, true}), array({1, 2})), {2}, {1, 10});
  expect_is(x(x > 100), {0}, {});
  EXPECT_EQ(x(true).shape(), (Dims{1, 3, 4}));
  EXPECT_EQ(x(false).shape(), (Dims{0, 3, 4}));
  EXPECT_EQ(x(array(std::vector<bool>{false}, {})).shape(), (Dims{0, 3, 4}));
}

TEST(Indexing, empty_arrays) {
  EXPECT_EQ(rows()(std::vector<int>{}).shape(), (Dims{0, 4}));
  EXPECT_EQ(rows()(Slice{3, 3}, array({1, 2})).shape(), (Dims{0, 2}));
  EXPECT_EQ(counted({0, 2})(array(std::vector<int>{}, {0, 5})).shape(), (Dims{0, 5, 2}));
}

// Data is not looked at: JAX's rule.
TEST(Indexing, arrays_outside_are_clipped_or_filled) {
  const Array x = counted({4}), far = array({-1, -4, -5, 4, 100});
  expect_is(x(far), {5}, {3, 0, 0, 3, 3});
  const Floats filled = x.at(far).get({.mode = IndexMode::fill}).to_vector<float>();
  EXPECT_EQ(filled[1], 0);
  EXPECT_TRUE(std::isnan(filled[2]) && std::isnan(filled[4]));
  expect_is(x.at(far).get({.mode = IndexMode::drop, .fill = -7}), {5}, {3, 0, -7, -7, -7});
  expect_is(x(array({INT64_MIN, INT64_MAX})), {2}, {0, 3});
  expect_is(x(array({UINT64_MAX, uint64_t(2)})), {2}, {3, 2});
  expect_is(x(array({uint32_t(4000000000), uint32_t(2)})), {2}, {3, 2});
  const Array small = array({int8_t(1), int8_t(2)});
  EXPECT_EQ(small.at(array({9})).get({.mode = IndexMode::fill}).item<int>(), -128);
}

TEST(Indexing, small_index_types_reach_large_axes) {
  const Array x = counted({1000});
  expect_is(x(array({int8_t(-1), int8_t(-128)})), {2}, {999, 872});
  expect_is(x(array({uint8_t(255)})), {1}, {255});
}

TEST(Indexing, in_jit) {
  const auto f = jit([](const Array& x, const Array& i) { return x(i, Slice{.step = -1}); });
  expect_is(f(rows(), array(std::vector<int>{-1}, {})), {4}, {11, 10, 9, 8});
  expect_is(f(rows(), array(std::vector<int>{100}, {})), {4}, {11, 10, 9, 8});  // clamped
  expect_is(f(rows(), array({1, 0})), {2, 4}, {7, 6, 5, 4, 3, 2, 1, 0});
  const auto pick = jit([](const Array& x, const Array& i) { return x(Slice{1, 3}, i, kNewAxis); });
  expect_is(pick(rows(), array(std::vector<int>{2}, {})), {2, 1}, {6, 10});
}

TEST(Indexing, a_loop_over_integers_compiles_once) {
  const Array x = counted({64, 8});
  float sum = x(0, 1).item<float>();
  const int64_t misses = plan_cache_statistics().misses;
  for (int i = 1; i < 64; ++i) sum += x(i, i % 8).item<float>();
  EXPECT_EQ(plan_cache_statistics().misses, misses);
  EXPECT_EQ(sum, 63 * 64 / 2 * 8 + 8 * 28 + 1);
}

TEST(Indexing, derivatives_add_what_is_read_several_times) {
  const auto g = grad([](const Array& x) { return x(0) * x(0) + x(array({1, 1}))(0) * x(-1); });
  expect_is(g(array({3.0f, 5.0f, 7.0f})), {3}, {6, 7, 5});
  const auto second = grad(
      [](const Array& x) { return grad([](const Array& z) { return z(0) * z(0) * z(0) * z(array({1}))(0); })(x)(0); });
  expect_is(second(array({2.0f, 5.0f})), {2}, {60, 12});  // of 3 x0^2 x1
}

TEST(Indexing, vmap_over_arrays_and_indices) {
  const auto f = vmap([](const Array& x, const Array& i) { return x(i); });
  expect_is(f(rows(), array({1, -1, 0})), {3}, {1, 7, 8});
  const auto shared = vmap([](const Array& i) { return rows()(kAll, i); });
  expect_is(shared(array({{0, 1}, {3, 3}})), {2, 3, 2}, {0, 1, 4, 5, 8, 9, 3, 3, 7, 7, 11, 11});
}

TEST(Indexing, errors) {
  const Array& x = rows();
  EXPECT_EQ(message_of([&] { x(0, 4); }), "index: 4 is out of range for axis 1 of size 4\n  x is f32[3,4]");
  EXPECT_EQ(message_of([&] { x(-4); }), "index: -4 is out of range for axis 0 of size 3\n  x is f32[3,4]");
  EXPECT_EQ(message_of([&] { x(UINT64_MAX); }),
            "index: 9223372036854775807 is out of range for axis 0 of size 3\n  x is f32[3,4]");
  EXPECT_EQ(message_of([&] { x(0, kAll, 1); }), "index: too many indices: 3 for 2 axes\n  x is f32[3,4]");
  EXPECT_EQ(message_of([&] { x(kEllipsis, kEllipsis); }), "index: more than one ellipsis");
  EXPECT_EQ(message_of([&] { x(kAll, Slice{1, 2, 0}); }), "index: the slice of axis 1 has step 0");
  EXPECT_EQ(message_of([&] { x(0, array({1.0f})); }),
            "index: arrays as indices must be of integers or bool; index 1 is f32[1]");
  EXPECT_EQ(message_of([&] { x(array({0, 1}), array({0, 1, 2})); }), "index: index arrays do not broadcast: [2] [3]");
  EXPECT_EQ(message_of([&] {
              x(kAll, array({true, false}));
            }),
            "index: the mask does not fit axis 1: 2 != 4\n  x is f32[3,4]\n  mask is bool[2]");
  EXPECT_EQ(message_of([&] {
              counted({0, 2})(array({0}));
            }),
            "index: axis 0 is empty, no index lies inside\n  x is f32[0,2]");
  EXPECT_EQ(message_of([&] { jit([](const Array& y) { return y(y > 1); })(x); }).substr(0, 35),
            "array: bool[3,4] has no elements ye");
}

}  // namespace
}  // namespace hearth
