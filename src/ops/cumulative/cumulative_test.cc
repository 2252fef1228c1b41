// SPDX-License-Identifier: Apache-2.0
#include "ops/cumulative/cumulative.h"

#include <cmath>
#include <limits>

#include "array/transforms.h"
#include "base/file_test_folder.h"
#include "base/threads.h"
#include "ops/along_axis/batch_rule_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

const double kNan = std::nan(""), kInf = INFINITY;
const std::vector<DType> kFloats = {DType::f32, DType::bf16, DType::f16, DType::f64};
const std::vector<DType> kIntegers = {DType::i32, DType::i8,  DType::u8,  DType::i16,
                                      DType::u16, DType::u32, DType::i64, DType::u64};

using Step = std::function<double(double before, double x)>;

// y[i] = step(y[i-1], x[i]) along an axis, step by step.
Reals scan(const Reals& x, size_t axis, bool reverse, const Step& step) {
  Reals y(x.dims);
  const int64_t n = x.dims[axis];
  for_each_index(x.dims, [&](const Dims& first, int64_t) {
    if (first[axis] != 0) return;
    double running = 0;
    for (int64_t i = 0; i < n; ++i) {
      Dims at = first;
      at[axis] = reverse ? n - 1 - i : i;
      running = i == 0 ? x(at) : step(running, x(at));
      y(at) = running;
    }
  });
  return y;
}

double log_add(double a, double b) {
  const double most = std::max(a, b);
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return std::isinf(most) ? most : most + std::log(std::exp(a - most) + std::exp(b - most));
}

struct Kind {
  std::string name;  // of the row
  Value (*call)(const Value&, int64_t, RunningOptions);
  Step step;
  std::string op = "cumulative";
};
const Kind kSum{"sum", cumsum, [](double a, double x) { return a + x; }},
    kProduct{"product", cumprod, [](double a, double x) { return a * x; }},
    kMax{"max", cummax, [](double a, double x) { return std::isnan(a) || a >= x ? a : x; }},
    kMin{"min", cummin, [](double a, double x) { return std::isnan(a) || a <= x ? a : x; }},
    kLogSumExp{"logsumexp", cumlogsumexp, log_add, "cumlogsumexp"};

OpTest test_of(const Kind& kind, const std::string& name, const Dims& dims, size_t axis, bool reverse,
               const std::vector<double>& values = {}) {
  const bool small = kind.name == "product";  // so that long products neither vanish nor overflow
  const double n = double(dims[axis]);        // running values grow like sqrt n and are rounded n times: terms n^2
  return {.op = kind.op,
          .cases = {{kind.name + "_" + name + (reverse ? "_reverse" : ""),
                     {{dims, small ? 0.9 : -2, small ? 1.1 : 2, {}, values}},
                     n * n}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {kind.call(in[0], int64_t(axis), {.reverse = reverse})};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            return {scan(in[0], axis, reverse, kind.step)};
          }};
}

