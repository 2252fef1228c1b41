// SPDX-License-Identifier: Apache-2.0
// Largest errors of the special functions, in units of the last place: f32 on the cpu against the C library in f64, f64
// against it in long double. Prints what it finds.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "array/run_graph.h"
#include "ops/op_test.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

using Function = Value (*)(const Value&);
using Exact = long double (*)(long double);

struct Range {
  const char* name;
  Function function;
  Exact exact;
  double low, high;       // between them as many numbers of each size as above and below 1
  double ulps32, ulps64;  // allowed
  double least = 0;       // errors are relative to at least this: near a zero that has no closed form
};

constexpr int kSamples = 40000;

// Half of them evenly, half with evenly spread exponents.
std::vector<double> samples(const Range& range, DType dtype) {
  std::vector<double> x;
  for (int i = 0; i < kSamples; ++i) {
    const double u = random_unit(17, uint64_t(i));
    const double even = range.low + (range.high - range.low) * u;
    const double sign = random_unit(18, uint64_t(i)) < 0.5 ? -1 : 1;
    const double size = std::exp2(-30 + u * (30 + std::log2(std::fmax(std::fabs(range.low), std::fabs(range.high)))));
    const double small = std::fmax(range.low, std::fmin(range.high, sign * size));
    x.push_back(rounded(dtype, i % 2 ? small : even));
  }
  return x;
}

double worst_ulps(const Range& range, DType dtype, double* at) {
  const std::vector<double> x = samples(range, dtype);
  Graph graph;
  graph.output("y", range.function(graph.input("x", {dtype, {kSamples}})));
  const std::vector<double> y = to_doubles(dtype, run_graph(graph, {to_bytes(dtype, x)})[0]);
  const int digits = dtype == DType::f64 ? 53 : 24, smallest = dtype == DType::f64 ? -1074 : -149;
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const long double want = range.exact(x[i]);
    if (std::isnan(want) && std::isnan(y[i])) continue;
    const long double size = std::fmax(std::fabs(want), static_cast<long double>(range.least));
    const int exponent = size == 0 ? smallest : std::max(std::ilogb(size) - digits + 1, smallest);
    const double error =
        want == y[i] ? 0 : double(std::fabs((static_cast<long double>(y[i]) - want) / std::ldexp(1.0L, exponent)));
    if (!(error <= worst)) worst = error, *at = x[i];
  }
  return worst;
}

void expect_accuracy(const std::vector<Range>& ranges) {
  for (const Range& range : ranges) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      double at = 0;
      const double worst = worst_ulps(range, dtype, &at), limit = dtype == DType::f64 ? range.ulps64 : range.ulps32;
      std::printf("  %-8s %-4s [%g, %g] %.2f ulp at %.17g\n", range.name, name(dtype), range.low, range.high, worst,
                  at);
      EXPECT_LE(worst, limit) << range.name << ' ' << dtype << " at " << at;
    }
  }
}

TEST(SpecialAccuracy, error_function) {
  expect_accuracy({{"erf", erf, [](long double x) { return std::erf(x); }, -5, 5, 2, 3},
                   {"erfc", erfc, [](long double x) { return std::erfc(x); }, -4, 9, 7, 7},
                   {"erfc", erfc, [](long double x) { return std::erfc(x); }, 1, 26, 6, 6}});
}

TEST(SpecialAccuracy, gamma) {
  expect_accuracy({{"lgamma", lgamma, [](long double x) { return std::lgamma(x); }, 0.001, 30, 6, 6},
                   {"lgamma", lgamma, [](long double x) { return std::lgamma(x); }, 30, 1e30, 6, 6},
                   {"lgamma", lgamma, [](long double x) { return std::lgamma(x); }, -20, 0, 10, 10, 1}});
}

TEST(SpecialAccuracy, inverse_functions) {
  expect_accuracy({{"asin", asin, [](long double x) { return std::asin(x); }, -1, 1, 4, 4},
                   {"acos", acos, [](long double x) { return std::acos(x); }, -1, 1, 4, 4},
                   {"atan", atan, [](long double x) { return std::atan(x); }, -1e6, 1e6, 3, 3},
                   {"asinh", asinh, [](long double x) { return std::asinh(x); }, -1e6, 1e6, 4, 4},
                   {"asinh", asinh, [](long double x) { return std::asinh(x); }, 1e6, 1e30, 4, 4},
                   {"acosh", acosh, [](long double x) { return std::acosh(x); }, 1, 1e6, 4, 4},
                   {"atanh", atanh, [](long double x) { return std::atanh(x); }, -1, 1, 4, 4}});
}

TEST(SpecialAccuracy, hyperbolic) {
  expect_accuracy({{"sinh", sinh, [](long double x) { return std::sinh(x); }, -89.4, 89.4, 4, 4},
                   {"cosh", cosh, [](long double x) { return std::cosh(x); }, -89.4, 89.4, 4, 4}});
}

// The definition itself in long double: shifted up to where the series has all digits.
long double digamma_of(long double x) {
  long double sum = 0;
  for (; x < 30; x += 1) sum -= 1 / x;
  const long double u = 1 / (x * x);
  return sum + std::log(x) - 0.5L / x -
         u * (1.0L / 12 -
              u * (1.0L / 120 - u * (1.0L / 252 - u * (1.0L / 240 - u * (1.0L / 132 - u * 691.0L / 32760)))));
}
long double erf_inv_of(long double x) {
  long double y = 0;
  const long double a = std::fabs(x), slope = 2 / std::sqrt(std::acos(-1.0L));
  for (int i = 0; i < 60; ++i) {
    const long double error = a < 0.5L ? std::erf(y) - a : (1 - a) - std::erfc(y);
    y -= std::fmax(std::fmin(error / (slope * std::exp(-y * y)), 1.0L), -0.5L);
  }
  return std::copysign(y, x);
}

TEST(SpecialAccuracy, digamma) { expect_accuracy({{"digamma", digamma, digamma_of, 0.001, 1e6, 5, 5, 0.2}}); }
TEST(SpecialAccuracy, erf_inv) { expect_accuracy({{"erf_inv", erf_inv, erf_inv_of, -0.9999999, 0.9999999, 5, 5}}); }

}  // namespace
}  // namespace hearth
