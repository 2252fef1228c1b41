// SPDX-License-Identifier: Apache-2.0
// NumPy's arithmetic on top of StableHLO: results are NumPy 2's for the same numbers, on every device.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "ops/op_test.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

using Build = std::function<Value(const std::vector<Value>&)>;

void expect_values(DType dtype, const std::vector<std::vector<double>>& in, const Build& build,
                   const std::vector<double>& wanted, double tolerance = 0) {
  for (const CompileOptions& options : {CompileOptions{}, CompileOptions{.devices = {"reference"}}}) {
    Graph graph;
    std::vector<Value> values;
    std::vector<Bytes> bytes;
    for (const std::vector<double>& x : in) {
      const int64_t n = int64_t(x.size()) / (is_complex(dtype) ? 2 : 1);
      values.push_back(graph.input("x" + std::to_string(values.size()), {dtype, {n}}));
      bytes.push_back(to_bytes(dtype, x));
    }
    const Value y = build(values);
    graph.output("y", y);
    const std::vector<double> got = to_doubles(y.dtype(), run_graph(graph, bytes, options)[0]);
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const double want = is_float(y.dtype()) ? rounded(y.dtype(), wanted[i]) : wanted[i];
      const bool same = std::isnan(want) ? std::isnan(got[i])
                                         : std::signbit(got[i]) == std::signbit(want) &&
                                               (got[i] == want || std::fabs(got[i] - want) <= tolerance);
      EXPECT_TRUE(same) << dtype << " on " << options.devices[0] << ", element " << i << ": " << got[i]
                        << " instead of " << want;
    }
  }
}

// Signs, zeros, infinities and NaN of dividend and divisor.
const std::vector<double> kA = {7, -7, 7, -7, 5, -5, 0, -0.0, 1, -1, kInf, 3, -3, kNan, 5.5, -5.5, 0.3, 6};
const std::vector<double> kB = {2, 2, -2, -2, 0, 0, 3, 3, kInf, kInf, 2, -kInf, -kInf, 1, -2.5, 2.5, 0.1, -3};

TEST(Numeric, floor_divide_and_mod_of_floats) {
  for (const DType dtype : {DType::f64}) {
    expect_values(dtype, {kA, kB}, [](const auto& in) { return floor_divide(in[0], in[1]); },
                  {3, -4, -4, 3, kInf, -kInf, 0, -0.0, 0, -1, kNan, -1, 0, kNan, -3, -3, 2, -2});
    expect_values(dtype, {kA, kB}, [](const auto& in) { return mod(in[0], in[1]); },
                  {1, 1, -1, -1, kNan, kNan, 0, 0, 1, kInf, kNan, -kInf, -3, kNan, -2, 2, 0.09999999999999998, -0.0});
    expect_values(dtype, {kA, kB}, [](const auto& in) { return fmod(in[0], in[1]); },
                  {1, -1, 1, -1, kNan, kNan, 0, -0.0, 1, -1, kNan, 3, -3, kNan, 0.5, -0.5, 0.09999999999999998, 0});
  }
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {  // 0.3 and 0.1 round: left out
    const std::vector<double> a(kA.begin(), kA.end() - 2), b(kB.begin(), kB.end() - 2);
    expect_values(dtype, {a, b}, [](const auto& in) { return floor_divide(in[0], in[1]); },
                  {3, -4, -4, 3, kInf, -kInf, 0, -0.0, 0, -1, kNan, -1, 0, kNan, -3, -3});
    expect_values(dtype, {a, b}, [](const auto& in) { return mod(in[0], in[1]); },
                  {1, 1, -1, -1, kNan, kNan, 0, 0, 1, kInf, kNan, -kInf, -3, kNan, -2, 2});
  }
}

TEST(Numeric, floor_divide_and_mod_of_integers) {
  for (const DType dtype : {DType::i8, DType::i16, DType::i32, DType::i64}) {
    const std::vector<double> a = {7, -7, 7, -7, 5, -5, -128, 0}, b = {2, 2, -2, -2, 0, 0, -1, 3};
    const double quotient = dtype == DType::i8 ? -128 : 128;  // the smallest / -1 wraps around
    expect_values(dtype, {a, b}, [](const auto& in) { return floor_divide(in[0], in[1]); },
                  {3, -4, -4, 3, 0, 0, quotient, 0});
    expect_values(dtype, {a, b}, [](const auto& in) { return mod(in[0], in[1]); }, {1, 1, -1, -1, 0, 0, 0, 0});
    expect_values(dtype, {a, b}, [](const auto& in) { return fmod(in[0], in[1]); }, {1, -1, 1, -1, 0, 0, 0, 0});
  }
  expect_values(DType::u32, {{7, 7, 4e9}, {2, 0, 3}}, [](const auto& in) { return floor_divide(in[0], in[1]); },
                {3, 0, 1333333333});
}

TEST(Numeric, signs) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    expect_values(dtype, {kA, kB}, [](const auto& in) { return copysign(in[0], in[1]); },
                  {7, 7, -7, -7, 5, 5, 0, 0, 1, 1, kInf, -3, -3, kNan, -5.5, 5.5, 0.3, -6});
    expect_values(dtype, {kA}, [](const auto& in) { return signbit(in[0]); },
                  {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0});
    expect_values(dtype, {kA}, [](const auto& in) { return trunc(in[0]); },
                  {7, -7, 7, -7, 5, -5, 0, -0.0, 1, -1, kInf, 3, -3, kNan, 5, -5, 0, 6});
  }
}

