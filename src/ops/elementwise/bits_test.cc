// SPDX-License-Identifier: Apache-2.0
// Bits, rounding, clamp, total order: rows, corner cases with known results on every device, and error texts.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
const std::vector<DType> kFloats = {DType::f32, DType::bf16, DType::f16, DType::f64};

// --- rows -----------------------------------------------------------------------------------------------------------

using Count = int (*)(uint64_t bits, int width);

OpTest count_row(const char* op, DType dtype, Count count) {
  return {.op = op,
          .cases = {{cat(dtype, "_random"), {{{3, 47}, 0, 120}}},
                    {cat(dtype, "_empty"), {{{0}, 0, 1}}},
                    {cat(dtype, "_ends"), {{{4}, 0, 0, {}, {0, 1, 127, is_signed_int(dtype) ? -1.0 : 64.0}}}}},
          .build = [op](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {unary(op, in[0])}; },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(in[0].dims);
            const int width = int(size_bytes(dtype)) * 8;
            for (size_t i = 0; i < y.at.size(); ++i)
              y.at[i] = count(uint64_t(int64_t(in[0].at[i])) & (~uint64_t(0) >> (64 - width)), width);
            return {y};
          },
          .dtypes = {dtype},
          .grad = false};
}

OpTest clamp_row(bool scalars) {
  OpTest row{
      .op = "clamp",
      .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {clamp(in[0], in[1], in[2])}; },
      .definition = [scalars](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals y(in[1].dims);
        for (size_t i = 0; i < y.at.size(); ++i) {
          const double low = in[0].at[scalars ? 0 : i], high = in[2].at[scalars ? 0 : i], x = in[1].at[i];
          y.at[i] = std::isnan(x) ? x : std::fmin(std::fmax(x, low), high);
        }
        return {y};
      },
      .dtypes = kFloats};
  for (const Dims& dims : std::vector<Dims>{{}, {0, 3}, {5, 7}, {129}}) {
    const Dims bounds = scalars ? Dims{} : dims;
    row.cases.push_back(
        {cat(scalars ? "scalars_" : "tensors_", ShowDims{dims}), {{bounds, -2, -1}, {dims, -3, 3}, {bounds, 1, 2}}});
  }
  if (scalars)
    row.cases.push_back(
        {"nan_and_infinity",
         {{{}, 0, 0, {}, {-1}}, {{4}, 0, 0, {}, {kInfinity, -kInfinity, kNan, -0.0}}, {{}, 0, 0, {}, {1}}},
         1,
         false});
  return row;
}

// The nearest number with so many mantissa bits, ties to even.
double reduced(double x, int exponent, int mantissa) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int largest = (1 << (exponent - 1)) - 1;
  const double y = std::ldexp(std::nearbyint(std::ldexp(x, mantissa - std::ilogb(x))), std::ilogb(x) - mantissa);
  if (std::ilogb(y) > largest) return std::copysign(kInfinity, x);
  return std::ilogb(y) < 1 - largest ? std::copysign(0, x) : y;
}

OpTest reduce_precision_row(int exponent, int mantissa, double low, double high) {
  OpTest row{.op = "reduce_precision",
             .cases = {{cat("e", exponent, "m", mantissa), {{{5, 77}, low, high}}, 1, false},
                       {cat("e", exponent, "m", mantissa, "_ends"),
                        {{{7}, 0, 0, {}, {0, -0.0, kInfinity, -kInfinity, kNan, 1, 1 + 0x1p-6}}},
                        1,
                        false}},
             .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
               return {reduce_precision(in[0], exponent, mantissa)};
             },
             .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
               Reals y(in[0].dims);
               for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = reduced(in[0].at[i], exponent, mantissa);
               return {y};
             },
             .dtypes = {DType::f32, DType::f64},
             .c = 0};
  return row;
}

// With all bits kept it is the identity, whose derivative central differences can see.
OpTest whole_precision_row() {
  OpTest row = reduce_precision_row(11, 52, -3, 3);
  row.cases = {{"e11m52", {{{5, 7}, -3, 3}}}};
  row.dtypes = kFloats;
  row.definition = [](const std::vector<Reals>& in) -> std::vector<Reals> { return {in[0]}; };
  return row;
}

