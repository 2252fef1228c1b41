// SPDX-License-Identifier: Apache-2.0
// Expected numbers without a formula beside them: NumPy 2.
#include "array/numpy_extras.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace hearth {
namespace {

using Doubles = std::vector<double>;
using Ints = std::vector<int>;

void expect_numbers(const Array& y, const Doubles& expected) {
  const Doubles got = y.to_vector<double>();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], expected[i], 1e-12 * (1 + std::abs(expected[i]))) << "element " << i;
}

TEST(NumpyExtras, covariance) {
  const Array m = array({{1.0, 2.0, 4.0, 3.0}, {2.0, 0.0, 1.0, 5.0}});
  const Array f = array({1, 2, 1, 3}), a = array({0.5, 1.0, 2.0, 1.0});
  expect_numbers(cov(m), {5.0 / 3, 1.0 / 3, 1.0 / 3, 14.0 / 3});
  expect_numbers(cov(m.transpose(), {.rowvar = false}), {5.0 / 3, 1.0 / 3, 1.0 / 3, 14.0 / 3});
  expect_numbers(cov(m, {.correction = 0, .fweights = f, .aweights = a}),
                 {0.7822222222222223, 0.32, 0.32, 4.773333333333333});
  expect_numbers(cov(m, {.fweights = f, .aweights = a}),
                 {0.9361702127659576, 0.3829787234042553, 0.3829787234042553, 5.71276595744681});
  expect_numbers(corrcoef(m), {1, 0.11952286093343936, 0.11952286093343936, 1});
  expect_numbers(cov(array({1.0, 2.0, 4.0, 3.0})), {5.0 / 3});
  expect_numbers(cov(array({1.0, 2.0, 4.0, 3.0}), array({2.0, 0.0, 1.0, 5.0})), {5.0 / 3, 1.0 / 3, 1.0 / 3, 14.0 / 3});
  EXPECT_EQ(cov(array({1.0, 2.0})).shape(), (Dims{}));
}

TEST(NumpyExtras, counting) {
  EXPECT_EQ(bincount(array({1, 1, 3})).to_vector<int>(), (Ints{0, 2, 0, 1}));
  EXPECT_EQ(bincount(array({1, 1, 3}), {.minlength = 5}).to_vector<int>(), (Ints{0, 2, 0, 1, 0}));
  EXPECT_EQ(bincount(array({1, 1, 3}), {.length = 2}).to_vector<int>(), (Ints{0, 2}));
  EXPECT_EQ(bincount(array(Ints{})).shape(), (Dims{0}));
  expect_numbers(bincount(array({1, 1, 3}), {.weights = array({0.5, 1.0, 2.0})}), {0, 1.5, 0, 2});
  EXPECT_THROW(bincount(array({1, -1})), Error);
  EXPECT_THROW(bincount(array({1.0f})), Error);
}

TEST(NumpyExtras, histograms) {
  const Array x = array({1.0, 2.5, 2.5, 4.0, 0.0, 7.0, 7.0, 3.0});
  const HistogramResult h = histogram(x, 4);
  EXPECT_EQ(h.counts.to_vector<int>(), (Ints{2, 3, 1, 2}));
  expect_numbers(h.edges, {0, 1.75, 3.5, 5.25, 7});
  EXPECT_EQ(histogram(x, array({0.0, 1.0, 2.5, 7.0})).counts.to_vector<int>(), (Ints{1, 1, 6}));
  expect_numbers(histogram(x, 3, {.range = std::pair(1.0, 4.0), .density = true}).counts, {0.2, 0.4, 0.4});
  const Array weights = array({0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0});
  expect_numbers(histogram(x, 2, {.weights = weights}).counts, {14, 14});
  EXPECT_EQ(histogram(array({2.0, 2.0}), 2).counts.to_vector<int>(), (Ints{0, 2}));
  EXPECT_EQ(histogram(array(Doubles{}), 3).counts.to_vector<int>(), (Ints{0, 0, 0}));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(histogram(array({nan, 1.0}), array({0.0, 1.0, 2.0})).counts.to_vector<int>(), (Ints{0, 1}));
  EXPECT_THROW(histogram(x, 0), Error);
}

TEST(NumpyExtras, digitize_with_rising_and_falling_bins) {
  const Array x = array({0.0, 1.0, 1.5, 3.0, 4.0}), up = array({1, 2, 3}), down = array({3, 2, 1});
  EXPECT_EQ(digitize(x, up).to_vector<int>(), (Ints{0, 1, 1, 3, 3}));
  EXPECT_EQ(digitize(x, up, {.right = true}).to_vector<int>(), (Ints{0, 0, 1, 2, 3}));
  EXPECT_EQ(digitize(x, down).to_vector<int>(), (Ints{3, 2, 2, 0, 0}));
  EXPECT_EQ(digitize(x, down, {.right = true}).to_vector<int>(), (Ints{3, 3, 2, 1, 0}));
}

