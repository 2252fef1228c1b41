// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/file_test_folder.h"
#include "ops/op_test.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

enum class Reduction { sum, max, min, product };

double start(Reduction kind) {
  if (kind == Reduction::sum) return 0;
  if (kind == Reduction::product) return 1;
  return kind == Reduction::max ? -kInfinity : kInfinity;
}

double combine(Reduction kind, double a, double b) {
  if (kind == Reduction::sum) return a + b;
  if (kind == Reduction::product) return a * b;
  if (std::isnan(a) || std::isnan(b)) return kNan;
  return kind == Reduction::max ? std::max(a, b) : std::min(a, b);
}

std::vector<Reals> reduced(Reduction kind, const Dims& axes, const Reals& x) {
  Dims kept;
  for (int64_t i = 0; i < int64_t(x.dims.size()); ++i) {
    if (!reference::contains(axes, i)) kept.push_back(x.dim(i));
  }
  Reals y(kept, start(kind));
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    Dims at;
    for (size_t axis = 0; axis < index.size(); ++axis) {
      if (!reference::contains(axes, int64_t(axis))) at.push_back(index[axis]);
    }
    y(at) = combine(kind, y(at), x[i]);
  });
  return {y};
}

OpTest reduce_test(Reduction kind, const std::string& name, const Dims& dims, const Dims& axes) {
  const char* names[] = {"sum", "max", "min", "product"};
  int64_t terms = 1;
  for (const int64_t axis : axes) terms *= dims[size_t(axis)];
  return {.op = "reduce",
          .cases = {{std::string(names[int(kind)]) + "_" + name, {{dims, -3, 3}}, double(terms)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {kind == Reduction::sum       ? reduce_sum(in[0], axes)
                    : kind == Reduction::product ? reduce_product(in[0], axes)
                    : kind == Reduction::max     ? reduce_max(in[0], axes)
                                                 : reduce_min(in[0], axes)};
          },
          .definition = [=](const std::vector<Reals>& in) { return reduced(kind, axes, in[0]); }};
}

std::vector<OpTest> special_tests() {
  std::vector<OpTest> tests;
  for (const Reduction kind : {Reduction::sum, Reduction::max, Reduction::min}) {
    OpTest test = reduce_test(kind, "nan_and_infinity", {5, 3}, {1});
    test.cases[0].in[0].values = {1, kNan, 2, kInfinity, 1, 2, -kInfinity, 3, 4, kInfinity, kNan, 1, 0, -0.0, -5};
    test.grad = false;
    tests.push_back(test);
    OpTest integers = reduce_test(kind, "integers", {4, 131}, {1});
    integers.dtypes = {DType::i32, DType::i64, DType::i16};
    tests.push_back(integers);
    OpTest empty = reduce_test(kind, "nothing", {3, 0}, {1});
    tests.push_back(empty);
  }
  // bf16 stops growing at 256 when it is its own accumulator.
  OpTest long_sum = reduce_test(Reduction::sum, "of_many_equal_numbers", {2, 1000}, {1});
  long_sum.cases[0].in[0] = {{2, 1000}, 1, 1};
  long_sum.cases[0].terms = 1;
  tests.push_back(long_sum);
  return tests;
}

// Near 1, so that products of many stay in range; and with zeros, one or two in a product, where a division would fail.
std::vector<OpTest> product_tests() {
  std::vector<OpTest> tests;
  const auto add = [&](const std::string& name, const Dims& dims, const Dims& axes) {
    tests.push_back(reduce_test(Reduction::product, name, dims, axes));
    tests.back().cases[0].in[0].low = 0.6, tests.back().cases[0].in[0].high = 1.5;
  };
  add("one", {1}, {0});
  add("rows", {5, 7}, {1});
  add("columns", {5, 8}, {0});
  add("all", {3, 5}, {0, 1});
  add("first_and_last", {3, 4, 5}, {0, 2});
  add("middle", {3, 4, 5}, {1});
  for (const int64_t n : {2, 3, 16, 17, 63, 64, 65}) add("width_" + std::to_string(n), {3, n}, {1});
  add("nothing", {3, 0}, {1});
  OpTest zeros = reduce_test(Reduction::product, "with_zeros", {4, 3}, {1});
  zeros.cases[0].in[0].values = {0, 2, 3, 2, 0, 0, 0, 0, 0, 1.5, -2, 0.5};
  tests.push_back(zeros);
  return tests;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = special_tests();
  for (OpTest& test : product_tests()) tests.push_back(std::move(test));
  for (const Reduction kind : {Reduction::sum, Reduction::max, Reduction::min}) {
    tests.push_back(reduce_test(kind, "one", {1}, {0}));
    tests.push_back(reduce_test(kind, "rows", {5, 7}, {1}));
    tests.push_back(reduce_test(kind, "columns", {5, 7}, {0}));
    tests.push_back(reduce_test(kind, "all", {5, 7}, {0, 1}));
    tests.push_back(reduce_test(kind, "middle", {3, 4, 5}, {1}));
    tests.push_back(reduce_test(kind, "outer_two", {3, 4, 5}, {0, 1}));
    tests.push_back(reduce_test(kind, "first_and_last", {3, 4, 5}, {0, 2}));
    tests.push_back(reduce_test(kind, "no_rows", {0, 5}, {1}));
    for (const int64_t n : {63, 64, 65, 127, 128, 129})
      tests.push_back(reduce_test(kind, "width_" + std::to_string(n), {3, n}, {1}));
    for (const int64_t n : {127, 129}) tests.push_back(reduce_test(kind, "height_" + std::to_string(n), {n, 3}, {0}));
    tests.push_back(reduce_test(kind, "long", {1, 5000}, {1}));
    tests.push_back(reduce_test(kind, "many_rows", {701, 3}, {1}));
  }
  return tests;
}

HEARTH_OP_TESTS(reduce, rows)

// d2(x y z) / dx dy = z, also where z or x is 0.
TEST(reduce, products_have_second_derivatives) {
  Graph g;
  const Value x = g.input("x", {DType::f64, {3}});
  const Value first = gradients(reduce_product(x, {0}), {x})[0];
  g.output("first", first);
  g.output("second", gradients(reshape(slice_axis(first, 0, 0, 1), {}), {x})[0]);
  for (const std::vector<double>& v : {std::vector<double>{2, 3, 5}, {0, 3, 5}, {0, 0, 5}, {0, 0, 0}}) {
    const std::vector<Bytes> got = run_graph(g, {to_bytes(DType::f64, v)});
    EXPECT_EQ(to_doubles(DType::f64, got[0]), (std::vector<double>{v[1] * v[2], v[0] * v[2], v[0] * v[1]}));
    EXPECT_EQ(to_doubles(DType::f64, got[1]), (std::vector<double>{0, v[2], v[1]}));
  }
}

TEST(reduce, refuses_kinds_without_a_meaning) {
  Graph g;
  const Value flags = g.input("flags", {DType::boolean, {2}}), x = g.input("x", {DType::f32, {2}}),
              z = g.input("z", {DType::complex64, {2}});
  EXPECT_TEXT(error_of(Kind::dtype, [&] { reduce_sum(flags, {0}); }), "reduce sum: needs numbers; x is ");
  EXPECT_TEXT(error_of(Kind::dtype, [&] { reduce_product(flags, {0}); }), "reduce product: needs numbers; x is ");
  EXPECT_TEXT(error_of(Kind::dtype, [&] { reduce_and(x, {0}); }), "reduce and: needs integers or bool; x is ");
  EXPECT_TEXT(error_of(Kind::dtype, [&] { reduce_max(z, {0}); }), "reduce max: complex numbers have no order; x is ");
  EXPECT_TEXT(error_of(Kind::value, [&] { reduce_or(flags, {1}); }), "reduce or: axes [1] must rise and exist in x ");
}

}  // namespace
}  // namespace hearth
