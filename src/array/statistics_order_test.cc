// SPDX-License-Identifier: Apache-2.0
#include "array/statistics_order.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array/statistics_nan.h"
#include "base/error.h"

namespace hearth {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
using Doubles = std::vector<double>;

void expect_numbers(const Array& y, const Doubles& expected, const std::string& what = "") {
  const Doubles got = y.to_vector<double>();
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isinf(expected[i]))
      EXPECT_EQ(got[i], expected[i]) << what;
    else if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(got[i])) << what << " element " << i << " is " << got[i];
    else
      EXPECT_NEAR(got[i], expected[i], 1e-12 * (1 + std::abs(expected[i]))) << what << " element " << i;
  }
}
Array holes() { return array({{kNaN, 2.0, 8.0, 4.0}, {kNaN, kNaN, kNaN, kNaN}, {1.0, kNaN, 5.0, 2.0}}); }

// Expected numbers: numpy.quantile of NumPy 2.
TEST(Quantile, every_method_of_numpy) {
  const std::vector<std::pair<std::string, Doubles>> rows = {
      {"linear", {1.0, 1.3, 2.05, 3.0, 3.7199999999999998, 6.600000000000001, 9.0}},
      {"lower", {1.0, 1.0, 1.5, 3.0, 3.0, 5.0, 9.0}},
      {"higher", {1.0, 1.5, 2.6, 3.0, 4.0, 9.0, 9.0}},
      {"midpoint", {1.0, 1.25, 2.05, 3.0, 3.5, 7.0, 9.0}},
      {"nearest", {1.0, 1.5, 2.6, 3.0, 4.0, 5.0, 9.0}},
      {"inverted_cdf", {1.0, 1.0, 1.5, 3.0, 4.0, 9.0, 9.0}},
      {"averaged_inverted_cdf", {1.0, 1.0, 1.5, 3.0, 4.0, 9.0, 9.0}},
      {"closest_observation", {1.0, 1.0, 1.5, 3.0, 3.0, 5.0, 9.0}},
      {"interpolated_inverted_cdf", {1.0, 1.0, 1.375, 2.8, 3.34, 6.199999999999999, 9.0}},
      {"hazen", {1.0, 1.1, 1.775, 3.0, 3.84, 8.2, 9.0}},
      {"weibull", {1.0, 1.0, 1.5, 3.0, 3.96, 9.0, 9.0}},
      {"median_unbiased", {1.0, 1.0333333333333332, 1.6833333333333331, 3.0, 3.88, 8.733333333333334, 9.0}},
      {"normal_unbiased", {1.0, 1.05, 1.70625, 3.0, 3.87, 8.599999999999998, 9.0}},
  };
  const Array x = array({3.0, 1.0, 4.0, 1.5, 9.0, 2.6, 5.0}), q = array({0.0, 0.1, 0.25, 0.5, 0.62, 0.9, 1.0});
  for (const auto& [method, expected] : rows) {
    expect_numbers(quantile(x, q, {.method = method}), expected, method);
    expect_numbers(percentile(x, q * 100, {.method = method}), expected, method);
  }
}

TEST(Quantile, shapes_and_axes) {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.push_back(float(i * 7 % 24));
  const Array x = array(values, {2, 3, 4}), q = array({0.25, 0.5});
  EXPECT_EQ(quantile(x, q, {.axis = 1}).shape(), (Dims{2, 2, 4}));
  EXPECT_EQ(quantile(x, q.reshape({1, 2}), {.axis = {0, 2}, .keepdims = true}).shape(), (Dims{1, 2, 1, 3, 1}));
  EXPECT_EQ(quantile(x, 0.5).shape(), (Dims{}));
  EXPECT_EQ(quantile(x, 0.5).item<float>(), 11.5f);
  EXPECT_EQ(percentile(x.astype(DType::i32), 50).dtype(), DType::f32);
  expect_numbers(quantile(array({{1.0, 5.0}, {3.0, 7.0}}), q, {.axis = 0}), {1.5, 5.5, 2, 6});
}

TEST(Quantile, nan_and_infinities) {
  expect_numbers(quantile(holes(), 0.5, {.axis = 1}), {kNaN, kNaN, kNaN});
  expect_numbers(nanquantile(holes(), array({0.25, 0.5}), {.axis = 1}), {3, kNaN, 1.5, 4, kNaN, 2});
  expect_numbers(quantile(array({kInf, kInf, kInf}), 0.4), {kInf});
  expect_numbers(quantile(array({1.0, 2.0}), array({-1.0, 2.0, kNaN})), {1, 2, kNaN});
}

TEST(Median, of_odd_even_and_nan) {
  expect_numbers(median(array({3.0, 1.0, 2.0})), {2});
  expect_numbers(median(array({{4.0, 1.0}, {2.0, 3.0}}), {.axis = 0}), {3, 2});
  expect_numbers(median(array({{4.0, 1.0}, {2.0, kNaN}}), {.axis = 1}), {2.5, kNaN});
  expect_numbers(median(array({kInf, kInf, 1.0, 2.0})), {kInf});
  expect_numbers(nanmedian(holes(), {.axis = 1, .keepdims = true}), {4, kNaN, 2});
  EXPECT_EQ(median(array({1, 2})).item<float>(), 1.5f);
  EXPECT_EQ(median(array({1.0f, 2.0f}).astype(DType::bf16)).dtype(), DType::bf16);
  EXPECT_THROW(median(array(Doubles{})), Error);
  EXPECT_THROW(median(array({std::complex<float>(1, 2)})), Error);
  EXPECT_THROW(quantile(array({1.0}), 0.5, {.method = "guess"}), Error);
}

TEST(NanStatistics, leave_nan_out) {
  const Array x = holes();
  expect_numbers(nansum(x, {.axis = 1}), {14, 0, 8});
  expect_numbers(nanprod(x, {.axis = 1}), {64, 1, 10});
  expect_numbers(nanmean(x), {11.0 / 3});
  expect_numbers(nanmean(x, {.axis = 1}), {14.0 / 3, kNaN, 8.0 / 3});
  expect_numbers(nanvar(x), {50.0 / 9});
  expect_numbers(nanvar(x, {.axis = 1}), {56.0 / 9, kNaN, 26.0 / 9});
  expect_numbers(nanvar(x, {.axis = 1, .correction = 2}), {56.0 / 3, kNaN, 26.0 / 3});
  expect_numbers(nanvar(array({kNaN, 1.0}), {.correction = 1}), {kNaN});
  expect_numbers(nanstd(x, {.axis = 1}), {std::sqrt(56.0 / 9), kNaN, std::sqrt(26.0 / 9)});
  expect_numbers(nanmax(x, {.axis = 1}), {8, kNaN, 5});
  expect_numbers(nanmin(x, {.axis = 1, .keepdims = true}), {2, kNaN, 1});
  expect_numbers(nancumsum(array({1.0, kNaN, 2.0})), {1, 1, 3});
  expect_numbers(nancumprod(array({3.0, kNaN, 2.0})), {3, 3, 6});
  EXPECT_EQ(nanargmax(x, {.axis = 1}).to_vector<int>(), (std::vector<int>{2, -1, 2}));
  EXPECT_EQ(nanargmin(x).item<int>(), 8);
  EXPECT_EQ(nanargmax(array({kNaN, -kInf})).item<int>(), 1);
  EXPECT_EQ(nansum(array({1, 2})).item<int>(), 3);
  EXPECT_EQ(nanmax(array({1, 2})).dtype(), DType::i32);
}

}  // namespace
}  // namespace hearth
