// SPDX-License-Identifier: Apache-2.0
#include "ops/elementwise/elementwise.h"

#include <cmath>
#include <limits>

#include "ops/elementwise/elementwise_table.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
const std::vector<double> kSpecials = {0.0, -0.0, 1, -1, kInfinity, -kInfinity, kNan, 0.5};
const std::vector<DType> kFloats = {DType::f32, DType::bf16, DType::f16};
const std::vector<DType> kIntegers = {DType::i32, DType::u32, DType::i8,  DType::i64,
                                      DType::u8,  DType::i16, DType::u64, DType::u16};

// The names that the table's value column uses.
double hearth_max(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNan : a > b ? a : b; }
double hearth_min(double a, double b) { return std::isnan(a) || std::isnan(b) ? kNan : a < b ? a : b; }

using Function1 = double (*)(double);
using Function2 = double (*)(double, double);

// Sizes around the tile of row programs (64 and 128 elements) and around the split between threads.
std::vector<OpCase> cases1(double low, double high) {
  std::vector<OpCase> cases = {{"scalar", {{{}, low, high}}},
                               {"one", {{{1}, low, high}}},
                               {"empty", {{{0, 3}, low, high}}},
                               {"matrix", {{{5, 7}, low, high}}},
                               {"several_tiles", {{{3, 701}, low, high}}}};
  for (const int64_t n : {63, 64, 65, 127, 128, 129})
    cases.push_back({"size_" + std::to_string(n), {{{n}, low, high}}});
  cases.push_back({"nan_and_infinity", {{{8}, 0, 0, {}, kSpecials}}, 1, false});
  return cases;
}

OpTest unary_test(const char* op, Function1 f, double low, double high) {
  return {.op = op,
          .cases = cases1(low, high),
          .build = [op](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {unary(op, in[0])}; },
          .definition = [f](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(in[0].dims);
            for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = f(in[0].at[i]);
            return {y};
          }};
}

std::vector<OpCase> cases2(TestInput a, TestInput b, bool specials) {
  std::vector<OpCase> cases;
  const auto add = [&](const char* name, Dims dims) {
    a.dims = b.dims = dims;
    cases.push_back({name, {a, b}});
  };
  add("scalar", {});
  add("one", {1, 1});
  add("empty", {2, 0});
  add("matrix", {5, 7});
  add("tile_minus_one", {127});
  add("tile_plus_one", {129});
  add("several_tiles", {3, 701});
  if (!specials) return cases;
  std::vector<double> left, right;  // every pair
  for (const double x : kSpecials) {
    for (const double y : kSpecials) {
      left.push_back(x);
      right.push_back(y);
    }
  }
  const int64_t pairs = int64_t(left.size());
  cases.push_back({"nan_and_infinity", {{{pairs}, 0, 0, {}, left}, {{pairs}, 0, 0, {}, right}}, 1, false});
  return cases;
}

OpTest binary_test(const char* op, Function2 f, TestInput a, TestInput b, const std::vector<DType>& dtypes = kFloats) {
  return {
      .op = op,
      .cases = cases2(a, b, is_float(dtypes[0])),
      .build = [op](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {binary(op, in[0], in[1])}; },
      .definition = [f](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals y(in[0].dims);
        for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = f(in[0].at[i], in[1].at[i]);
        return {y};
      },
      .dtypes = dtypes,
      .grad = is_float(dtypes[0])};
}

// Where both operands are random: away from poles, and of a size that keeps results of order one.
std::pair<TestInput, TestInput> ranges(const std::string& op) {
  if (op == "divide" || op == "remainder") return {{{}, -3, 3}, {{}, 0.5, 3}};
  if (op == "atan2") return {{{}, 0.5, 3}, {{}, -3, 3}};
  if (op == "power") return {{{}, 0.2, 2}, {{}, -2, 2}};
  return {{{}, -3, 3}, {{}, -3, 3}};
}

