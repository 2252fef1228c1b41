// SPDX-License-Identifier: Apache-2.0
#include "array/padding.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/creation.h"
#include "array/elementwise_extras.h"
#include "array/jit.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

Ints padded(PadMode mode, int64_t low, int64_t high, bool odd = false) {
  return pad(array({1, 2, 4}), {{low, high}}, {.mode = mode, .odd = odd}).to_vector<int64_t>();
}

// Expected lists: numpy.pad.
TEST(Pad, modes_that_copy) {
  EXPECT_EQ(padded(PadMode::edge, 2, 1), (Ints{1, 1, 1, 2, 4, 4}));
  EXPECT_EQ(padded(PadMode::reflect, 5, 3), (Ints{2, 1, 2, 4, 2, 1, 2, 4, 2, 1, 2}));
  EXPECT_EQ(padded(PadMode::symmetric, 5, 3), (Ints{2, 4, 4, 2, 1, 1, 2, 4, 4, 2, 1}));
  EXPECT_EQ(padded(PadMode::wrap, 4, 4), (Ints{4, 1, 2, 4, 1, 2, 4, 1, 2, 4, 1}));
  EXPECT_EQ(padded(PadMode::reflect, 5, 3, true), (Ints{-6, -5, -4, -2, 0, 1, 2, 4, 6, 7, 8}));
  EXPECT_EQ(padded(PadMode::symmetric, 5, 4, true), (Ints{-4, -2, -2, 0, 1, 1, 2, 4, 4, 6, 7, 7}));
  EXPECT_EQ(pad(array({7}), {{2, 1}}, {.mode = PadMode::reflect}).to_vector<int64_t>(), (Ints{7, 7, 7, 7}));
}

TEST(Pad, modes_that_compute) {
  EXPECT_EQ(padded(PadMode::constant, 1, 2), (Ints{0, 1, 2, 4, 0, 0}));
  EXPECT_EQ(padded(PadMode::empty, 1, 0).size(), 4u);
  EXPECT_EQ(padded(PadMode::maximum, 1, 1), (Ints{4, 1, 2, 4, 4}));
  EXPECT_EQ(padded(PadMode::minimum, 1, 1), (Ints{1, 1, 2, 4, 1}));
  EXPECT_EQ(padded(PadMode::mean, 1, 1), (Ints{2, 1, 2, 4, 2}));
  const Array x = array({1.0f, 2.0f, 4.0f});
  EXPECT_EQ(pad(x, {{1, 1}}, {.mode = PadMode::mean, .stat_length = PadWidths{{2, 1}}}).to_vector<float>(),
            (Floats{1.5, 1, 2, 4, 4}));
  EXPECT_EQ(pad(x, {{2, 2}}, {.mode = PadMode::linear_ramp, .values = {{-1, 8}}}).to_vector<float>(),
            (Floats{-1, 0, 1, 2, 4, 6, 8}));
  EXPECT_EQ(pad(x, {{1, 1}}, {.values = {{5, 6}}}).to_vector<float>(), (Floats{5, 1, 2, 4, 6}));
  const Array ramp = pad(array({4, 4}), {{3, 0}}, {.mode = PadMode::linear_ramp});
  EXPECT_EQ(ramp.to_vector<int64_t>(), (Ints{0, 1, 2, 4, 4}));
}

TEST(Pad, corners_follow_the_mode) {
  const Array x = array({{1, 2}, {3, 4}});
  EXPECT_EQ(pad(x, {{1, 0}, {0, 1}}, {.mode = PadMode::edge}).to_vector<int64_t>(), (Ints{1, 2, 2, 1, 2, 2, 3, 4, 4}));
  EXPECT_EQ(pad(x, {{1, 0}, {1, 0}}, {.values = {{7, 7}, {8, 8}}}).to_vector<int64_t>(),
            (Ints{8, 7, 7, 8, 1, 2, 8, 3, 4}));
}

// What is not mirrored through an infinite edge stays finite.
TEST(Pad, odd_reflection_beside_an_infinite_edge) {
  const Floats y =
      pad(array({1.0f, 2.0f, INFINITY}), {{1, 1}}, {.mode = PadMode::reflect, .odd = true}).to_vector<float>();
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[4], INFINITY);
}

TEST(Pad, empty_axes) {
  EXPECT_EQ(pad(zeros({0}), {{1, 2}}).to_vector<float>(), (Floats{0, 0, 0}));
  EXPECT_EQ(pad(zeros({0, 2}), {{0, 0}, {1, 1}}, {.mode = PadMode::reflect}).shape(), (Dims{0, 4}));
  EXPECT_EQ(message_of([] {
              pad(zeros({0}), {{1, 0}}, {.mode = PadMode::reflect});
            }),
            "pad: axis 0 of f32[0] is empty, so only modes constant and empty can extend it");
}

TEST(Pad, interior_and_negative_amounts) {
  const Array x = arange(1, 5);
  EXPECT_EQ(pad(x, 9, Padding{.low = {-1}, .high = {1}, .interior = {1}}).to_vector<int64_t>(),
            (Ints{9, 2, 9, 3, 9, 4, 9}));
  EXPECT_EQ(pad(x, 0, Padding{.low = {-2}, .high = {-2}, .interior = {0}}).size(), 0);
}

TEST(Pad, has_a_derivative) {
  const auto f = [](const Array& x) { return logsumexp(pad(x, {{2, 0}}, {.mode = PadMode::edge})); };
  EXPECT_EQ(grad(f)(zeros({2})).to_vector<float>(), (Floats{0.75, 0.25}));
}

TEST(Pad, errors) {
  EXPECT_EQ(message_of([] {
              pad(zeros({2}), {{-1, 0}});
            }),
            "pad: a width is negative: -1\n  hint: pad(x, fill, Padding) cuts");
  EXPECT_EQ(message_of([] { pad(zeros({2}), {{1, 0}, {1, 0}}); }), "pad: 2 widths for f32[2]");
  EXPECT_EQ(message_of([] {
              pad(zeros({2}), {{1, 0}}, {.mode = PadMode::mean, .stat_length = PadWidths{{0, 0}}});
            }),
            "pad: stat_length must be positive; it is 0");
}

}  // namespace
}  // namespace hearth