TEST(Numeric, nextafter) {
  const std::vector<double> from = {1, 1, 0, -0.0, 0, -1, kInf, kNan, 1}, to = {2, 0, 1, -1, 0, -kInf, 0, 1, kNan};
  const Build next = [](const auto& in) { return nextafter(in[0], in[1]); };
  expect_values(DType::f32, {from, to}, next,
                {1 + 0x1p-23, 1 - 0x1p-24, 0x1p-149, -0x1p-149, 0, -1 - 0x1p-23, 0x1.fffffep127, kNan, kNan});
  expect_values(DType::f64, {from, to}, next,
                {1 + 0x1p-52, 1 - 0x1p-53, 0x1p-1074, -0x1p-1074, 0, -1 - 0x1p-52, 0x1.fffffffffffffp1023, kNan, kNan});
  expect_values(DType::bf16, {{1, 1}, {2, 0}}, next, {1 + 0x1p-7, 1 - 0x1p-8});
  expect_values(DType::f16, {{1, 65504}, {0, kInf}}, next, {1 - 0x1p-11, kInf});
}

TEST(Numeric, logarithms_and_powers_of_two_and_ten) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const double tolerance = dtype == DType::f64 ? 2e-15 : 1e-6;
    expect_values(
        dtype, {{8, 1, 0, kInf, 0.5}}, [](const auto& in) { return log2(in[0]); }, {3, 0, -kInf, kInf, -1}, tolerance);
    expect_values(
        dtype, {{1000, 1, 0.1}}, [](const auto& in) { return log10(in[0]); }, {3, 0, -1}, tolerance);
    expect_values(
        dtype, {{3, -1, 0, -kInf}}, [](const auto& in) { return exp2(in[0]); }, {8, 0.5, 1, 0}, tolerance);
  }
}

TEST(Numeric, tests_and_logic) {
  const std::vector<double> x = {0, -0.0, 2, kNan, kInf, -kInf};
  expect_values(DType::f32, {x}, [](const auto& in) { return is_nan(in[0]); }, {0, 0, 0, 1, 0, 0});
  expect_values(DType::f32, {x}, [](const auto& in) { return is_inf(in[0]); }, {0, 0, 0, 0, 1, 1});
  expect_values(DType::bf16, {x}, [](const auto& in) { return is_finite_number(in[0]); }, {1, 1, 1, 0, 0, 0});
  expect_values(DType::i32, {{0, 5}}, [](const auto& in) { return is_finite_number(in[0]); }, {1, 1});
  expect_values(DType::u8, {{0, 5}}, [](const auto& in) { return is_nan(in[0]); }, {0, 0});
  expect_values(DType::complex64, {{0, kNan, kInf, 0, 1, 2}}, [](const auto& in) { return is_nan(in[0]); }, {1, 0, 0});
  expect_values(DType::complex64, {{0, kNan, kInf, 0, 1, 2}}, [](const auto& in) { return is_inf(in[0]); }, {0, 1, 0});
  expect_values(DType::f32, {x, {1, 1, 0, 1, 0, 1}}, [](const auto& in) { return logical_and(in[0], in[1]); },
                {0, 0, 0, 1, 0, 1});
  expect_values(DType::i32, {{0, 0, 3}, {0, 2, 2}}, [](const auto& in) { return logical_or(in[0], in[1]); }, {0, 1, 1});
  expect_values(DType::i32, {{0, 0, 3}, {0, 2, 2}}, [](const auto& in) { return logical_xor(in[0], in[1]); },
                {0, 1, 0});
  expect_values(DType::f32, {x}, [](const auto& in) { return logical_not(in[0]); }, {1, 1, 0, 0, 0, 0});
  expect_values(DType::u8, {{200}}, [](const auto& in) { return abs(in[0]); }, {200});
  expect_values(DType::i32, {{4, -1, 0}}, [](const auto& in) { return reciprocal(in[0]); }, {0, -1, -1});
}

// Where a formula has a branch that is not taken, or a corner, the derivative is still a number.
TEST(Numeric, derivatives_at_corners) {
  const auto slope = [](Build f) -> Build {
    return [f](const auto& in) { return vjp({f(in)}, {scalar_like(in[0], 1)}, {in[0]})[0]; };
  };
  for (const DType dtype : {DType::f32, DType::f64}) {
    expect_values(dtype, {{0}}, slope([](const auto& in) { return hypot(in[0], in[0] * 0.0); }), {0});
    expect_values(dtype, {{0}}, slope([](const auto& in) { return sinc(in[0]); }), {-0.0});
    expect_values(dtype, {{kInf}}, slope([](const auto& in) { return logaddexp(in[0], in[0] - in[0]); }), {kNan});
    expect_values(dtype, {{1e30}}, slope([](const auto& in) { return digamma(in[0]); }), {1e-30}, 1e-35);
    expect_values(dtype, {{1e30}}, slope([](const auto& in) { return lgamma(in[0]); }), {std::log(1e30)}, 1e-4);
    expect_values(dtype, {{3, -3}}, slope([](const auto& in) { return copysign(in[0], in[0] * 0.0 - 1.0); }), {-1, 1});
    expect_values(dtype, {{3.5, -3.5}}, slope([](const auto& in) { return mod(in[0], scalar_like(in[0], 2)); }),
                  {1, 1});
  }
}

}  // namespace
}  // namespace hearth