std::vector<OpTest> table_tests() {
  std::vector<OpTest> tests;
#define HEARTH_ROW(op, value, derivative, takes, lo, hi) \
  tests.push_back(unary_test(                            \
      #op, [](double x) -> double { return value; }, lo, hi));
  HEARTH_UNARY_OPS(HEARTH_ROW)
#undef HEARTH_ROW
#define HEARTH_ROW(op, value, da, db, takes) \
  tests.push_back(binary_test(               \
      #op, [](double a, double b) -> double { return value; }, ranges(#op).first, ranges(#op).second));
  HEARTH_BINARY_OPS(HEARTH_ROW)
#undef HEARTH_ROW
  return tests;
}

// --- integers, bool and what is not in the table
// ----------------------------------------------------------------------------

std::vector<OpTest> integer_tests() {
  const TestInput small{{}, 0, 11}, positive{{}, 1, 7}, shift{{}, 0, 4};
  std::vector<OpTest> tests = {
      binary_test(
          "add", [](double a, double b) { return a + b; }, small, small, kIntegers),
      binary_test(
          "subtract", [](double a, double b) { return a - b; }, {{}, 11, 20}, small, kIntegers),
      binary_test(
          "multiply", [](double a, double b) { return a * b; }, small, small, kIntegers),
      binary_test(
          "divide", [](double a, double b) { return std::trunc(a / b); }, small, positive, kIntegers),
      binary_test(
          "remainder", [](double a, double b) { return std::fmod(a, b); }, small, positive, kIntegers),
      binary_test("maximum", hearth_max, small, small, kIntegers),
      binary_test("minimum", hearth_min, small, small, kIntegers),
      binary_test(
          "power", [](double a, double b) { return std::pow(a, b); }, {{}, 0, 4}, {{}, 0, 4}, kIntegers),
      binary_test(
          "and", [](double a, double b) { return double(int64_t(a) & int64_t(b)); }, small, small, kIntegers),
      binary_test(
          "or", [](double a, double b) { return double(int64_t(a) | int64_t(b)); }, small, small, kIntegers),
      binary_test(
          "xor", [](double a, double b) { return double(int64_t(a) ^ int64_t(b)); }, small, small, kIntegers),
      binary_test(
          "shift_left", [](double a, double b) { return double(int64_t(a) << int64_t(b)); }, {{}, 0, 7}, shift,
          kIntegers),
      binary_test(
          "shift_right_logical", [](double a, double b) { return double(int64_t(a) >> int64_t(b)); }, {{}, 0, 100},
          shift, kIntegers),
      binary_test(
          "shift_right_arithmetic", [](double a, double b) { return double(int64_t(a) >> int64_t(b)); }, {{}, 0, 100},
          shift, kIntegers)};
  const std::vector<DType> both = {DType::boolean};
  for (const auto& [op, f] :
       std::vector<std::pair<const char*, Function2>>{{"and", [](double a, double b) { return a * b; }},
                                                      {"or", [](double a, double b) { return std::fmax(a, b); }},
                                                      {"xor", [](double a, double b) { return double(a != b); }}}) {
    tests.push_back(binary_test(op, f, {{}, 0, 2}, {{}, 0, 2}, both));
  }
  OpTest negate = unary_test(
      "negate", [](double x) { return -x; }, -9, 9);
  negate.dtypes = {DType::i32, DType::i8, DType::i64};
  OpTest sign = unary_test(
             "sign", [](double x) { return double((x > 0) - (x < 0)); }, -9, 9),
         absolute = unary_test(
             "abs", [](double x) { return std::fabs(x); }, -9, 9);
  OpTest flip = unary_test(
             "not", [](double x) { return -x - 1; }, -9, 9),
         no = unary_test(
             "not", [](double x) { return 1 - x; }, 0, 2);
  sign.dtypes = absolute.dtypes = flip.dtypes = negate.dtypes;
  no.dtypes = both;
  for (OpTest* test : {&negate, &sign, &absolute, &flip, &no}) {
    test->cases.pop_back();  // NaN and infinity
    tests.push_back(*test);
  }
  return tests;
}

OpTest compare_test(const char* direction, bool (*f)(double, double), const std::vector<DType>& dtypes) {
  OpTest test{.op = "compare",
              .cases = cases2({{}, -3, 3}, {{}, -3, 3}, is_float(dtypes[0])),
              .build = [direction](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
                return {compare(direction, in[0], in[1])};
              },
              .definition = [f](const std::vector<Reals>& in) -> std::vector<Reals> {
                Reals y(in[0].dims);
                for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = f(in[0].at[i], in[1].at[i]);
                return {y};
              },
              .dtypes = dtypes,
              .grad = false};
  if (!is_signed_int(dtypes[0])) {
    for (OpCase& one : test.cases) one.name += std::string("_") + direction;
    return test;
  }
  for (OpCase& one : test.cases) one.name += std::string("_integer_") + direction;
  return test;
}

std::vector<OpTest> compare_tests() {
  std::vector<OpTest> tests;
  for (const std::vector<DType>& dtypes : {kFloats, std::vector<DType>{DType::i32, DType::i8, DType::i64}}) {
    tests.push_back(compare_test(
        "EQ", [](double a, double b) { return a == b; }, dtypes));
    tests.push_back(compare_test(
        "NE", [](double a, double b) { return a != b; }, dtypes));
    tests.push_back(compare_test(
        "LT", [](double a, double b) { return a < b; }, dtypes));
    tests.push_back(compare_test(
        "LE", [](double a, double b) { return a <= b; }, dtypes));
    tests.push_back(compare_test(
        "GT", [](double a, double b) { return a > b; }, dtypes));
    tests.push_back(compare_test(
        "GE", [](double a, double b) { return a >= b; }, dtypes));
  }
  return tests;
}

OpTest select_test(const std::vector<DType>& dtypes) {
  std::vector<OpCase> cases;
  for (const Dims& dims : std::vector<Dims>{{}, {1}, {0, 4}, {6, 5}, {129}, {3, 701}}) {
    cases.push_back({cat(is_float(dtypes[0]) ? "shape_" : "integers_", ShowDims{dims}),
                     {{dims, 0, 2, DType::boolean}, {dims, 0, 9}, {dims, 10, 20}}});
  }
  // The branch not taken must not leak.
  if (is_float(dtypes[0]))
    cases.push_back({"nan_not_taken",
                     {{{2}, 0, 0, DType::boolean, {1, 0}}, {{2}, 0, 0, {}, {1, kNan}}, {{2}, 0, 0, {}, {kInfinity, 2}}},
                     1,
                     false});
  return {
      .op = "select",
      .cases = cases,
      .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {select(in[0], in[1], in[2])}; },
      .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals y(in[0].dims);
        for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = in[0].at[i] != 0 ? in[1].at[i] : in[2].at[i];
        return {y};
      },
      .dtypes = dtypes};
}

// Rounds floats, saturates integers (NaN to 0), bool is x != 0.
double converted(double x, DType to) {
  if (is_float(to)) return rounded(to, x);
  if (to == DType::boolean) return x != 0;
  if (std::isnan(x)) return 0;
  const int bits = int(size_bytes(to)) * 8;
  const double low = is_unsigned_int(to) ? 0 : -std::ldexp(1, bits - 1),
               high = std::ldexp(1, is_unsigned_int(to) ? bits : bits - 1) - 1;
  return std::min(std::max(std::trunc(x), low), high);
}

OpTest convert_test(DType from, DType to) {
  OpTest test{.op = "convert",
              .build = [to](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
                return {graph.add("convert", {in[0]}, {{"dtype", int64_t(to)}})};
              },
              .definition = [to](const std::vector<Reals>& in) -> std::vector<Reals> {
                Reals y(in[0].dims);
                for (size_t i = 0; i < y.at.size(); ++i) y.at[i] = converted(in[0].at[i], to);
                return {y};
              },
              .grad = false};
  const std::string name = cat(from, "_to_", to);
  const double low = is_unsigned_int(from) || is_unsigned_int(to) || from == DType::boolean ? 0 : -100,
               high = from == DType::boolean ? 2 : 100;
  test.cases = {{name, {{{5, 26}, low, high, from}}}, {name + "_empty", {{{0}, low, high, from}}}};
  if (is_float(from)) test.cases.push_back({name + "_nan_and_infinity", {{{8}, 0, 0, from, kSpecials}}});
  return test;
}

std::vector<OpTest> convert_tests() {
  std::vector<OpTest> tests;
  const std::vector<DType> all = {DType::f32, DType::bf16,    DType::f16, DType::f64, DType::i32,
                                  DType::u32, DType::boolean, DType::i64, DType::u8,  DType::i8};
  for (const DType from : all) {
    for (const DType to : all) tests.push_back(convert_test(from, to));
  }
  // Rounding is linear almost everywhere; the derivative is that of the identity.
  for (const DType middle : {DType::f32, DType::f64}) {
    OpTest widen = unary_test(
        "convert", [](double x) { return x; }, -3, 3);
    widen.dtypes = {DType::f32};
    widen.build = [middle](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
      return {convert(graph.add("convert", {in[0]}, {{"dtype", int64_t(DType::f64)}}), middle)};
    };
    for (OpCase& one : widen.cases) one.name = cat("through_f64_to_", middle, "_", one.name);
    widen.grad = middle == DType::f64;
    tests.push_back(widen);
  }
  return tests;
}

OpTest is_finite_test() {
  OpTest test = unary_test(
      "is_finite", [](double x) { return double(std::isfinite(x)); }, -3, 3);
  test.grad = false;
  return test;
}

// --- made from nothing: used next to an input, as graphs do
// -----------------------------------------------------------------

OpTest iota_test(DType dtype, const Dims& dims, int64_t axis) {
  return {.op = "iota",
          .cases = {{cat(dtype, "_", ShowDims{dims}, "_axis_", axis), {{{1}, 0, 1, dtype}}}},
          .build = [=](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
            const Value counted = iota(graph, dtype, dims, axis);
            return {counted, binary("add", counted, in[0])};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(dims), sum(dims);
            for_each_index(dims, [&](const Dims& index, int64_t i) {
              y[i] = double(index[size_t(axis)]);
              sum[i] = y[i] + in[0][0];
            });
            return {y, sum};
          },
          .grad = false};
}

OpTest constant_test(DType dtype, const Dims& dims, const std::vector<double>& values) {
  return {.op = "constant",
          .cases = {{cat(dtype, "_", ShowDims{dims}, values.size() == 1 ? "_splat" : "_list"), {{{1}, 1, 2, dtype}}}},
          .build = [=](Graph& graph, const std::vector<Value>& in) -> std::vector<Value> {
            const Value number = values.size() == 1 ? constant(graph, values[0], dtype, dims)
                                                    : constant_list(graph, values, dtype, dims);
            return {number, binary("add", number, in[0])};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(dims), sum(dims);
            for (size_t i = 0; i < y.at.size(); ++i) {
              y.at[i] = values.size() == 1 ? values[0] : values[i];
              sum.at[i] = y.at[i] + in[0][0];
            }
            return {y, sum};
          },
          .grad = false};
}

std::vector<OpTest> creation_tests() {
  std::vector<OpTest> tests;
  for (const DType dtype :
       {DType::f32, DType::bf16, DType::f16, DType::f64, DType::i32, DType::u32, DType::i64, DType::i16, DType::u8}) {
    tests.push_back(iota_test(dtype, {7}, 0));
    tests.push_back(iota_test(dtype, {3, 4, 5}, 0));
    tests.push_back(iota_test(dtype, {3, 4, 5}, 1));
    tests.push_back(iota_test(dtype, {0, 5}, 1));
    tests.push_back(constant_test(dtype, {1}, {3}));
    tests.push_back(constant_test(dtype, {3, 2}, {2}));
    tests.push_back(constant_test(dtype, {0, 2}, {2}));
    tests.push_back(constant_test(dtype, {2, 3}, {1, 2, 3, 4, 5, 6}));
  }
  return tests;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = table_tests();
  for (const auto& more : {integer_tests(), compare_tests(), convert_tests(), creation_tests(),
                           std::vector<OpTest>{select_test(kFloats), select_test(kIntegers), is_finite_test()}}) {
    tests.insert(tests.end(), more.begin(), more.end());
  }
  return tests;
}

HEARTH_OP_TESTS(elementwise, rows)

}  // namespace
}  // namespace hearth
