// SPDX-License-Identifier: Apache-2.0
#include "array/elementwise_functions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "array/creation.h"
#include "array/jit.h"
#include "base/error.h"

namespace hearth {
namespace {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Bools = std::vector<bool>;

struct OfOne {
  const char* name;
  Array (*function)(const Array&);
  double (*definition)(double);
  double low, high;
};

// clang-format off
#define ROW(f, formula, low, high) OfOne{#f, f, [](double x) -> double { return formula; }, low, high}
const OfOne kOfOne[] = {
  ROW(exp, std::exp(x), -3, 3),       ROW(expm1, std::expm1(x), -3, 3),   ROW(exp2, std::exp2(x), -3, 3),
  ROW(log, std::log(x), 0.1, 9),      ROW(log1p, std::log1p(x), -0.9, 9), ROW(log2, std::log2(x), 0.1, 9),
  ROW(log10, std::log10(x), 0.1, 9),  ROW(sqrt, std::sqrt(x), 0, 9),      ROW(cbrt, std::cbrt(x), -9, 9),
  ROW(rsqrt, 1 / std::sqrt(x), 0.1, 9), ROW(sin, std::sin(x), -9, 9),     ROW(cos, std::cos(x), -9, 9),
  ROW(tan, std::tan(x), -1, 1),       ROW(asin, std::asin(x), -1, 1),     ROW(acos, std::acos(x), -1, 1),
  ROW(atan, std::atan(x), -9, 9),     ROW(sinh, std::sinh(x), -3, 3),     ROW(cosh, std::cosh(x), -3, 3),
  ROW(tanh, std::tanh(x), -3, 3),     ROW(asinh, std::asinh(x), -9, 9),   ROW(acosh, std::acosh(x), 1, 9),
  ROW(atanh, std::atanh(x), -0.9, 0.9), ROW(abs, std::fabs(x), -9, 9),    ROW(square, x * x, -9, 9),
  ROW(reciprocal, 1 / x, 0.1, 9),     ROW(floor, std::floor(x), -9, 9),   ROW(ceil, std::ceil(x), -9, 9),
  ROW(trunc, std::trunc(x), -9, 9),   ROW(sign, double((x > 0) - (x < 0)), -9, 9),
  ROW(negative, -x, -9, 9),           ROW(positive, x, -9, 9),            ROW(deg2rad, x * M_PI / 180, -180, 180),
  ROW(rad2deg, x * 180 / M_PI, -3, 3), ROW(sinc, x == 0 ? 1 : std::sin(M_PI * x) / (M_PI * x), -3, 3),
  ROW(real, x, -9, 9),                ROW(conj, x, -9, 9),                ROW(imag, 0 * x, -9, 9),
};
#undef ROW
// clang-format on

TEST(Elementwise, functions_of_one_number) {
  for (const OfOne& row : kOfOne) {
    SCOPED_TRACE(row.name);
    const Array x = linspace(row.low, row.high, 33, {.dtype = DType::f64});
    const std::vector<double> in = x.to_vector<double>(), wide = row.function(x).to_vector<double>();
    const Array narrow = row.function(x.astype(DType::f32));
    EXPECT_EQ(narrow.dtype(), DType::f32);
    for (size_t i = 0; i < in.size(); ++i) {
      const double want = row.definition(in[i]);
      EXPECT_NEAR(wide[i], want, 1e-13 * (1 + std::fabs(want))) << in[i];
      const double want_f32 = row.definition(float(in[i]));
      EXPECT_NEAR(narrow.to_vector<float>()[i], want_f32, 4e-6 * (1 + std::fabs(want_f32))) << in[i];
    }
  }
}

TEST(Elementwise, integers_become_f32_only_where_they_must) {
  const Array n = array({-2, 0, 3});
  for (const auto f : {abs, sign, square, floor, ceil, trunc, negative, positive, real, conj})
    EXPECT_EQ(f(n).dtype(), DType::i32);
  for (const auto f : {exp, log, sin, sqrt, reciprocal, cbrt, deg2rad, angle}) EXPECT_EQ(f(n).dtype(), DType::f32);
  EXPECT_EQ(round(n).dtype(), DType::i32);
  EXPECT_TRUE(exp(Array(1)).weak());
  EXPECT_FALSE(isnan(Array(1)).weak());
  EXPECT_EQ((exp(Array(1)) * ones({1}, DType::bf16)).dtype(), DType::bf16);
}

TEST(Elementwise, functions_of_two_numbers) {
  const Array a = array({7.0, -7.0, 7.0, -7.0}), b = array({2.0, 2.0, -2.0, -2.0});
  using Doubles = std::vector<double>;
  EXPECT_EQ(floor_divide(a, b).to_vector<double>(), (Doubles{3, -4, -4, 3}));
  EXPECT_EQ(remainder(a, b).to_vector<double>(), (Doubles{1, 1, -1, -1}));
  EXPECT_EQ(fmod(a, b).to_vector<double>(), (Doubles{1, -1, 1, -1}));
  EXPECT_EQ(divmod(a, b)[1].to_vector<double>(), (Doubles{1, 1, -1, -1}));
  EXPECT_EQ(pow(array({2, 3}), array({10, 2})).to_vector<int64_t>(), (Ints{1024, 9}));
  EXPECT_EQ(pow(array({4.0f}), 0.5).item<float>(), 2);
  EXPECT_EQ(hypot(array({3.0f}), 4).item<float>(), 5);
  EXPECT_EQ(hypot(array({3e300}), 4e300).item<double>(), 5e300);
  EXPECT_EQ(copysign(array({1.0f, 2.0f}), array({-0.0f, 3.0f})).to_vector<float>(), (Floats{-1, 2}));
  EXPECT_EQ(nextafter(array({1.0f}), 2).item<float>(), std::nextafter(1.0f, 2.0f));
  EXPECT_NEAR(logaddexp(array({1000.0f}), 1000).item<float>(), 1000 + std::log(2.0), 1e-4);
  EXPECT_NEAR(logaddexp2(array({3.0}), 3).item<double>(), 4, 1e-12);
  EXPECT_NEAR(atan2(array({1.0f}), -1).item<float>(), 3 * M_PI / 4, 1e-6);
  EXPECT_EQ(heaviside(array({-1.0f, 0.0f, 2.0f}), 0.5).to_vector<float>(), (Floats{0, 0.5, 1}));
  EXPECT_EQ(ldexp(array({1.5f, 0x1p-140f}), array({3, 250})).to_vector<float>(), (Floats{12, 0x1p110f}));
  EXPECT_EQ(add(1, array({2})).item<int>() + subtract(5, array({2})).item<int>(), 6);
  EXPECT_EQ(multiply(array({2}), 3).item<int>(), 6);
  EXPECT_EQ(divide(array({1}), 2).item<float>(), 0.5);
}

TEST(Elementwise, division_of_integers_by_zero_and_at_the_end_of_the_range) {
  const Array a = array({5, -5, 0, INT32_MIN});
  EXPECT_EQ(floor_divide(a, array({0, 0, 0, -1})).to_vector<int64_t>(), (Ints{0, 0, 0, INT32_MIN}));
  EXPECT_EQ(remainder(a, array({0, 0, 0, -1})).to_vector<int64_t>(), (Ints{0, 0, 0, 0}));
  EXPECT_EQ((a % array({0, 0, 0, -1})).to_vector<int64_t>(), (Ints{0, 0, 0, 0}));  // as the function
  EXPECT_EQ(abs(array({uint8_t(200)})).item<int>(), 200);
  EXPECT_EQ(bitwise_left_shift(array({1}), 40).item<int>(), 0);
  EXPECT_EQ(bitwise_right_shift(array({-8, -8}), array({1, 99})).to_vector<int64_t>(), (Ints{-4, -1}));
}

TEST(Elementwise, nan_in_extrema) {
  const Array a = array({1.0f, NAN, 3.0f, NAN}), b = array({2.0f, 2.0f, NAN, NAN});
  EXPECT_TRUE(std::isnan(maximum(a, b).to_vector<float>()[1]));
  EXPECT_TRUE(std::isnan(minimum(a, b).to_vector<float>()[2]));
  const Floats most = fmax(a, b).to_vector<float>(), least = fmin(a, b).to_vector<float>();
  EXPECT_EQ((Floats{most[0], most[1], most[2]}), (Floats{2, 2, 3}));
  EXPECT_EQ((Floats{least[0], least[1], least[2]}), (Floats{1, 2, 3}));
  EXPECT_TRUE(std::isnan(most[3]) && std::isnan(least[3]));
  EXPECT_EQ(clip(array({-5, 2, 9}), 0, 4).to_vector<int64_t>(), (Ints{0, 2, 4}));
  EXPECT_EQ(clip(array({-5, 2, 9}), {}, 4).to_vector<int64_t>(), (Ints{-5, 2, 4}));
}

TEST(Elementwise, rounding) {
  EXPECT_EQ(round(array({0.5f, 1.5f, -2.5f})).to_vector<float>(), (Floats{0, 2, -2}));
  EXPECT_EQ(round(array({1.2345}), 2).item<double>(), 1.23);
  EXPECT_EQ(round(array({1250.0f}), -2).item<float>(), 1200);
  EXPECT_EQ(round(array({1350, 149}), -2).to_vector<int64_t>(), (Ints{1400, 100}));
  EXPECT_EQ(round(array({std::complex<float>(1.5f, -0.6f)})).item<std::complex<float>>(), std::complex<float>(2, -1));
}

TEST(Elementwise, tests_and_logic) {
  const Array x = array({1.0f, INFINITY, -INFINITY, NAN, -0.0f});
  EXPECT_EQ(isfinite(x).to_vector<bool>(), (Bools{true, false, false, false, true}));
  EXPECT_EQ(isinf(x).to_vector<bool>(), (Bools{false, true, true, false, false}));
  EXPECT_EQ(isnan(x).to_vector<bool>(), (Bools{false, false, false, true, false}));
  EXPECT_EQ(signbit(array({1.0f, -0.0f, -3.0f})).to_vector<bool>(), (Bools{false, true, true}));
  EXPECT_EQ(isfinite(arange(2)).to_vector<bool>(), (Bools{true, true}));
  EXPECT_EQ(isnan(arange(2)).to_vector<bool>(), (Bools{false, false}));
  EXPECT_EQ(logical_and(array({2, 0}), array({1, 1})).to_vector<bool>(), (Bools{true, false}));
  EXPECT_EQ(logical_or(array({0.0f, NAN}), false).to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(logical_xor(array({2, 0}), 1).to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(logical_not(array({2, 0})).to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(less_equal(array({1, 2}), 1).to_vector<bool>(), (Bools{true, false}));
  EXPECT_EQ(greater(array({1, 2}), 1).to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(bitwise_invert(array({true, false})).to_vector<bool>(), (Bools{false, true}));
  EXPECT_EQ(bitwise_count(array({7, -1, 0})).to_vector<int64_t>(), (Ints{3, 1, 0}));
  EXPECT_EQ(bitwise_xor(array({6}), 3).item<int>() + bitwise_and(array({6}), 3).item<int>(), 7);
  EXPECT_EQ(bitwise_or(array({6}), 3).item<int>(), 7);
}

TEST(Elementwise, where_takes_no_derivative_of_the_other_branch) {
  const auto f = [](const Array& x) { return where(x > 0, sqrt(x), 0).reshape({}); };
  EXPECT_EQ(grad(f)(array({4.0f})).item<float>(), 0.25);
  EXPECT_EQ(where(array({1, 0}), array({1, 2}), 2.5).to_vector<float>(), (Floats{1, 2.5}));
  EXPECT_EQ(where(true, array({1, 2}), 0).to_vector<int64_t>(), (Ints{1, 2}));
}

TEST(Elementwise, complex_numbers) {
  using C = std::complex<double>;
  const Array z = array({C(3, 4)});
  EXPECT_EQ(abs(z).item<double>(), 5);
  EXPECT_EQ(conj(z).item<C>(), C(3, -4));
  EXPECT_EQ(imag(z).item<double>(), 4);
  EXPECT_NEAR(angle(z).item<double>(), std::atan2(4.0, 3.0), 1e-15);
  EXPECT_NEAR(std::abs(exp(z).item<C>() - std::exp(C(3, 4))), 0, 1e-12);
  EXPECT_NEAR(std::abs(asin(z).item<C>() - std::asin(C(3, 4))), 0, 1e-12);
}

TEST(Elementwise, errors) {
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([] { bitwise_and(array({1.0f}), 1); }),
            "bitwise_and: needs integers or bool; an operand is f32[1]");
  EXPECT_EQ(message([] { round(array({1.0f}), 400); }), "round: cannot keep 400 decimals");
  EXPECT_NE(message([] { floor(array({std::complex<float>(1, 1)})); }), "no error");
  EXPECT_NE(message([] { remainder(array({std::complex<float>(1, 1)}), 2); }), "no error");
}

}  // namespace
}  // namespace hearth
