// SPDX-License-Identifier: Apache-2.0
#include "generate/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

#include "base/error.h"

namespace hearth {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

// Shares of the draws 0.5/n, 1.5/n, ... by token.
std::map<int32_t, double> shares(const std::vector<float>& logits, const GenerateOptions& options) {
  constexpr int kDraws = 10000;
  std::map<int32_t, double> shares;
  for (int i = 0; i < kDraws; ++i) shares[sample(logits, options, (i + 0.5) / kDraws)] += 1.0 / kDraws;
  return shares;
}

// Tokens with probabilities 0.1, 0.4, 0.2, 0.3.
const std::vector<float> kFour = {std::log(0.1f), std::log(0.4f), std::log(0.2f), std::log(0.3f)};

TEST(Sampler, zero_temperature_takes_the_likeliest) {
  for (double random : {0.0, 0.5, 0.999}) EXPECT_EQ(sample(kFour, {.temperature = 0}, random), 1);
}

TEST(Sampler, ties_go_to_the_lower_id) {
  EXPECT_EQ(sample({1, 3, 2, 3}, {}, 0.9), 1);
  EXPECT_EQ(sample({1, 3, 2, 3}, {.temperature = 1, .top_k = 1}, 0.9), 1);
  EXPECT_EQ(sample({2, 2, 2, 2}, {.temperature = 1, .top_p = 0.25}, 0.9), 0);
}

TEST(Sampler, draws_by_probability) {
  const auto got = shares(kFour, {.temperature = 1});
  for (size_t i = 0; i < kFour.size(); ++i) EXPECT_NEAR(got.at(int32_t(i)), std::exp(kFour[i]), 1e-3);
}

TEST(Sampler, temperature_is_a_power_of_the_probabilities) {
  const auto got = shares(kFour, {.temperature = 0.5});  // squares: 1, 16, 4, 9 of 30
  EXPECT_NEAR(got.at(0), 1 / 30.0, 1e-3);
  EXPECT_NEAR(got.at(1), 16 / 30.0, 1e-3);
  EXPECT_NEAR(got.at(3), 9 / 30.0, 1e-3);
}

TEST(Sampler, top_k_keeps_k) {
  const auto got = shares(kFour, {.temperature = 1, .top_k = 2});
  EXPECT_EQ(got.size(), 2u);
  EXPECT_NEAR(got.at(1), 4 / 7.0, 1e-3);
  EXPECT_NEAR(got.at(3), 3 / 7.0, 1e-3);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_k = 100}).size(), 4u);
}

TEST(Sampler, top_p_keeps_the_fewest_that_reach_it) {
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_p = 0.39}).size(), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_p = 0.41}).size(), 2u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_p = 0.71}).size(), 3u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_p = 0.91}).size(), 4u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_p = 1e-300}).size(), 1u);
}

TEST(Sampler, top_p_counts_shares_of_what_top_k_left) {
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_k = 2, .top_p = 0.57}).size(), 1u);  // 4/7 of the two
  EXPECT_EQ(shares(kFour, {.temperature = 1, .top_k = 2, .top_p = 0.58}).size(), 2u);
}

TEST(Sampler, min_p_is_a_share_of_the_likeliest) {
  EXPECT_EQ(shares(kFour, {.temperature = 1, .min_p = 0.49}).size(), 3u);  // 0.4, 0.3, 0.2
  EXPECT_EQ(shares(kFour, {.temperature = 1, .min_p = 0.51}).size(), 2u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .min_p = 1}).size(), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 2, .min_p = 0.51}).size(), 3u);  // temperature comes first
}

// Expected surprise 1.280: token 3 (0.3: 1.204) is nearest, then 2 (0.2: 1.609), 1 (0.4: 0.916), 0 (0.1: 2.303).
TEST(Sampler, typical_keeps_what_surprises_as_expected) {
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.29}).count(3), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.29}).size(), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.49}).count(2), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.49}).size(), 2u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.51}).count(1), 1u);
  EXPECT_EQ(shares(kFour, {.temperature = 1, .typical_p = 0.91}).size(), 4u);
}

TEST(Sampler, draws_are_even_and_apart) {
  double sum = 0, products = 0;
  for (int64_t i = 0; i < 10000; ++i) {
    const double x = uniform(5, 0, i), y = uniform(5, 1, i);
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    products += (x - 0.5) * (y - 0.5);
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.015);              // five standard deviations of sqrt(1/12) / 100
  EXPECT_NEAR(products / 10000, 0, 5.0 / 12 / 100);  // of another sample: independent
  EXPECT_EQ(uniform(5, 1, 9), uniform(5, 1, 9));
  EXPECT_NE(uniform(5, 1, 9), uniform(6, 1, 9));
}

TEST(Sampler, nothing_left_is_an_error) {
  EXPECT_THROW(sample({-kInf, -kInf}, {}, 0), Error);
  EXPECT_THROW(sample({-kInf, kNan}, {.temperature = 1}, 0), Error);
}

TEST(Sampler, infinite_logits_and_nan) {
  const auto two = shares({0, kInf, 1, kInf}, {.temperature = 1});
  EXPECT_EQ(two.size(), 2u);
  EXPECT_NEAR(two.at(1), 0.5, 1e-9);
  EXPECT_EQ(shares({-kInf, 0, kNan}, {.temperature = 1}).count(1), 1u);
  EXPECT_EQ(shares({-kInf, 0, kNan}, {.temperature = 1}).size(), 1u);
  EXPECT_EQ(sample({kNan, -kInf, 1}, {}, 0), 2);
  EXPECT_THROW(sample({kNan, kNan}, {}, 0), Error);
  EXPECT_THROW(sample({kNan, kNan}, {.temperature = 1}, 0), Error);
}

TEST(Sampler, a_draw_next_to_one_stays_inside) {
  const double almost_one = std::nextafter(1.0, 0.0);
  EXPECT_EQ(sample({0, 0, 0}, {.temperature = 1}, almost_one), 2);
  EXPECT_EQ(sample({0, 0, -kInf}, {.temperature = 1}, almost_one), 1);
}

}  // namespace
}  // namespace hearth
