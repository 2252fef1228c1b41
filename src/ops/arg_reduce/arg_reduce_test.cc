// SPDX-License-Identifier: Apache-2.0
#include "ops/arg_reduce/arg_reduce.h"

#include <cmath>

#include "base/file_test_folder.h"
#include "base/threads.h"
#include "ops/along_axis/batch_rule_test.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

const double kNan = std::nan(""), kInf = INFINITY;

Reals extreme(const Reals& x, size_t axis, bool max) {
  Dims dims = x.dims;
  dims.erase(dims.begin() + long(axis));
  Reals y(dims);
  for_each_index(dims, [&](Dims at, int64_t lane) {
    at.insert(at.begin() + long(axis), 0);
    double best = x(at);
    for (int64_t i = 1; i < x.dims[axis] && !std::isnan(best); ++i) {
      at[axis] = i;
      const double value = x(at);
      if (std::isnan(value) || (max ? value > best : value < best)) {
        best = value;
        y[lane] = double(i);
      }
    }
  });
  return y;
}

std::vector<OpTest> tests_of(const std::string& name, const Dims& dims, size_t axis,
                             const std::vector<double>& values = {}) {
  std::vector<OpTest> tests;
  for (const bool max : {true, false}) {
    tests.push_back(
        {.op = "arg_reduce",
         .cases = {{name + (max ? "_max" : "_min"), {{dims, -9, 9, {}, values}}}},
         .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
           return {max ? argmax(in[0], int64_t(axis)) : argmin(in[0], int64_t(axis), DType::i64)};
         },
         .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> { return {extreme(in[0], axis, max)}; },
         .grad = false});
  }
  return tests;
}

std::vector<OpTest> rows() {
  const std::vector<double> specials = {-0.0, 0.0, kInf, -kInf, 1}, nans = {1, kInf, -kInf, kNan, 5, kNan, 7};
  std::vector<OpTest> tests;
  const auto add = [&](std::vector<OpTest> more, const std::vector<DType>& dtypes = {}) {
    for (OpTest& test : more) {
      if (!dtypes.empty()) test.dtypes = dtypes;
      tests.push_back(test);
    }
  };
  const std::vector<DType> all = {DType::f32, DType::bf16, DType::f16, DType::f64};
  const std::vector<DType> signed_ints = {DType::i8, DType::i16, DType::i32, DType::i64};
  const std::vector<DType> unsigned_ints = {DType::boolean, DType::u8, DType::u16, DType::u32, DType::u64};
  add(tests_of("one", {1}, 0));
  add(tests_of("last_axis", {3, 7}, 1), all);
  add(tests_of("first_axis", {7, 3}, 0), all);
  add(tests_of("middle_axis", {2, 9, 5}, 1), all);
  add(tests_of("lanes_minus_one", {3, 63}, 1));
  add(tests_of("lanes_plus_one", {3, 129}, 1));
  add(tests_of("columns_plus_one", {3, 513}, 0));
  add(tests_of("long_row", {3000}, 0), all);
  add(tests_of("specials", {2, 75}, 1, specials));
  add(tests_of("zeros", {75}, 0, {0.0, -0.0, -0.0}));
  add(tests_of("negative_zeros", {75}, 0, {-0.0, 0.0, 0.0}));
  add(tests_of("nans", {2, 70}, 1, nans), all);
  add(tests_of("nans_in_columns", {70, 5}, 0, nans), all);
  add(tests_of("all_nan", {70}, 0, {kNan}));
  add(tests_of("all_minus_infinity", {70}, 0, {-kInf}));
  add(tests_of("all_infinity", {70, 2}, 0, {kInf}));
  add(tests_of("integers", {3, 300}, 1), signed_ints);
  add(tests_of("integer_columns", {300, 3}, 0), signed_ints);
  add(tests_of("extreme_integers", {2, 70}, 1, {-128, 127, 0, -1}), signed_ints);
  add(tests_of("ties", {2, 70}, 1, {0, 1, 1, 0}), unsigned_ints);
  add(tests_of("ties_in_columns", {70, 2}, 0, {0, 1, 1, 0}), unsigned_ints);
  add(tests_of("no_lanes", {0, 3}, 1));
  return tests;
}

HEARTH_OP_TESTS(arg_reduce, rows)

// A long row, and long columns, are cut for the threads: any number of them finds the first of equals, and NaN.
TEST(ArgReduce, parts_do_not_show) {
  const int threads = num_threads();
  for (const Dims& dims : {Dims{200000}, Dims{100000, 2}}) {
    for (const double high : {50.0, 1e9}) {
      for (const bool nan : {false, true}) {
        std::vector<double> values;
        for (int64_t i = 0; i < num_elements(dims); ++i)
          values.push_back(std::floor(random_unit(3, uint64_t(i)) * high));
        if (nan) values[150000] = values[170001] = kNan;
        Reals x(dims);
        const Bytes bytes = to_bytes(DType::f32, values);
        x.at = to_doubles(DType::f32, bytes);
        Graph g;
        const Value in = g.input("x", {DType::f32, dims});
        g.output("max", argmax(in, 0, DType::i64));
        g.output("min", argmin(in, 0));
        for (const int count : {1, 3, 8}) {
          set_num_threads(count);
          const std::vector<Bytes> y = run_graph(g, {bytes});
          EXPECT_EQ(to_doubles(DType::i64, y[0]), extreme(x, 0, true).at) << count << " threads";
          EXPECT_EQ(to_doubles(DType::i32, y[1]), extreme(x, 0, false).at) << count << " threads";
        }
      }
    }
  }
  set_num_threads(threads);
}

TEST(ArgReduce, batches) {
  expect_batch_rule({{{DType::f32, {5, 4}}}}, [](const auto& in) { return std::vector{argmax(in[0], 0)}; });
  expect_batch_rule({{{DType::i8, {5, 4}}}}, [](const auto& in) { return std::vector{argmin(in[0], 1)}; });
}

TEST(ArgReduce, errors_name_operands_and_numbers) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {3, 0}}), c = g.input("c", {DType::complex64, {4}}),
              big = g.input("big", {DType::u8, {int64_t(1) << 31}});
  EXPECT_EQ(message_of([&] { argmax(x, 2); }), "argmax: axis 2 does not exist in x x f32[3,0]");
  EXPECT_EQ(message_of([&] { argmin(x, 1); }), "argmin: axis 1 has no elements; x is x f32[3,0]");
  EXPECT_EQ(message_of([&] { argmax(c); }), "argmax: needs real numbers; x is c complex64[4]");
  EXPECT_EQ(message_of([&] { argmax(x, 0, DType::f32); }), "argmax: the index must be i32 or i64; x is x f32[3,0]");
  EXPECT_EQ(message_of([&] { argmax(big); }),
            "argmax: i32 cannot number the 2147483648 elements of axis 0; x is big u8[2147483648]\n"
            "  hint: argmax(x, 0, DType::i64)");
}

}  // namespace
}  // namespace hearth