// There and back is the identity, through a wider, an equal or a narrower dtype.
OpTest bitcast_row(DType from, DType through, const Dims& dims) {
  return {.op = "bitcast_convert",
          .cases = {{cat(from, "_through_", through, "_", ShowDims{dims}), {{dims, 0, 100, from}}}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {bitcast_convert(bitcast_convert(in[0], through), from)};
          },
          .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> { return {in[0]}; },
          .dtypes = {DType::i32},  // not read: the input has its own
          .grad = false};
}

OpTest scalar_pred_row() {
  return {.op = "select",
          .cases = {{"scalar_pred", {{{}, 0, 0, DType::boolean, {1}}, {{5, 7}, -3, 3}, {{5, 7}, -3, 3}}},
                    {"scalar_pred_false", {{{}, 0, 0, DType::boolean, {0}}, {{129}, -3, 3}, {{129}, -3, 3}}}},
          .build = [](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
            return {graph.add("select", in)};
          },
          .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
            return {in[0].at[0] != 0 ? in[1] : in[2]};
          },
          .dtypes = kFloats};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all = {clamp_row(true),
                             clamp_row(false),
                             reduce_precision_row(8, 7, -1e3, 1e3),
                             reduce_precision_row(5, 10, -1e5, 1e5),
                             reduce_precision_row(5, 2, -1e-3, 1e-3),
                             reduce_precision_row(4, 3, -500, 500),
                             whole_precision_row(),
                             bitcast_row(DType::f32, DType::u32, {5, 7}),
                             bitcast_row(DType::f32, DType::u8, {5, 7}),
                             bitcast_row(DType::f32, DType::f64, {3, 2}),
                             bitcast_row(DType::f64, DType::i64, {4}),
                             bitcast_row(DType::f64, DType::i16, {4}),
                             bitcast_row(DType::bf16, DType::f16, {9}),
                             bitcast_row(DType::i32, DType::f32, {129}),
                             bitcast_row(DType::u8, DType::u64, {0, 8}),
                             scalar_pred_row()};
  for (const DType dtype :
       {DType::i8, DType::i16, DType::i32, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64}) {
    all.push_back(count_row("popcnt", dtype, [](uint64_t bits, int) { return std::popcount(bits); }));
    all.push_back(count_row("count_leading_zeros", dtype,
                            [](uint64_t bits, int width) { return std::countl_zero(bits) - (64 - width); }));
  }
  return all;
}

HEARTH_OP_TESTS(bits, rows)

// --- corner cases ---------------------------------------------------------------------------------------------------

using Build = std::function<Value(Graph&, const std::vector<Value>&)>;

// On the cpu with what falls back, and on the reference device alone.
void expect_values(DType dtype, const std::vector<std::vector<double>>& in, const Build& build,
                   const std::vector<double>& wanted) {
  for (const CompileOptions& options : {CompileOptions{}, CompileOptions{.devices = {"reference"}}}) {
    Graph graph;
    std::vector<Value> values;
    std::vector<Bytes> bytes;
    for (const std::vector<double>& x : in) {
      values.push_back(graph.input("x" + std::to_string(values.size()), {dtype, {int64_t(x.size())}}));
      bytes.push_back(to_bytes(dtype, x));
    }
    const Value y = build(graph, values);
    graph.output("y", y);
    const std::vector<double> got = to_doubles(y.dtype(), run_graph(graph, bytes, options)[0]);
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const bool same = std::isnan(wanted[i]) ? std::isnan(got[i])
                                              : got[i] == wanted[i] && std::signbit(got[i]) == std::signbit(wanted[i]);
      EXPECT_TRUE(same) << dtype << " on " << options.devices[0] << ", element " << i << ": " << got[i]
                        << " instead of " << wanted[i];
    }
  }
}
Build two(const char* op) {
  return [op](Graph&, const std::vector<Value>& in) { return binary(op, in[0], in[1]); };
}
Build one(const char* op) {
  return [op](Graph&, const std::vector<Value>& in) { return unary(op, in[0]); };
}