OpTest recurrence_test(const std::string& name, const Dims& dims, size_t axis, bool reverse) {
  return {.op = "linear_recurrence",
          .cases = {{name + (reverse ? "_reverse" : ""), {{dims, -1, 1}, {dims, -2, 2}}, double(dims[axis])}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {linear_recurrence(in[0], in[1], int64_t(axis), {.reverse = reverse})};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(dims);
            for_each_index(dims, [&](Dims at, int64_t) {  // in rising order; falling when reverse
              if (reverse) at[axis] = dims[axis] - 1 - at[axis];
              Dims before = at;
              before[axis] += reverse ? 1 : -1;
              const bool first = before[axis] < 0 || before[axis] == dims[axis];
              y(at) = (first ? 0 : in[0](at) * y(before)) + in[1](at);
            });
            return {y};
          }};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests;
  const auto add = [&](OpTest test, const std::vector<DType>& dtypes = {}, bool grad = true) {
    if (!dtypes.empty()) test.dtypes = dtypes;
    test.grad = grad;
    tests.push_back(std::move(test));
  };
  for (const bool reverse : {false, true}) {
    for (const Kind& kind : {kSum, kProduct, kMax, kMin, kLogSumExp}) {
      add(test_of(kind, "one", {1}, 0, reverse));
      add(test_of(kind, "rows", {5, 7}, 1, reverse), kFloats);
      add(test_of(kind, "columns", {7, 5}, 0, reverse), kFloats);
      add(test_of(kind, "middle_axis", {2, 6, 3}, 1, reverse));
      add(test_of(kind, "vector_minus_one", {4, 15}, 1, reverse));
      add(test_of(kind, "vector_plus_one", {9, 17}, 1, reverse));
      add(test_of(kind, "size_one_axis", {3, 1}, 1, reverse));
      add(test_of(kind, "no_elements", {3, 0}, 1, reverse));
      add(test_of(kind, "no_lanes", {0, 3}, 1, reverse));
      const std::vector<double> specials = {1, -kInf, 2, 0, kInf, 3}, nans = {1, 3, kNan, 7, kNan, -kInf, 2, kInf};
      if (kind.name == "max" || kind.name == "min" || kind.name == "logsumexp") {
        add(test_of(kind, "infinities", {2, 18}, 1, reverse, specials), {}, false);
        add(test_of(kind, "all_minus_infinity", {20}, 0, reverse, {-kInf}), {}, false);
        add(test_of(kind, "infinity_in_front", {3, 6}, 1, reverse, {-kInf, -kInf, 1, 2, -kInf, -kInf}), {}, false);
      }
      add(test_of(kind, "nans", {3, 20}, 1, reverse, nans), {}, false);
      add(test_of(kind, "nans_in_columns", {20, 3}, 0, reverse, nans), {}, false);
    }
    for (const Kind& kind : {kSum, kProduct, kMax, kMin}) {
      OpTest integers = test_of(kind, "integers", {5, 30}, 1, reverse, {1, 0, 2, 1, 3, 1, 1});
      add(integers, kIntegers);
      add(test_of(kind, "integer_columns", {6, 70}, 0, reverse, {1, 2, 1, 1, 2, 1, 1}), kIntegers);
    }
    for (const Kind& kind : {kMax, kMin}) {
      add(test_of(kind, "extreme_integers", {2, 20}, 1, reverse, {0, -128, 127, -1, 5}),
          {DType::i8, DType::i16, DType::i32, DType::i64});
      add(test_of(kind, "bool", {2, 20}, 1, reverse, {0, 1, 0}), {DType::boolean});
      add(test_of(kind, "ties_values", {20}, 0, reverse, {2, 1, 2, 2, 3, 3, 0}), {}, false);
    }
    // Blocks of columns, chunks of rows.
    add(test_of(kSum, "columns_of_two_blocks", {3, 1100}, 0, reverse));
    add(test_of(kSum, "chunk_plus_one", {5, 513}, 1, reverse));
    add(test_of(kMax, "chunk_plus_one", {5, 513}, 1, reverse));
    add(test_of(kProduct, "zeros", {4, 5}, 1, reverse, {2, 0, 3, 4, 5, 0, 2, 0, 3, 1, 2, 3, 4, 5, 0, 0, 0, 0, 1, 2}));
    OpTest large = test_of(kLogSumExp, "no_overflow", {12}, 0, reverse, {90, -90, 89, 91, 5});
    large.grad_c = 64;  // y near 91 is rounded by 4e-6, which exp(x - y) inherits; measured 4e-6
    add(large, {DType::f32});
    add(recurrence_test("rows", {5, 7}, 1, reverse), kFloats);
    add(recurrence_test("columns", {7, 5}, 0, reverse), kFloats);
    add(recurrence_test("middle_axis", {2, 6, 3}, 1, reverse));
    add(recurrence_test("chunk_plus_one", {5, 513}, 1, reverse));
    add(recurrence_test("no_elements", {3, 0}, 1, reverse));
    OpTest integers = recurrence_test("integers", {5, 7}, 1, reverse);
    integers.cases[0].in = {{{5, 7}, 0, 2}, {{5, 7}, 0, 2}};
    add(integers, kIntegers);
  }
  return tests;
}

HEARTH_OP_TESTS(cumulative, rows)

// Regrouped, the product of each pair would be 0 or infinity, and that of those NaN.
TEST(Cumulative, products_go_in_order) {
  std::vector<double> x;
  for (int i = 0; i < 40; ++i) x.push_back(i % 4 < 2 ? 1e-30 : 1e30);
  Graph g;
  g.output("y", cumprod(g.input("x", {DType::f32, {40}}), 0));
  const std::vector<double> y = to_doubles(DType::f32, run_graph(g, {to_bytes(DType::f32, x)})[0]);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[39], 0);
}

TEST(Cumulative, sums_of_16_bits_keep_growing) {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    for (const Dims& dims : {Dims{4096}, Dims{4096, 2}}) {
      Graph g;
      g.output("y", cumsum(constant(g, 1, dtype, dims), 0));
      EXPECT_EQ(to_doubles(dtype, run_graph(g, {})[0]).back(), 4096) << dtype;
    }
  }
}