TEST(NumpyExtras, interpolation) {
  const Array xp = array({0.0, 1.0, 3.0}), fp = array({10.0, 20.0, 0.0});
  expect_numbers(interp(array({-1.0, 0.0, 0.5, 2.5, 3.0, 9.0}), xp, fp), {10, 10, 15, 5, 0, 0});
  expect_numbers(interp(array({-1.0, 9.0}), xp, fp, {.left = -5, .right = 7}), {-5, 7});
  expect_numbers(interp(array({-180.0, 5.0, 350.0, 725.0}), array({190.0, -190.0, 350.0, -350.0}),
                        array({5.0, 10.0, 3.0, 4.0}), {.period = 360}),
                 {7.5, 3.75, 3, 3.75});
  expect_numbers(interp(array({-1.0, 2.0}), array({1.0}), array({4.0})), {4, 4});
  EXPECT_THROW(interp(xp, xp, array({1.0})), Error);
}

TEST(NumpyExtras, gradients_and_integrals) {
  const Array f = array({1.0, 2.0, 4.0, 7.0, 11.0, 16.0}), c = array({0.0, 1.0, 1.5, 3.5, 4.0, 6.0});
  expect_numbers(gradient(f)[0], {1, 1.5, 2.5, 3.5, 4.5, 5});
  expect_numbers(gradient(f, {.spacing = {2.0}})[0], {0.5, 0.75, 1.25, 1.75, 2.25, 2.5});
  expect_numbers(gradient(f, {.spacing = {c}})[0], {1, 3, 3.5, 6.7, 6.9, 2.5});
  expect_numbers(gradient(f, {.spacing = {c}, .edge_order = 2})[0], {-1, 3, 3.5, 6.7, 6.9, -1.9});
  expect_numbers(gradient(f, {.edge_order = 2})[0], {0.5, 1.5, 2.5, 3.5, 4.5, 5.5});
  const Arrays both = gradient(f.reshape({2, 3}));
  expect_numbers(both[0], {6, 9, 12, 6, 9, 12});
  expect_numbers(both[1], {1, 1.5, 2, 4, 4.5, 5});
  expect_numbers(trapezoid(f, {.dx = 0.5}), {16.25});
  expect_numbers(trapezoid(f, {.x = c}), {45.5});
  expect_numbers(trapezoid(f.reshape({2, 3}), {.axis = 0}), {4, 6.5, 10});
  expect_numbers(ediff1d(array({1, 4, 9}), array({7}), Array(-1)), {-1, 3, 5, 7});
  EXPECT_THROW(gradient(array({1.0})), Error);
}

TEST(NumpyExtras, convolution_and_correlation_in_every_mode) {
  struct Row {
    Ints a, v;
    std::string mode;
    Ints convolved, correlated;
  };
  const std::vector<Row> rows = {
      {{1, 2, 3}, {0, 1, 4}, "full", {0, 1, 6, 11, 12}, {4, 9, 14, 3, 0}},
      {{1, 2, 3}, {0, 1, 4}, "same", {1, 6, 11}, {9, 14, 3}},
      {{1, 2, 3}, {0, 1, 4}, "valid", {6}, {14}},
      {{1, 2, 3, 4}, {1, 2}, "full", {1, 4, 7, 10, 8}, {2, 5, 8, 11, 4}},
      {{1, 2, 3, 4}, {1, 2}, "same", {1, 4, 7, 10}, {2, 5, 8, 11}},
      {{1, 2, 3, 4}, {1, 2}, "valid", {4, 7, 10}, {5, 8, 11}},
      {{1, 2}, {1, 2, 3, 5}, "full", {1, 4, 7, 11, 10}, {5, 13, 8, 5, 2}},
      {{1, 2}, {1, 2, 3, 5}, "same", {1, 4, 7, 11}, {13, 8, 5, 2}},
      {{1, 2}, {1, 2, 3, 5}, "valid", {4, 7, 11}, {13, 8, 5}},
      {{1, 2, 3}, {2, 1, 5, 7, 9}, "same", {5, 13, 20, 38, 39}, {25, 46, 32, 19, 7}},
      {{1, 2, 3, 4, 5}, {1, 0, 2, 3}, "full", {1, 2, 5, 11, 17, 17, 22, 15}, {3, 8, 13, 19, 25, 13, 4, 5}},
      {{1, 2, 3, 4, 5}, {1, 0, 2, 3}, "same", {2, 5, 11, 17, 17}, {8, 13, 19, 25, 13}},
      {{1, 2, 3, 4, 5}, {1, 0, 2, 3}, "valid", {11, 17}, {19, 25}},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(convolve(array(row.a), array(row.v), row.mode).to_vector<int>(), row.convolved) << row.mode;
    EXPECT_EQ(correlate(array(row.a), array(row.v), row.mode).to_vector<int>(), row.correlated) << row.mode;
  }
  using C = std::complex<double>;
  EXPECT_EQ(correlate(array({C(1, 1), C(2)}), array({C(0, 1), C(1)}), "full").to_vector<C>(),
            (std::vector<C>{C(1, 1), C(3, -1), C(0, -2)}));
  EXPECT_THROW(convolve(array(Ints{}), array({1})), Error);
  EXPECT_THROW(convolve(array({1}), array({1}), "most"), Error);
}

}  // namespace
}  // namespace hearth
