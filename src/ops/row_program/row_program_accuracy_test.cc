// SPDX-License-Identifier: Apache-2.0
// The elementary functions over the whole range of floats. Prints the largest errors found.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/error.h"
#include "ops/row_program/row_program_test_kit.h"

namespace hearth::row_test {
namespace {

// Distance of y from the exact value in units of the last place of an f32 near it (2^-149 below 2^-126).
double error_ulps(float y, double exact) {
  if (std::isnan(exact)) return std::isnan(y) ? 0 : 1e30;
  const float rounded = float(exact);
  if (std::isinf(rounded) || std::isinf(y)) return ulps_between(y, rounded);
  int exponent;
  std::frexp(exact, &exponent);
  return std::fabs(double(y) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

struct Worst {
  double error = 0;
  float at = 0;
};

// Every `step`-th float by bits; HEARTH_ALL_FLOATS=1 takes every 7th.
template <class Exact, class Error>
Worst worst_of(Isa isa, RowOp op, Exact exact, Error error) {
  const uint32_t step = std::getenv("HEARTH_ALL_FLOATS") ? 7 : 9973;
  const int64_t n = 1 << 16;
  Builder build(1, n);
  build.store(build.op(op, build.load(0)), 0);
  Worst worst;
  Tensors in{Tensor(DType::f32, {n})}, out{Tensor(DType::f32, {n})};
  for (uint64_t bits = 0; bits < (uint64_t(1) << 32);) {
    for (int64_t i = 0; i < n; ++i, bits += step) {
      const uint32_t b = uint32_t(bits);
      std::memcpy(in[0].bytes.data() + i * 4, &b, 4);
    }
    run(isa, build.p, in, &out);
    for (int64_t i = 0; i < n; ++i) {
      const float x = in[0].at<float>(i);
      const double e = error(out[0].at<float>(i), exact(double(x)), x);
      if (e > worst.error) worst = {e, x};
    }
  }
  return worst;
}

template <class Exact>
void expect_ulps(RowOp op, double limit, Exact exact) {
  for (Isa isa : isas()) {
    const Worst worst = worst_of(isa, op, exact, [](float y, double want, float) { return error_ulps(y, want); });
    std::printf("  %-13s %-7s %.2f ulp at %.9g\n", name(op), isa_name(isa), worst.error, double(worst.at));
    EXPECT_LE(worst.error, limit) << name(op) << ' ' << isa_name(isa) << " at " << worst.at;
  }
}

TEST(RowProgramAccuracy, Exp) {
  expect_ulps(RowOp::exp_f32, 2, [](double x) { return std::exp(x); });
}
TEST(RowProgramAccuracy, Log) {
  expect_ulps(RowOp::log_f32, 2, [](double x) { return std::log(x); });
}
TEST(RowProgramAccuracy, Tanh) {
  expect_ulps(RowOp::tanh_f32, 2, [](double x) { return std::tanh(x); });
}
TEST(RowProgramAccuracy, Expm1) {
  expect_ulps(RowOp::expm1_f32, 2, [](double x) { return std::expm1(x); });
}
TEST(RowProgramAccuracy, Log1p) {
  expect_ulps(RowOp::log1p_f32, 2, [](double x) { return std::log1p(x); });
}
TEST(RowProgramAccuracy, Rsqrt) {
  expect_ulps(RowOp::rsqrt_f32, 1.6, [](double x) { return 1 / std::sqrt(x); });
}
TEST(RowProgramAccuracy, Logistic) {
  expect_ulps(RowOp::logistic_f32, 2, [](double x) { return 1 / (1 + std::exp(-x)); });
}

TEST(RowProgramAccuracy, Cbrt) {
  expect_ulps(RowOp::cbrt_f32, 0.51, [](double x) { return std::cbrt(x); });
}
TEST(RowProgramAccuracy, Tan) {
  expect_ulps(RowOp::tan_f32, 3, [](double x) { return std::tan(x); });
}
TEST(RowProgramAccuracy, Erf) {
  expect_ulps(RowOp::erf_f32, 2, [](double x) { return std::erf(x); });
}
// Of pairs of random size.
TEST(RowProgramAccuracy, Atan2) {
  for (Isa isa : isas()) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 3);
    const int64_t n = 1 << 20;
    Builder build(1, n);
    build.store(build.op(RowOp::atan2_f32, build.load(0), build.load(1)), 0);
    Tensors in{Tensor(DType::f32, {n}), Tensor(DType::f32, {n})}, out{Tensor(DType::f32, {n})};
    for (Tensor& t : in) {
      for (int64_t i = 0; i < n; ++i) {
        const float x = std::ldexp(normal(random), int(random() % 24) - 12);
        std::memcpy(t.bytes.data() + i * 4, &x, 4);
      }
    }
    run(isa, build.p, in, &out);
    double worst = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double exact = std::atan2(double(in[0].at<float>(i)), double(in[1].at<float>(i)));
      worst = std::max(worst, error_ulps(out[0].at<float>(i), exact));
    }
    std::printf("  atan2_f32     %-7s %.2f ulp\n", isa_name(isa), worst);
    EXPECT_LE(worst, 3) << isa_name(isa);
  }
}
TEST(RowProgramAccuracy, RoundEven) {
  expect_ulps(RowOp::round_even_f32, 0, [](double x) { return std::nearbyint(x); });
}
TEST(RowProgramAccuracy, RoundAway) {
  expect_ulps(RowOp::round_away_f32, 0, [](double x) { return std::round(x); });
}

template <class Exact>
void expect_close(RowOp op, Exact exact) {
  for (Isa isa : isas()) {
    const Worst worst = worst_of(isa, op, exact, [](float y, double want, float) {
      return std::isnan(want) ? (std::isnan(y) ? 0 : 1e30) : std::fabs(double(y) - want);
    });
    std::printf("  %-13s %-7s %.2g at %.9g\n", name(op), isa_name(isa), worst.error, double(worst.at));
    EXPECT_LE(worst.error, 3e-7) << name(op) << ' ' << isa_name(isa) << " at " << worst.at;
  }
}

TEST(RowProgramAccuracy, Sin) {
  expect_close(RowOp::sin_f32, [](double x) { return std::sin(x); });
}
TEST(RowProgramAccuracy, Cos) {
  expect_close(RowOp::cos_f32, [](double x) { return std::cos(x); });
}

float one(Isa isa, RowOp op, float x) {
  Builder build(1, 1);
  build.store(build.op(op, build.load(0)), 0);
  Tensors out{Tensor(DType::f32, {1})};
  run(isa, build.p, {Tensor(std::vector<float>{x}, {1})}, &out);
  return out[0].at<float>(0);
}

TEST(RowProgramAccuracy, EndsOfTheRange) {
  for (Isa isa : isas()) {
    const auto f = [&](RowOp op, float x) { return one(isa, op, x); };
    EXPECT_EQ(f(RowOp::exp_f32, -INFINITY), 0) << isa_name(isa);
    EXPECT_EQ(f(RowOp::exp_f32, INFINITY), INFINITY);
    EXPECT_EQ(f(RowOp::exp_f32, 88.73f), INFINITY);
    EXPECT_LT(f(RowOp::exp_f32, 88.72f), INFINITY);
    EXPECT_EQ(f(RowOp::exp_f32, -103.0f), 0x1p-149f);  // gradual underflow, not flushed
    EXPECT_EQ(f(RowOp::exp_f32, 0), 1);
    EXPECT_EQ(f(RowOp::log_f32, 0), -INFINITY);
    EXPECT_TRUE(std::isnan(f(RowOp::log_f32, -1)));
    EXPECT_EQ(f(RowOp::log_f32, INFINITY), INFINITY);
    EXPECT_EQ(f(RowOp::log_f32, 1), 0);
    EXPECT_EQ(f(RowOp::tanh_f32, INFINITY), 1);
    EXPECT_EQ(f(RowOp::tanh_f32, -INFINITY), -1);
    EXPECT_EQ(f(RowOp::logistic_f32, -INFINITY), 0);
    EXPECT_EQ(f(RowOp::logistic_f32, INFINITY), 1);
    EXPECT_GT(f(RowOp::logistic_f32, -100), 0);
    EXPECT_EQ(f(RowOp::expm1_f32, -INFINITY), -1);
    EXPECT_EQ(f(RowOp::expm1_f32, INFINITY), INFINITY);
    EXPECT_EQ(f(RowOp::log1p_f32, -1), -INFINITY);
    EXPECT_EQ(f(RowOp::log1p_f32, INFINITY), INFINITY);
    for (RowOp op : {RowOp::tanh_f32, RowOp::expm1_f32, RowOp::log1p_f32, RowOp::sin_f32, RowOp::sqrt_f32}) {
      EXPECT_EQ(std::bit_cast<uint32_t>(f(op, -0.0f)), 0x80000000u) << name(op) << ' ' << isa_name(isa);
    }
    for (RowOp op : {RowOp::exp_f32, RowOp::log_f32, RowOp::tanh_f32, RowOp::logistic_f32, RowOp::expm1_f32,
                     RowOp::log1p_f32, RowOp::sin_f32, RowOp::cos_f32}) {
      EXPECT_TRUE(std::isnan(f(op, NAN))) << name(op) << ' ' << isa_name(isa);
    }
    EXPECT_TRUE(std::isnan(f(RowOp::sin_f32, INFINITY)));
    EXPECT_TRUE(std::isnan(f(RowOp::cos_f32, -INFINITY)));
  }
}

}  // namespace
}  // namespace hearth::row_test