TEST(Cumulative, small_integers_wrap_around) {
  Graph g;
  const Value x = constant(g, 3, DType::i8, {100});
  g.output("sum", cumsum(x, 0));
  g.output("product", cumprod(x, 0));
  const std::vector<Bytes> y = run_graph(g, {});
  int8_t sum = 0, product = 1;
  for (size_t i = 0; i < 100; ++i) {
    sum = int8_t(sum + 3);
    product = int8_t(product * 3);
    EXPECT_EQ(to_doubles(DType::i8, y[0])[i], sum);
    EXPECT_EQ(to_doubles(DType::i8, y[1])[i], product);
  }
}

TEST(Cumulative, complex_numbers) {
  Graph g;
  const Value x = g.input("x", {DType::complex64, {3}});
  g.output("sum", cumsum(x, 0));
  g.output("product", cumprod(x, 0, {.reverse = true}));
  const std::vector<Bytes> y = run_graph(g, {to_bytes(DType::complex64, {1, 2, 0, 1, 3, -1})});
  EXPECT_EQ(to_doubles(DType::complex64, y[0]), (std::vector<double>{1, 2, 1, 3, 4, 2}));
  EXPECT_EQ(to_doubles(DType::complex64, y[1]), (std::vector<double>{-5, 5, 1, 3, 3, -1}));
}

// A long axis of few lanes is cut into pieces: right, and the same bits for any number of threads.
TEST(Cumulative, long_rows_are_cut) {
  const int threads = num_threads();
  for (const Dims& dims : {Dims{300001}, Dims{2, 70000}, Dims{50000, 3}}) {
    for (const bool reverse : {false, true}) {
      for (const Kind& kind : {kSum, kMax, kMin}) {
        const size_t axis = dims[0] > 2 ? 0 : 1;
        Graph g;
        g.output("y", kind.call(g.input("x", {DType::f32, dims}), int64_t(axis), {.reverse = reverse}));
        std::vector<double> values;
        for (int64_t i = 0; i < num_elements(dims); ++i) values.push_back(random_unit(7, uint64_t(i)) - 0.45);
        const Bytes bytes = to_bytes(DType::f32, values);
        Reals x(dims);
        x.at = to_doubles(DType::f32, bytes);
        const Reals wanted = scan(x, axis, reverse, kind.step);
        Bytes first;
        for (const int count : {1, 2, 5}) {
          set_num_threads(count);
          const Bytes y = run_graph(g, {bytes})[0];
          if (first.empty()) first = y;
          EXPECT_EQ(y, first) << kind.name << ", " << count << " threads";
        }
        const std::vector<double> got = to_doubles(DType::f32, first);
        double worst = 0;
        for (size_t i = 0; i < got.size(); ++i)
          worst =
              std::max(worst, std::fabs(got[i] - wanted[int64_t(i)]) / std::max(1.0, std::fabs(wanted[int64_t(i)])));
        EXPECT_LE(worst, kind.name == "sum" ? 1e-4 : 0) << kind.name;
      }
    }
  }
  set_num_threads(threads);
}

using Unary = std::function<Value(const Value&)>;

// Derivative of sum_i v_i df/dx_i by x against central differences of the first derivative.
void expect_second_derivative(const std::string& name, const Unary& f, std::vector<double> x) {
  const Dims dims = {int64_t(x.size())};
  std::vector<double> w, v;
  for (size_t i = 0; i < x.size(); ++i) {
    w.push_back(random_unit(1, i) - 0.5);
    v.push_back(random_unit(2, i) - 0.5);
  }
  Graph g;
  const Value in = g.input("x", {DType::f64, dims}), direction = constant_list(g, v, DType::f64, dims);
  const Value first = gradients(reduce_sum(f(in) * constant_list(g, w, DType::f64, dims), {0}), {in})[0];
  g.output("along", reduce_sum(first * direction, {0}));
  g.output("second", vjp({first}, {direction}, {in})[0]);
  const std::vector<double> second = to_doubles(DType::f64, run_graph(g, {to_bytes(DType::f64, x)})[1]);
  for (size_t i = 0; i < x.size(); ++i) {
    const double here = x[i], h = 1e-5;
    const auto along = [&](double at) {
      x[i] = at;
      return to_doubles(DType::f64, run_graph(g, {to_bytes(DType::f64, x)})[0])[0];
    };
    const double above = along(here + h), below = along(here - h);
    x[i] = here;
    EXPECT_NEAR(second[i], (above - below) / (2 * h), 1e-6) << name << ", element " << i;
  }
}

