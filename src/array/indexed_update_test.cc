// SPDX-License-Identifier: Apache-2.0
#include "array/indexed_update.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "array/buffer.h"
#include "array/call_test.h"
#include "array/jit.h"
#include "array/plan_cache.h"

namespace hearth {
namespace {

using Floats = std::vector<float>;

void expect_is(const Array& got, const Dims& dims, const Floats& values) {
  EXPECT_EQ(got.shape(), dims);
  EXPECT_EQ(got.to_vector<float>(), values);
}
Array two_by_three() { return array({{1.0f, 2.0f, 3.0f}, {4.0f, 5.0f, 6.0f}}); }

TEST(IndexedUpdate, integers_and_slices) {
  const Array x = two_by_three();
  expect_is(x.at(0, 1).set(9), {2, 3}, {1, 9, 3, 4, 5, 6});
  expect_is(x.at(-1).add(10), {2, 3}, {1, 2, 3, 14, 15, 16});
  expect_is(x.at(kAll, Slice{.step = 2}).multiply(0), {2, 3}, {0, 2, 0, 0, 5, 0});
  expect_is(x.at(0, Slice{.step = -1}).set(array({7.0f, 8.0f, 9.0f})), {2, 3}, {9, 8, 7, 4, 5, 6});
  expect_is(x.at(0, Slice{.step = -2}).set(array({7.0f, 8.0f})), {2, 3}, {8, 2, 7, 4, 5, 6});
  expect_is(x.at(kEllipsis).set(1), {2, 3}, {1, 1, 1, 1, 1, 1});
  expect_is(x.at(Slice{2, 2}).set(1), {2, 3}, x.to_vector<float>());
  expect_is(x, {2, 3}, {1, 2, 3, 4, 5, 6});
}

TEST(IndexedUpdate, column_keeps_its_orientation) {
  const Array x = two_by_three();
  expect_is(x.at(kAll, 0).set(array({7.0f, 8.0f})), {2, 3}, {7, 2, 3, 8, 5, 6});
  expect_is(x.at(kAll, 0).divide(2), {2, 3}, {0.5, 2, 3, 2, 5, 6});
  expect_is(x.at(kAll, Slice{0, 1}).set(array({{7.0f}, {8.0f}})), {2, 3}, {7, 2, 3, 8, 5, 6});
}

TEST(IndexedUpdate, every_operation) {
  const Array x = array({1.0f, 2.0f, 3.0f, 4.0f}), i = array({1, 3});
  expect_is(x.at(i).set(9), {4}, {1, 9, 3, 9});
  expect_is(x.at(i).add(9), {4}, {1, 11, 3, 13});
  expect_is(x.at(i).subtract(9), {4}, {1, -7, 3, -5});
  expect_is(x.at(i).multiply(9), {4}, {1, 18, 3, 36});
  expect_is(x.at(i).divide(2), {4}, {1, 1, 3, 2});
  expect_is(x.at(i).power(2), {4}, {1, 4, 3, 16});
  expect_is(x.at(i).min(3), {4}, {1, 2, 3, 3});
  expect_is(x.at(i).max(3), {4}, {1, 3, 3, 4});
  expect_is(x.at(i).apply([](const Array& y) { return -y; }), {4}, {1, -2, 3, -4});
  expect_is(x.at(i).get(), {2}, {2, 4});
}

TEST(IndexedUpdate, duplicate_places) {
  const Array x = array({2.0f, 3.0f}), twice = array({0, 0, 0}), v = array({2.0f, 5.0f, 4.0f});
  expect_is(x.at(twice).set(v), {2}, {4, 3});
  expect_is(x.at(twice).add(v), {2}, {13, 3});
  expect_is(x.at(twice).subtract(v), {2}, {-9, 3});
  expect_is(x.at(twice).multiply(v), {2}, {80, 3});
  expect_is(x.at(twice).divide(v), {2}, {0.05f, 3});
  expect_is(x.at(array({1, 1})).power(2), {2}, {2, 81});
  expect_is(x.at(twice).min(v), {2}, {2, 3});
  expect_is(x.at(twice).max(v), {2}, {5, 3});
  expect_is(x.at(twice).apply([](const Array& y) { return y + 1; }), {2}, {3, 3});
}

TEST(IndexedUpdate, outside_is_dropped_or_clipped) {
  const Array x = array({1.0f, 2.0f, 3.0f}), far = array({3, -4, 0});
  expect_is(x.at(far).set(9), {3}, {9, 2, 3});
  expect_is(x.at(far).set(9, {.mode = IndexMode::clip}), {3}, {9, 2, 9});
  const auto at = jit([](const Array& y, const Array& i) { return y.at(i).add(5); });
  expect_is(at(x, array(std::vector<int>{3}, {})), {3}, {1, 2, 3});
  expect_is(at(x, array(std::vector<int>{-1}, {})), {3}, {1, 2, 8});
}

TEST(IndexedUpdate, masks) {
  const Array x = two_by_three();
  expect_is(x.at(x > 2).set(0), {2, 3}, {1, 2, 0, 0, 0, 0});
  expect_is(x.at(x > 4).set(array({7.0f, 8.0f})), {2, 3}, {1, 2, 3, 4, 7, 8});  // one value for each true
  expect_is(x.at(array({false, true})).add(array({1.0f, 2.0f, 3.0f})), {2, 3}, {1, 2, 3, 5, 7, 9});
  expect_is(x.at(kAll, array({true, false, true})).set(array({{7.0f}, {8.0f}})), {2, 3}, {7, 2, 7, 8, 5, 8});
  expect_is(x.at(Slice{.step = -1}, array({true, false, false})).multiply(-1), {2, 3}, {-1, 2, 3, -4, 5, 6});
  expect_is(x.at(kEllipsis, array({true, false, false})).set(0), {2, 3}, {0, 2, 3, 0, 5, 6});
  expect_is(x.at(true).set(0), {2, 3}, {0, 0, 0, 0, 0, 0});
  expect_is(x.at(false).set(0), {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto relu = jit([](const Array& y) { return y.at(y < 0).set(0); });
  expect_is(relu(array({-1.0f, 2.0f})), {2}, {0, 2});
}

TEST(IndexedUpdate, dtype_stays) {
  const Array x = array({int8_t(1), int8_t(2)});
  EXPECT_EQ(x.at(0).set(2.7).dtype(), DType::i8);
  expect_is(x.at(0).set(2.7), {2}, {2, 2});
  const Array wide = array({1.0, 2.0});
  EXPECT_EQ(wide.at(array({true, false})).set(0.1).to_vector<double>()[0], 0.1);
  EXPECT_EQ(wide.at(1).set(0.1).to_vector<double>()[1], 0.1);
  const Array flags = array({true, false});
  expect_is(flags.at(array({1})).add(true), {2}, {1, 1});
  expect_is(flags.at(kAll).multiply(false), {2}, {0, 0});
  const Array z = array({std::complex<float>(1, 2), std::complex<float>(3, 4)});
  EXPECT_EQ(z.at(array({0, 0})).multiply(std::complex<float>(0, 1)).to_vector<std::complex<float>>()[0],
            std::complex<float>(-1, -2));
}

// A large array that is changed in a loop stays where it is, and costs what changes.
TEST(IndexedUpdate, is_in_place_when_nobody_holds_the_old_array) {
  Array x = array(std::vector<float>(1 << 20, 1.0f));
  const auto step = [&](int i) {
    x = x.at(i).set(float(i));
    x.eval();
  };
  step(0);
  const void* memory = x.data();
  const int64_t misses = plan_cache_statistics().misses;
  for (int i = 1; i < 100; ++i) step(i);
  EXPECT_EQ(x.data(), memory);
  EXPECT_EQ(plan_cache_statistics().misses, misses);
  const Array old = x;
  step(500);
  EXPECT_NE(x.data(), memory);
  EXPECT_EQ(old(500).item<float>(), 1);
  EXPECT_EQ(x(500).item<float>(), 500);
}

TEST(IndexedUpdate, array_index_is_in_place) {
  Array x = array(std::vector<float>(1 << 20, 1.0f));
  x = x.at(array({3, 4})).add(1);
  const void* memory = x.data();
  for (int i = 0; i < 20; ++i) {
    x = x.at(array({3, i})).add(1);
    x.eval();
  }
  EXPECT_EQ(x.data(), memory);
  EXPECT_EQ(x(3).item<float>(), 23);
}

TEST(IndexedUpdate, ten_thousand_steps_at_flat_memory) {
  Array x = array(std::vector<float>(1 << 14, 1.0f));
  const auto step = [&](int i) { x = x.at(i).add(1).eval(); };
  for (int i = 0; i < 10; ++i) step(i);
  const BufferStatistics before = buffer_statistics();
  for (int i = 10; i < 10010; ++i) step(i);
  EXPECT_EQ(buffer_statistics().live_bytes, before.live_bytes);
  EXPECT_LE(buffer_statistics().kept_bytes, before.kept_bytes + 4096);
  EXPECT_EQ(x(5000).item<float>(), 2);
}

TEST(IndexedUpdate, second_derivatives) {
  // y0 = x0 v0 v1 (both values go to place 0), loss = y0^2 + x1
  const auto loss = [](const Array& x, const Array& v) {
    const Array y = x.at(array({0, 0})).multiply(v);
    return y(0) * y(0) + y(1);
  };
  const Array x = array({2.0f, 7.0f}), v = array({3.0f, 5.0f});
  expect_is(grad(loss, {0})(x, v)[0], {2}, {900, 1});
  expect_is(grad(loss, {1})(x, v)[0], {2}, {600, 360});
  const auto slope = [&](const Array& a) { return grad([&](const Array& b) { return loss(x, b); })(a)(0); };
  expect_is(grad(slope)(v), {2}, {200, 240});                // of 2 x0^2 v0 v1^2
  const auto written = [](const Array& z, const Array& w) {  // the last of three stays
    const Array y = z.at(array({1, 1, 1})).set(w);
    return y(1) * y(1) * y(1) + y(0);
  };
  expect_is(grad(written, {1})(x, array({1.0f, 2.0f, 3.0f}))[0], {3}, {0, 0, 27});
  expect_is(grad(written, {0})(x, array({1.0f, 2.0f, 3.0f}))[0], {2}, {1, 0});
}

// What a masked update does not touch adds no NaN to derivatives.
TEST(IndexedUpdate, derivatives_under_masks_are_finite) {
  const Array x = array({-1.0f, 0.0f, 4.0f});
  const auto logs = grad([](const Array& y) {
    const Array z = y.at(y > 0).apply([](const Array& a) { return a * a / a; });
    return z(0) + z(1) + z(2);
  });
  expect_is(logs(x), {3}, {1, 1, 1});
  const auto powers = [](const Array& y, const Array& p) {
    const Array z = y.at(y > 0).power(p);
    return z(0) + z(1) + z(2);
  };
  const Arrays g = grad(powers, {0, 1})(x, array({2.0f}));
  expect_is(g[0], {3}, {1, 1, 8});
  EXPECT_NEAR(g[1](0).item<float>(), 16 * std::log(4.0f), 1e-5);
}

TEST(IndexedUpdate, vmap) {
  const auto f = vmap([](const Array& x, const Array& i, const Array& v) { return x.at(i).set(v); });
  expect_is(f(two_by_three(), array({1, -1}), array({8.0f, 9.0f})), {2, 3}, {1, 8, 3, 4, 5, 9});
  const auto sums = vmap([](const Array& i) { return array({0.0f, 0.0f}).at(i).add(1); });
  expect_is(sums(array({{0, 0, 1}, {1, 1, 1}})), {2, 2}, {2, 1, 0, 3});
}

TEST(IndexedUpdate, errors) {
  const Array x = two_by_three();
  EXPECT_EQ(message_of([&] {
              x.at(0).set(array({1.0f, 2.0f}));
            }),
            "at.set: the values do not broadcast to the place [3]\n  x is f32[2,3]\n  values is f32[2]");
  EXPECT_EQ(message_of([&] {
              x.at(x > 4).add(array({1.0f, 2.0f, 3.0f}));
            }),
            "at.add: the values do not broadcast to the place [2]\n  x is f32[2,3]\n  values is f32[3]");
  EXPECT_EQ(message_of([&] { x.at(0, 3).add(1); }), "at.add: 3 is out of range for axis 1 of size 3\n  x is f32[2,3]");
  EXPECT_EQ(message_of([&] {
              x.at(array({true, true, false})).set(1);
            }),
            "at.set: the mask does not fit axis 0: 3 != 2\n  x is f32[2,3]\n  mask is bool[3]");
  EXPECT_EQ(message_of([&] { (x > 1).at(0).subtract(true); }),
            "at.subtract: has no meaning for bool\n  x is bool[2,3]");
  EXPECT_EQ(message_of([&] { x.astype(DType::complex64).at(0).max(1); }),
            "at.max: has no meaning for complex64\n  x is complex64[2,3]");
}

}  // namespace
}  // namespace hearth
