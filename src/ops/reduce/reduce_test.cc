// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/op_test.h"

namespace hearth {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

enum class Reduction { sum, max, min };

double start(Reduction kind) { return kind == Reduction::sum ? 0 : kind == Reduction::max ? -kInfinity : kInfinity; }

double combine(Reduction kind, double a, double b) {
  if (kind == Reduction::sum) return a + b;
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
  const char* names[] = {"sum", "max", "min"};
  int64_t terms = 1;
  for (const int64_t axis : axes) terms *= dims[size_t(axis)];
  return {.op = "reduce",
          .cases = {{std::string(names[int(kind)]) + "_" + name, {{dims, -3, 3}}, double(terms)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {kind == Reduction::sum   ? reduce_sum(in[0], axes)
                    : kind == Reduction::max ? reduce_max(in[0], axes)
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

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = special_tests();
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

}  // namespace
}  // namespace hearth