TEST(IntegerCorners, division_by_zero_and_of_the_smallest) {
  for (const DType dtype : {DType::i8, DType::i16, DType::i32}) {
    const double smallest = -std::ldexp(1, int(size_bytes(dtype)) * 8 - 1);
    expect_values(dtype, {{7, -7, 0, smallest, smallest}, {0, 0, 0, -1, 2}}, two("divide"),
                  {-1, -1, -1, smallest, smallest / 2});
    expect_values(dtype, {{7, -7, 0, smallest, -7}, {0, 0, 0, -1, 2}}, two("remainder"), {7, -7, 0, 0, -1});
    expect_values(dtype, {{smallest}}, one("abs"), {smallest});
    expect_values(dtype, {{smallest}}, one("negate"), {smallest});
  }
  expect_values(DType::i64, {{7, -7}, {0, 2}}, two("divide"), {-1, -3});
  expect_values(DType::u8, {{7, 200}, {0, 3}}, two("divide"), {255, 66});
  expect_values(DType::u32, {{7, 4e9}, {0, 3}}, two("divide"), {4294967295, 1333333333});
}

TEST(IntegerCorners, shifts_by_the_width_or_more) {
  expect_values(DType::i32, {{1, 1, -8, 1}, {31, 32, 33, -1}}, two("shift_left"), {-2147483648.0, 0, 0, 0});
  expect_values(DType::i32, {{-8, -8, 8, -1}, {1, 32, 32, -1}}, two("shift_right_arithmetic"), {-4, -1, 0, -1});
  expect_values(DType::i32, {{-8, -8, -1}, {31, 32, 100}}, two("shift_right_logical"), {1, 0, 0});
  expect_values(DType::i8, {{1, 1, -128}, {7, 8, 1}}, two("shift_left"), {-128, 0, 0});
  expect_values(DType::i8, {{-128, -128}, {7, 8}}, two("shift_right_logical"), {1, 0});
  expect_values(DType::u16, {{1, 1}, {15, 16}}, two("shift_left"), {32768, 0});
  expect_values(DType::i64, {{1, 1, -1}, {40, 64, 64}}, two("shift_right_arithmetic"), {0, 0, -1});
}

TEST(IntegerCorners, power_with_negative_exponent) {
  expect_values(DType::i32, {{2, 1, -1, -1, 0, 3}, {-1, -5, -3, -2, -1, 4}}, two("power"), {0, 1, -1, 1, 0, 81});
  expect_values(DType::i8, {{2, -1, 3}, {-1, -3, 5}}, two("power"), {0, -1, -13});
}

TEST(IntegerCorners, wrap_around) {
  expect_values(DType::i8, {{127, -128}, {1, -1}}, two("add"), {-128, 127});
  expect_values(DType::u16, {{0, 65535}, {1, 2}}, two("subtract"), {65535, 65533});
  expect_values(DType::u8, {{16}, {17}}, two("multiply"), {16});
}

TEST(FloatCorners, rounding) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    const std::vector<double> x = {0.5, -0.5, 1.5, 2.5, -2.5, -0.0, kInfinity, kNan, 0.375};
    expect_values(dtype, {x}, one("round_nearest_even"), {0, -0.0, 2, 2, -2, -0.0, kInfinity, kNan, 0});
    expect_values(dtype, {x}, one("round_nearest_afz"), {1, -1, 2, 3, -3, -0.0, kInfinity, kNan, 0});
  }
  expect_values(DType::f32, {{0.49999997, 8388609, 16777216}}, one("round_nearest_afz"), {0, 8388609, 16777216});
}

