// SPDX-License-Identifier: Apache-2.0
#include "ops/special/special.h"

#include <cmath>
#include <limits>

#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan(""), kPi = std::acos(-1.0);
const std::vector<DType> kFloats = {DType::f32, DType::bf16, DType::f16, DType::f64};
const std::vector<double> kSpecials = {0.0, -0.0, 1, -1, kInfinity, -kInfinity, kNan, 0.5};

double sinc_of(double x) { return x == 0 ? 1 : std::sin(kPi * x) / (kPi * x); }
double logaddexp_of(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return a == b ? a + std::log(2.0) : std::fmax(a, b) + std::log1p(std::exp(-std::fabs(a - b)));
}

// Newton's method on erf and erfc, whichever is small.
double erf_inv_of(double x) {
  if (std::isnan(x) || std::fabs(x) >= 1) return std::fabs(x) == 1 ? x * kInfinity : kNan;
  const double a = std::fabs(x);
  double y = 0;
  for (int i = 0; i < 100; ++i) {
    const double error = a < 0.5 ? std::erf(y) - a : (1 - a) - std::erfc(y);
    const double step = error / (2 / std::sqrt(kPi) * std::exp(-y * y));
    y -= std::fmax(std::fmin(step, 1), -0.5);
  }
  return std::copysign(y, x);
}

// Shifted up to where the series has all digits.
double digamma_of(double x) {
  if (x == -kInfinity || (x <= 0 && x == std::floor(x))) return kNan;
  if (x < 0) return digamma_of(-x) - 1 / x - kPi / std::tan(kPi * std::remainder(x, 1.0));
  long double sum = 0, z = x;  // more digits than the f64 that it checks
  for (; z < 30; z += 1) sum -= 1 / z;
  const long double u = 1 / (z * z);
  const long double tail = u * (1.0L / 12 - u * (1.0L / 120 - u * (1.0L / 252 - u * (1.0L / 240 - u * (1.0L / 132)))));
  return double(sum + std::log(z) - 0.5L / z - tail);
}

using Function1 = double (*)(double);
using Function2 = double (*)(double, double);

OpTest row1(const char* op, Function1 f, double low, double high) {
  OpTest test{.op = op,
              .build = [op](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {unary(op, in[0])}; },
              .definition = [f](const std::vector<Reals>& in) -> std::vector<Reals> {
                Reals y(in[0].dims);
                for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = f(in[0].at[i]);
                return {y};
              },
              .dtypes = kFloats,
              .c = 8,
              .grad_c = 32};
  for (const Dims& dims : std::vector<Dims>{{}, {1}, {0, 3}, {5, 7}, {127}, {129}, {3, 701}})
    test.cases.push_back({cat("range_", low, "_", high, "_", ShowDims{dims}), {{dims, low, high}}});
  test.cases.push_back({cat("nan_and_infinity_", high), {{{8}, 0, 0, {}, kSpecials}}, 1, false});
  return test;
}

OpTest row2(const char* op, Function2 f) {
  OpTest test{
      .op = op,
      .build = [op](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {binary(op, in[0], in[1])}; },
      .definition = [f](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals y(in[0].dims);
        for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = f(in[0].at[i], in[1].at[i]);
        return {y};
      },
      .dtypes = kFloats,
      .c = 4,
      .grad_c = 16};
  for (const Dims& dims : std::vector<Dims>{{}, {0, 3}, {5, 7}, {129}})
    test.cases.push_back({cat("shape_", ShowDims{dims}), {{dims, -3, 3}, {dims, -3, 3}}});
  std::vector<double> a, b;
  for (const double x : kSpecials) {
    for (const double y : kSpecials) a.push_back(x), b.push_back(y);
  }
  test.cases.push_back({"nan_and_infinity", {{{64}, 0, 0, {}, a}, {{64}, 0, 0, {}, b}}, 1, false});
  return test;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all = {
      row1(
          "erf", [](double x) { return std::erf(x); }, -3, 3),
      row1(
          "erfc", [](double x) { return std::erfc(x); }, -3, 3),
      row1("erf_inv", erf_inv_of, -0.95, 0.95),
      row1(
          "lgamma", [](double x) { return std::lgamma(x); }, 0.1, 12),
      row1(
          "lgamma", [](double x) { return std::lgamma(x); }, -3.8, -3.2),
      row1("digamma", digamma_of, 0.2, 12),
      row1("digamma", digamma_of, -2.8, -2.2),
      row1("sinc", sinc_of, -3, 3),
      row1(
          "asin", [](double x) { return std::asin(x); }, -0.9, 0.9),
      row1(
          "acos", [](double x) { return std::acos(x); }, -0.9, 0.9),
      row1(
          "atan", [](double x) { return std::atan(x); }, -4, 4),
      row1(
          "sinh", [](double x) { return std::sinh(x); }, -4, 4),
      row1(
          "cosh", [](double x) { return std::cosh(x); }, -4, 4),
      row1(
          "asinh", [](double x) { return std::asinh(x); }, -9, 9),
      row1(
          "acosh", [](double x) { return std::acosh(x); }, 1.2, 9),
      row1(
          "atanh", [](double x) { return std::atanh(x); }, -0.9, 0.9),
      row2("hypot", [](double a, double b) { return std::hypot(a, b); }),
      row2("logaddexp", logaddexp_of),
  };
  return all;
}

HEARTH_OP_TESTS(special, rows)

}  // namespace
}  // namespace hearth
