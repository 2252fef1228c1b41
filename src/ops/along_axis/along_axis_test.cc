// SPDX-License-Identifier: Apache-2.0
#include "ops/along_axis/along_axis.h"

#include <cmath>

#include "base/file_test_folder.h"
#include "ops/along_axis/batch_rule_test.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

const double kNan = std::nan("");
constexpr double kMost = 2147483647, kLeast = -2147483648.0;

std::vector<Reals> gathered(const std::vector<Reals>& in, size_t axis) {
  Reals y(in[1].dims);
  for_each_index(y.dims, [&](Dims at, int64_t i) {
    at[axis] = int64_t(in[1][i]);
    if (at[axis] >= 0 && at[axis] < in[0].dims[axis]) y[i] = in[0](at);
  });
  return {y};
}

std::vector<Reals> added(const std::vector<Reals>& in, size_t axis, int64_t size) {
  Dims dims = in[0].dims;
  dims[axis] = size;
  Reals y(dims);
  for_each_index(in[0].dims, [&](Dims at, int64_t i) {
    at[axis] = int64_t(in[1][i]);
    if (at[axis] >= 0 && at[axis] < size) y(at) += in[0][i];
  });
  return {y};
}

OpTest gather_test(const std::string& name, const Dims& x, const Dims& index, int64_t axis,
                   const std::vector<double>& numbers = {}) {
  const double n = double(x[size_t(axis)]);
  return {.op = "gather_along_axis",
          .cases = {{name, {{x}, {index, 0, n, DType::i32, numbers}}, double(num_elements(index))}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {gather_along_axis(in[0], in[1], axis)};
          },
          .definition = [=](const std::vector<Reals>& in) { return gathered(in, size_t(axis)); }};
}

OpTest scatter_test(const std::string& name, const Dims& x, int64_t axis, int64_t size,
                    const std::vector<double>& numbers = {}) {
  return {.op = "scatter_add_along_axis",
          .cases = {{name, {{x}, {x, 0, double(size), DType::i32, numbers}}, double(x[size_t(axis)])}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {scatter_add_along_axis(in[0], in[1], axis, size)};
          },
          .definition = [=](const std::vector<Reals>& in) { return added(in, size_t(axis), size); }};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = {
      gather_test("last_axis", {3, 7}, {3, 5}, 1),
      gather_test("first_axis", {7, 3}, {5, 3}, 0),
      gather_test("middle_axis", {2, 9, 5}, {2, 4, 5}, 1),
      gather_test("column_block_plus_one", {3, 257}, {4, 257}, 0),
      gather_test("outside", {1, 4}, {1, 6}, 1, {0, -1, 4, 3, kMost, kLeast}),
      gather_test("same_often", {1, 4}, {1, 6}, 1, {2, 2, 2, 0, 2, 2}),
      gather_test("no_indices", {3, 4}, {3, 0}, 1),
      gather_test("from_nothing", {3, 0}, {3, 2}, 1, {0}),
      gather_test("no_rows", {0, 4}, {0, 2}, 1),
      scatter_test("last_axis", {3, 7}, 1, 5),
      scatter_test("first_axis", {7, 3}, 0, 5),
      scatter_test("middle_axis", {2, 9, 5}, 1, 4),
      scatter_test("column_block_plus_one", {3, 257}, 0, 4),
      scatter_test("outside", {1, 6}, 1, 4, {0, -1, 4, 3, kMost, kLeast}),
      scatter_test("same_often", {1, 6}, 1, 4, {2, 2, 2, 0, 2, 2}),
      scatter_test("to_nothing", {3, 4}, 1, 0, {0}),
      scatter_test("of_nothing", {3, 0}, 1, 4),
  };
  OpTest gather = gather_test("integers", {7, 3}, {5, 3}, 0), scatter = scatter_test("integers", {7, 3}, 0, 5);
  gather.dtypes = {DType::i32, DType::boolean, DType::i8, DType::u16, DType::i64};
  scatter.dtypes = {DType::i32, DType::i8, DType::u8, DType::i16, DType::u16, DType::u32, DType::i64, DType::u64};
  gather.cases[0].in[0] = {{7, 3}, 0, 2};
  scatter.cases[0].in[0] = {{7, 3}, 0, 9};
  tests.insert(tests.end(), {gather, scatter});
  // NaN of an element that no index names must not enter.
  OpTest nan = gather_test("nan_elsewhere", {1, 3}, {1, 2}, 1, {2, 0});
  nan.cases[0].in[0].values = {1, kNan, INFINITY};
  nan.cases[0].grad = false;
  tests.push_back(nan);
  return tests;
}

HEARTH_OP_TESTS(along_axis, rows)

TEST(AlongAxis, sums_of_bf16_keep_growing) {
  Graph g;
  const Value x = constant(g, 1, DType::bf16, {4096}), zero = constant(g, 0, DType::i32, {4096});
  g.output("y", scatter_add_along_axis(x, zero, 0, 1));
  EXPECT_EQ(to_doubles(DType::bf16, run_graph(g, {})[0]), std::vector<double>{4096});
}

TEST(AlongAxis, batches) {
  for (const bool both : {true, false}) {
    const BatchedInput x{{DType::f32, {3, 4, 2}}}, index{{DType::i32, {3, 4, 2}}, both, 0, 4};
    expect_batch_rule({x, index}, [](const auto& in) { return std::vector{gather_along_axis(in[0], in[1], 1)}; });
    expect_batch_rule({index, {{DType::i64, {3, 4, 2}}, true, -1, 5}},
                      [](const auto& in) { return std::vector{scatter_add_along_axis(in[0], in[1], -2, 4)}; });
  }
}

TEST(AlongAxis, errors_name_operands_and_numbers) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 4}}), i = g.input("i", {DType::i32, {2, 4}}),
              f = g.input("f", {DType::f32, {3, 4}}), flags = g.input("flags", {DType::boolean, {2, 4}});
  EXPECT_EQ(message_of([&] { gather_along_axis(x, i, 2); }),
            "gather_along_axis: axis 2 does not exist in x x f32[3,4]");
  EXPECT_EQ(message_of([&] { gather_along_axis(x, i, 1); }),
            "gather_along_axis: sizes of axis 0 differ\n  x is x f32[3,4]\n  index is i i32[2,4]");
  EXPECT_EQ(message_of([&] { gather_along_axis(x, f, 1); }),
            "gather_along_axis: index must be i32 or i64; it is f f32[3,4]");
  EXPECT_EQ(message_of([&] { scatter_add_along_axis(x, i, 0, 5); }),
            "scatter_add_along_axis: shapes differ\n  x is x f32[3,4]\n  index is i i32[2,4]");
  EXPECT_EQ(message_of([&] { scatter_add_along_axis(flags, i, 0, 5); }),
            "scatter_add_along_axis: needs numbers; x is flags bool[2,4]");
  EXPECT_EQ(message_of([&] { scatter_add_along_axis(i, i, 0, -1); }),
            "scatter_add_along_axis: size -1 of axis 0 is negative; x is i i32[2,4]");
}

}  // namespace
}  // namespace hearth