TEST(FloatCorners, total_order) {
  const std::vector<double> a = {-0.0, 0, kNan, kInfinity, -kNan, -kInfinity, 1, -1},
                            b = {0, -0.0, kInfinity, kNan, -kInfinity, -kNan, 1, -2};
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16}) {
    const auto total = [](const char* direction) {
      return [direction](Graph&, const std::vector<Value>& in) { return compare(direction, in[0], in[1], true); };
    };
    expect_values(dtype, {a, b}, total("LT"), {1, 0, 0, 1, 1, 0, 0, 0});
    expect_values(dtype, {a, b}, total("GE"), {0, 1, 1, 0, 0, 1, 1, 1});
    expect_values(dtype, {a, a}, total("EQ"), std::vector<double>(8, 1));
  }
}

// Two comparisons that differ only in an attribute are different.
TEST(FloatCorners, comparisons_are_not_merged) {
  expect_values(DType::f32, {{-0.0, 1}, {0, 2}},
                [](Graph&, const std::vector<Value>& in) {
                  return compare("LT", in[0], in[1]) ^ compare("LT", in[0], in[1], true);
                },
                {1, 0});
}

TEST(FloatCorners, derivative_of_power_at_zero) {
  expect_values(DType::f32, {{0, 0, 0, 2}, {0, 1, 2, 0}},
                [](Graph&, const std::vector<Value>& in) {
                  return vjp({power(in[0], in[1])}, {scalar_like(in[0], 1)}, {in[0]})[0];
                },
                {0, 1, 0, 0});
}

// --- errors ---------------------------------------------------------------------------------------------------------

template <class F>
std::string text_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ElementwiseErrors, texts) {
  Graph graph;
  const Value x = graph.input("x", {DType::f32, {2, 3}}), i = graph.input("i", {DType::i32, {2, 3}});
  const Value z = graph.input("z", {DType::complex64, {2, 3}}), p = graph.input("p", {DType::boolean, {2, 3}});
  const Value y = graph.input("y", {DType::f32, {4, 3}});
  EXPECT_EQ(text_of([&] { x + i; }), "add: dtypes differ: f32 != i32\n  a is x f32[2,3]\n  b is i i32[2,3]");
  EXPECT_EQ(text_of([&] { x* y; }),
            "multiply: shapes do not broadcast: 2 != 4 along axis 0\n  a is x f32[2,3]\n  b is y f32[4,3]");
  EXPECT_EQ(text_of([&] { popcnt(x); }), "popcnt: needs integers; x is x f32[2,3]");
  EXPECT_EQ(text_of([&] { floor(z); }), "floor: needs a float; x is z complex64[2,3]");
  EXPECT_EQ(text_of([&] { tan(i); }), "tan: needs a float or complex number; x is i i32[2,3]");
  EXPECT_EQ(text_of([&] { maximum(z, z); }), "maximum: needs numbers with an order; x is z complex64[2,3]");
  EXPECT_EQ(text_of([&] { p / p; }), "divide: needs numbers; x is p bool[2,3]");
  EXPECT_EQ(text_of([&] { compare("LT", z, z); }),
            "compare: complex numbers have no order; only EQ and NE\n  a is z complex64[2,3]\n  b is z complex64[2,3]");
  EXPECT_EQ(text_of([&] { bitcast_convert(x, DType::f64); }),
            "bitcast_convert: 2 elements of f32 make one f64, so the last axis needs that size; x is x f32[2,3]");
  EXPECT_EQ(text_of([&] { bitcast_convert(p, DType::u8); }),
            "bitcast_convert: bool has no bits of its own; x is p bool[2,3], wanted u8");
  EXPECT_EQ(text_of([&] { reduce_precision(x, 0, 3); }),
            "reduce_precision: 0 exponent bits and 3 mantissa bits; needs at least 1 and 0");
  EXPECT_EQ(text_of([&] { clamp(i, x, x); }),
            "clamp: dtypes differ: i32 != f32\n  a bound is i i32[2,3]\n  x is x f32[2,3]");
  EXPECT_EQ(text_of([&] { select(x, x, x); }), "select: pred must be bool; it is x f32[2,3]");
  EXPECT_EQ(text_of([&] { complex(x, i); }),
            "complex: needs two f32 or two f64\n  re is x f32[2,3]\n  im is i i32[2,3]");
}

}  // namespace
}  // namespace hearth