TEST(Cumulative, second_derivatives) {
  const std::vector<double> x = {1.5, -0.5, 2, 0.25, -1, 3}, zeros = {1.5, 0, 2, 0, 0, 3, -1};
  for (const bool reverse : {false, true}) {
    for (const Kind& kind : {kSum, kProduct, kMax, kMin, kLogSumExp}) {
      const auto f = [&](const Value& in) { return kind.call(in * in, 0, {.reverse = reverse}); };
      expect_second_derivative(kind.name, f, x);
    }
    const auto product = [&](const Value& in) { return cumprod(in, 0, {.reverse = reverse}); };
    expect_second_derivative("product with zeros", product, zeros);
    const auto recurrence = [&](const Value& in) { return linear_recurrence(in, in * in, 0, {.reverse = reverse}); };
    expect_second_derivative("recurrence", recurrence, x);
  }
}

TEST(Cumulative, logsumexp_of_large_numbers) {
  for (const bool reverse : {false, true}) {
    Graph g;
    g.output("y", cumlogsumexp(g.input("x", {DType::f32, {3}}), 0, {.reverse = reverse}));
    const std::vector<double> y = to_doubles(DType::f32, run_graph(g, {to_bytes(DType::f32, {-1e30, 1e30, -1e30})})[0]);
    EXPECT_EQ(y, to_doubles(DType::f32, to_bytes(DType::f32, reverse ? std::vector{1e30, 1e30, -1e30}
                                                                     : std::vector{-1e30, 1e30, 1e30})));
  }
}

TEST(Cumulative, derivative_of_logsumexp_past_infinities) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5}}), u = constant_list(g, {1, 10, 100, 1000, 10000}, DType::f32, {5});
  g.output("dx", vjp({cumlogsumexp(x, 0)}, {u}, {x})[0]);
  const std::vector<double> front =
      to_doubles(DType::f32, run_graph(g, {to_bytes(DType::f32, {-kInf, -kInf, 0, 0, -kInf})})[0]);
  const std::vector<double> wanted = {0, 0, 100 + 500 + 5000, 500 + 5000, 0};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(front[i], wanted[i], 1e-2);
  const std::vector<double> all =
      to_doubles(DType::f32, run_graph(g, {to_bytes(DType::f32, std::vector(5, -kInf))})[0]);
  EXPECT_EQ(all, std::vector<double>(5, 0));
}

// Of equal elements the last one in the scan's direction gets the derivative.
TEST(Cumulative, ties_go_to_the_last) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5}}), ones = constant(g, 1, DType::f32, {5});
  g.output("max", vjp({cummax(x, 0)}, {ones}, {x})[0]);
  g.output("min", vjp({cummin(x, 0, {.reverse = true})}, {ones}, {x})[0]);
  const std::vector<Bytes> y = run_graph(g, {to_bytes(DType::f32, {2, 2, 1, 2, 1})});
  EXPECT_EQ(to_doubles(DType::f32, y[0]), (std::vector<double>{1, 2, 0, 2, 0}));
  EXPECT_EQ(to_doubles(DType::f32, y[1]), (std::vector<double>{0, 0, 3, 0, 2}));
}

TEST(Cumulative, batches) {
  const BatchedInput x{{DType::f32, {5, 4}}}, same{{DType::f32, {5, 4}}, false};
  for (const Kind& kind : {kSum, kProduct, kMax, kMin, kLogSumExp})
    expect_batch_rule({x}, [&](const auto& in) { return std::vector{kind.call(in[0], 0, {.reverse = true})}; });
  expect_batch_rule({x, same}, [](const auto& in) { return std::vector{linear_recurrence(in[0], in[1], 1)}; });
}

TEST(Cumulative, errors_name_operands_and_numbers) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 4}}), flags = g.input("flags", {DType::boolean, {4}}),
              c = g.input("c", {DType::complex64, {4}}), i = g.input("i", {DType::i32, {3, 4}});
  EXPECT_EQ(message_of([&] { cumsum(x, 2); }), "cumsum: axis 2 does not exist in x x f32[3,4]");
  EXPECT_EQ(message_of([&] { cumlogsumexp(x, -3); }), "cumlogsumexp: axis -3 does not exist in x x f32[3,4]");
  EXPECT_EQ(message_of([&] { cumprod(flags); }),
            "cumprod: needs numbers; x is flags bool[4]\n  hint: cumprod(convert(x, DType::i32))");
  EXPECT_EQ(message_of([&] { cummax(c); }), "cummax: needs real numbers; x is c complex64[4]");
  EXPECT_EQ(message_of([&] { cumlogsumexp(i); }), "cumlogsumexp: needs floats; x is i i32[3,4]");
  EXPECT_EQ(message_of([&] { linear_recurrence(x, i); }),
            "linear_recurrence: a and b differ\n  a is x f32[3,4]\n  b is i i32[3,4]");
}

}  // namespace
}  // namespace hearth
