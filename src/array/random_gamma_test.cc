// SPDX-License-Identifier: Apache-2.0
// Derivatives of gamma samples by their shape a: first and second, of samples x whose place in the distribution P
// stays.
#include <gtest/gtest.h>

#include <cmath>

#include "array/arrays.h"
#include "array/random_values.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

using Doubles = std::vector<double>;

Array log_slope(const Array& log_x, const Array& a) {
  return record([](const Value& l, const Value& v) { return random::gamma_log_slope(l, v, 2); }, log_x, a);
}

// How log_slope moves with a when log x moves with it: d2 log x / da2.
Array second_log_slope(const Array& log_x, const Array& a) {
  const auto on_list = [](const Arrays& in) -> Arrays { return {log_slope(in[0], in[1])}; };
  return jvp(ArrayFunction(on_list), {log_x, a}, {log_slope(log_x, a), ones_like(a)}).tangents[0];
}

void expect_near(const Array& x, const Doubles& want, double relative) {
  const Doubles got = x.to_vector<double>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], want[i], relative * std::fabs(want[i])) << i;
}

// Wanted: mpmath with 40 digits, the x that keeps P(a, x), differences in a.
TEST(RandomGamma, slopes_are_those_of_the_inverse_distribution) {
  const Array a = array({0.3, 1.5, 7.0, 40.0, 2.5}), log_x = log(array({0.05, 2.0, 3.0, 55.0, 14.0}));
  expect_near(log_slope(log_x, a), {9.89421974005, 0.642314775336, 0.216779881128, 0.0213186608653, 0.15943059766},
              1e-9);
  expect_near(second_log_slope(log_x, a),
              {-58.98595975, -0.4657359493, -0.03855059953, -4.938566833e-4, -0.04316688654}, 1e-8);
}

// Beyond 1e5 an expansion takes over: x = a + z sqrt a + ..., so that x'' = -z a^(-3/2) / 4 up to 1 / a.
TEST(RandomGamma, second_slope_of_large_shapes) {
  const double a = 4e6, z = 1.5, x = a + z * std::sqrt(a) + (z * z - 1) / 3;
  const double first = log_slope(array({std::log(x)}), array({a})).item<double>();
  const double second = second_log_slope(array({std::log(x)}), array({a})).item<double>();
  EXPECT_NEAR(x * first, 1 + z / (2 * std::sqrt(a)), 1e-9);
  // log x is differentiated with 16 digits of x'' / x = 1e-17 beside x'^2 / x^2 = 6e-14.
  EXPECT_NEAR(x * (second + first * first), -z * std::pow(a, -1.5) / 4, 2e-2 * z * std::pow(a, -1.5) / 4);
}

Array curvature(const Array& key, const Array& a, bool log_space) {
  const auto samples = [=](const Array& at) {
    return sum(log_space ? random::loggamma(key, at, {}, at.dtype()) : random::gamma(key, at, {}, at.dtype()));
  };
  const auto slope = grad(samples);
  return grad([=](const Array& at) { return sum(slope(at)); })(a);
}

TEST(RandomGamma, the_derivative_of_the_derivative) {
  const Array key = random::key(11), a = array({0.2, 0.9, 1.0, 3.5, 60.0});
  const Array x = random::gamma(key, a, {}, DType::f64), log_x = random::loggamma(key, a, {}, DType::f64);
  const Array first = log_slope(log(x), a), second = second_log_slope(log(x), a);
  expect_near(curvature(key, a, false), (x * (second + first * first)).to_vector<double>(), 1e-9);
  expect_near(curvature(key, a, true), second_log_slope(log_x, a).to_vector<double>(), 1e-9);
  // In f32 the sample is another one. The two terms of x'' cancel in f32: off by 8e-6 at a = 60.
  const Array narrow = a.astype(DType::f32), y = random::gamma(key, narrow).astype(DType::f64);
  const Array f = log_slope(log(y), a), s = second_log_slope(log(y), a);
  expect_near(curvature(key, narrow, false), (y * (s + f * f)).to_vector<double>(), 2e-5);
}

TEST(RandomGamma, hessian_batched_and_compiled) {
  const Array key = random::key(3), a = array({0.7, 4.0});
  const auto total = [=](const Array& at) { return sum(random::gamma(key, at, {}, DType::f64)); };
  const Doubles want = curvature(key, a, false).to_vector<double>();
  expect_near(diagonal(jit(hessian(total))(a)), want, 1e-12);
  EXPECT_EQ(hessian(total)(a)(0, 1).item<double>(), 0);
}

TEST(RandomGamma, a_third_derivative_is_refused) {
  const Array key = random::key(5), a = array({0.7, 4.0});
  const auto third = [&](bool log_space) {
    grad([&](const Array& at) { return sum(curvature(key, at, log_space)); })(a);
  };
  for (const bool log_space : {false, true})
    EXPECT_EQ(message_of([&] { third(log_space); }),
              "gamma: has two derivatives by its shape parameter, not a third\n  in grad");
}

}  // namespace
}  // namespace hearth
