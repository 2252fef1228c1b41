// SPDX-License-Identifier: Apache-2.0
#include "ops/gather/gather.h"

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "base/file_test_folder.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/index_definition_test.h"

namespace hearth {
namespace {

constexpr double kNan = NAN, kInf = INFINITY;

struct GatherCase {
  std::string name;
  Dims operand, indices;
  std::vector<double> values;  // of the indices
  GatherDims dims;
  Dims sizes, result;
  OutOfRange mode = OutOfRange::clamp;
  DType index = DType::i32;
};

OpTest gather_row(const GatherCase& c) {
  return {.op = "gather",
          .cases = {{c.name, {{c.operand}, {c.indices, 0, 0, c.index, c.values}}, double(num_elements(c.indices) + 1)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {gather(in[0], in[1], c.dims, c.sizes, {c.mode})};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            return {gathered(in[0], in[1], c.dims, c.sizes, c.result, c.mode == OutOfRange::clamp)};
          }};
}

const GatherDims kRows = {
    .offset_dims = {1}, .collapsed_slice_dims = {0}, .start_index_map = {0}, .index_vector_dim = 1};

std::vector<GatherCase> gather_cases() {
  std::vector<GatherCase> all = {
      {"rows", {5, 7}, {4}, {3, 0, 3, 4}, kRows, {1, 7}, {4, 7}},
      {"rows_outside", {5, 3}, {6}, {-1, 5, 4, 0, 2147483647, -2147483648.0}, kRows, {1, 3}, {6, 3}},
      {"rows_dropped", {5, 3}, {6}, {-1, 5, 4, 0, 2147483647, -2147483648.0}, kRows, {1, 3}, {6, 3}, OutOfRange::drop},
      {"one", {1, 1}, {1}, {0}, kRows, {1, 1}, {1, 1}},
      {"row_parts", {5, 7}, {2}, {1, 4}, kRows, {1, 3}, {2, 3}},
      {"no_rows_wanted", {5, 7}, {0}, {}, kRows, {1, 7}, {0, 7}},
      {"no_columns", {5, 0}, {3}, {1}, kRows, {1, 0}, {3, 0}},
      {"of_no_rows", {0, 3}, {2}, {0}, kRows, {0, 3}, {2, 3}, OutOfRange::drop},
      {"block_plus_one", {9, 2}, {257}, {8, 1, 3}, kRows, {1, 2}, {257, 2}}};
  // x[i,j] for pairs (i,j), the pair along the first axis of the indices.
  all.push_back({"pairs_first",
                 {4, 5},
                 {2, 3},
                 {0, 3, 1, 4, 2, 0},
                 {.collapsed_slice_dims = {0, 1}, .start_index_map = {0, 1}, .index_vector_dim = 0},
                 {1, 1},
                 {3}});
  // The map swaps the pair, windows stand before and behind the batch axis.
  all.push_back({"windows_around_the_batch",
                 {4, 5, 6},
                 {3, 2},
                 {0, 1, 3, 2, 5, 9},
                 {.offset_dims = {0, 2, 3}, .start_index_map = {2, 0}, .index_vector_dim = 1},
                 {2, 5, 3},
                 {2, 3, 5, 3}});
  all.push_back({"windows_dropped",
                 {4, 5, 6},
                 {3, 2},
                 {0, 1, 3, 2, 4, 0},
                 {.offset_dims = {0, 2, 3}, .start_index_map = {2, 0}, .index_vector_dim = 1},
                 {2, 5, 3},
                 {2, 3, 5, 3},
                 OutOfRange::drop});
  // Batching axes that stand in another order in the operand than in the indices.
  all.push_back({"batching_axes_swapped",
                 {2, 4, 3},
                 {3, 5, 2},
                 {0, 3, 1, 2, -1, 7, 3, 1},
                 {.collapsed_slice_dims = {1},
                  .operand_batching_dims = {0, 2},
                  .start_indices_batching_dims = {2, 0},
                  .start_index_map = {1},
                  .index_vector_dim = 3},
                 {1, 1, 1},
                 {3, 5, 2}});
  all.push_back({"no_index_at_all",
                 {3, 2},
                 {0},
                 {},
                 {.offset_dims = {0, 1}, .start_index_map = {}, .index_vector_dim = 0},
                 {2, 2},
                 {2, 2}});
  all.push_back({"scalar_index",
                 {5, 3},
                 {},
                 {2},
                 {.offset_dims = {0}, .collapsed_slice_dims = {0}, .start_index_map = {0}, .index_vector_dim = 0},
                 {1, 3},
                 {3}});
  for (const DType t : {DType::i8, DType::i16, DType::i64, DType::u8, DType::u16, DType::u32, DType::u64})
    all.push_back(
        {std::string("index_") + name(t), {5, 3}, {4}, {3, 0, 100, 1}, kRows, {1, 3}, {4, 3}, OutOfRange::clamp, t});
  return all;
}

OpTest take_row(const std::string& name, const Dims& x, int64_t axis, const TestInput& indices,
                const TakeOptions& options, double fill = 0) {
  return {.op = "gather",
          .cases = {{name, {{x}, indices}, double(num_elements(indices.dims) + 1)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {take(in[0], in[1], axis, options)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            const size_t along = size_t(axis < 0 ? axis + int64_t(x.size()) : axis);
            Dims dims(x.begin(), x.begin() + long(along));
            dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
            dims.insert(dims.end(), x.begin() + long(along) + 1, x.end());
            Reals y(dims);
            for_each_index(dims, [&](const Dims& at, int64_t i) {
              Dims from(at.begin(), at.begin() + long(along)),
                  which(at.begin() + long(along), at.begin() + long(along + indices.dims.size()));
              const double n = double(x[along]);
              double index = in[1](which);
              const bool outside = index < 0 || index >= n;
              index =
                  options.mode == TakeMode::wrap ? index - n * std::floor(index / n) : std::clamp(index, 0.0, n - 1);
              from.push_back(int64_t(index));
              from.insert(from.end(), at.begin() + long(along + indices.dims.size()), at.end());
              y[i] = outside && options.mode == TakeMode::fill ? fill : in[0](from);
            });
            return {y};
          }};
}

OpTest along_row(const std::string& name, const Dims& x, const TestInput& indices, int64_t axis) {
  return {.op = "gather",
          .cases = {{name, {{x}, indices}, double(num_elements(indices.dims) + 1)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {take_along_axis(in[0], in[1], axis)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            const size_t along = size_t(axis < 0 ? axis + int64_t(x.size()) : axis);
            Dims dims = x;
            for (size_t i = 0; i < x.size(); ++i)
              if (i == along || x[i] == 1) dims[i] = indices.dims[i];
            Reals y(dims);
            for_each_index(dims, [&](const Dims& at, int64_t i) {
              Dims from = at, which = at;
              for (size_t k = 0; k < at.size(); ++k) {
                if (x[k] == 1) from[k] = 0;
                if (indices.dims[k] == 1) which[k] = 0;
              }
              from[along] = std::clamp<int64_t>(int64_t(in[1](which)), 0, x[along] - 1);
              y[i] = in[0](from);
            });
            return {y};
          }};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all;
  for (const GatherCase& c : gather_cases()) all.push_back(gather_row(c));
  const TestInput mixed{{2, 3}, 0, 0, DType::i32, {-1, 0, 4, 5, -6, 12}};
  all.push_back(take_row("take_clip", {5, 3}, 0, mixed, {}));
  all.push_back(take_row("take_last_axis", {3, 5}, -1, mixed, {}));
  all.push_back(take_row("take_middle_axis", {2, 5, 3}, 1, mixed, {}));
  all.push_back(take_row("take_scalar", {2, 5, 3}, 1, {{}, 0, 0, DType::i32, {3}}, {}));
  all.push_back(take_row("take_wrap", {5, 3}, 0, mixed, {.mode = TakeMode::wrap}));
  all.push_back(take_row("take_wrap_i8_of_many", {300, 1}, 0, {{4}, 0, 0, DType::i8, {-1, -128, 127, 0}},
                         {.mode = TakeMode::wrap}));
  all.push_back(take_row("take_fill", {5, 3}, 0, mixed, {.mode = TakeMode::fill, .fill = 7}, 7));
  all.push_back(take_row("take_fill_zero", {5, 3}, 0, mixed, {.mode = TakeMode::fill, .fill = 0}, 0));
  all.push_back(take_row("take_fill_nan", {5, 3}, 0, mixed, {.mode = TakeMode::fill}, kNan));
  all.back().grad = false;  // NaN has no differences
  all.push_back(along_row("along_last", {3, 5}, {{3, 4}, -1, 6, DType::i32}, 1));
  all.push_back(along_row("along_first", {5, 3}, {{4, 3}, -1, 6, DType::i64}, 0));
  all.push_back(along_row("along_middle", {2, 5, 3}, {{2, 300, 3}, -1, 6, DType::i32}, -2));
  all.push_back(along_row("along_broadcast_indices", {4, 5, 3}, {{1, 6, 3}, 0, 5, DType::i32}, 1));
  all.push_back(along_row("along_broadcast_x", {1, 5, 1}, {{4, 6, 3}, 0, 5, DType::i32}, 1));
  all.push_back(along_row("along_both_broadcast", {4, 5, 1}, {{1, 6, 3}, 0, 5, DType::u8}, 1));
  all.push_back(along_row("along_one_axis", {7}, {{3}, 0, 7, DType::i32}, 0));
  all.push_back(along_row("along_nothing", {3, 0}, {{3, 0}, 0, 1, DType::i32}, 1));
  // Another row's NaN must not enter.
  OpTest others = gather_row({"nan_in_another_row", {3, 2}, {2}, {1, 2}, kRows, {1, 2}, {2, 2}});
  others.cases[0].in[0].values = {kNan, kInf, 1, 2, kInf, kNan};
  others.grad = false;
  all.push_back(others);
  OpTest integers = gather_row(gather_cases()[1]);
  integers.dtypes = {DType::i32, DType::u8, DType::i16, DType::u64, DType::boolean};
  integers.cases[0].in[0].low = 0;
  integers.cases[0].name = "integers";
  all.push_back(integers);
  return all;
}

HEARTH_OP_TESTS(gather, rows)

TEST(Gather, errors_name_the_attribute_and_both_operands) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 7}}), i = g.input("i", {DType::i32, {4}}),
              f = g.input("f", {DType::f32, {4}}), p = g.input("p", {DType::i32, {4, 2}});
  const std::string operands = "\n  operand is x f32[5,7]\n  start_indices is i i32[4]";
  expect_error(Kind::shape, "gather: slice size 8 of axis 1 does not fit in 7" + operands, [&] {
    gather(x, i, kRows, {1, 8});
  });
  expect_error(Kind::shape, "gather: slice size 2 of axis 0 must be 1: the axis is collapsed or batching" + operands,
               [&] {
                 gather(x, i, kRows, {2, 7});
               });
  expect_error(Kind::shape, "gather: slice sizes [1] need one number an axis" + operands,
               [&] { gather(x, i, kRows, {1}); });
  GatherDims d = kRows;
  d.offset_dims = {};
  expect_error(Kind::shape,
               "gather: the operand has 2 axes, but 0 window, 1 collapsed and 0 batching axes are named" + operands,
               [&] {
                 gather(x, i, d, {1, 7});
               });
  d = kRows;
  d.offset_dims = {2};
  expect_error(Kind::shape, "gather: window axes [2] must rise and lie below 2" + operands, [&] {
    gather(x, i, d, {1, 7});
  });
  d = kRows;
  d.index_vector_dim = 2;
  expect_error(Kind::shape, "gather: index_vector_dim 2 must lie in 0..1" + operands, [&] { gather(x, i, d, {1, 7}); });
  d = kRows;
  d.start_index_map = {2};
  expect_error(Kind::shape,
               "gather: index map [2] must name axes of the operand, once, and none for batching" + operands, [&] {
                 gather(x, i, d, {1, 7});
               });
  expect_error(Kind::shape,
               "gather: each index has 2 numbers, the index map [0] has 1\n  operand is x f32[5,7]\n  start_indices is "
               "p i32[4,2]",
               [&] {
                 gather(x, p, kRows, {1, 7});
               });
  expect_error(Kind::dtype, "gather: indices must be integers\n  operand is x f32[5,7]\n  start_indices is f f32[4]",
               [&] {
                 gather(x, f, kRows, {1, 7});
               });
}

TEST(Take, errors) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 7}}), i = g.input("i", {DType::i32, {4}}),
              f = g.input("f", {DType::f32, {4}}), none = g.input("none", {DType::f32, {0}}),
              q = g.input("q", {DType::i32, {4, 3}});
  expect_error(Kind::value, "take: axis 2 does not exist in x x f32[5,7]", [&] { take(x, i, 2); });
  expect_error(Kind::dtype, "take: indices must be integers\n  x is x f32[5,7]\n  indices is f f32[4]",
               [&] { take(x, f, 0); });
  expect_error(Kind::value,
               "take: axis 0 of x is empty, there is nothing to take\n  x is none f32[0]\n  indices is i i32[4]",
               [&] { take(none, i, 0); });
  expect_error(Kind::shape, "take_along_axis: ranks differ: 2 != 1\n  x is x f32[5,7]\n  indices is i i32[4]",
               [&] { take_along_axis(x, i, 0); });
  expect_error(Kind::shape,
               "take_along_axis: sizes of axis 1 do not broadcast: 7 != 3\n  x is x f32[5,7]\n  indices is q i32[4,3]",
               [&] { take_along_axis(x, q, 0); });
}

// The fill that nobody names is JAX's.
TEST(Take, usual_fill) {
  const auto filled = [](DType t) {
    Graph g;
    const Value x = g.input("x", {t, {2}});
    g.output("y", take(x, constant(g, 9, DType::i32, {1}), 0, {.mode = TakeMode::fill}));
    return to_doubles(t, run_graph(g, {to_bytes(t, {1, 1})})[0])[0];
  };
  EXPECT_TRUE(std::isnan(filled(DType::f32)));
  EXPECT_EQ(filled(DType::i8), -128);
  EXPECT_EQ(filled(DType::i64), -0x1p63);
  EXPECT_EQ(filled(DType::u16), 65535);
  EXPECT_EQ(filled(DType::u64), 0x1p64);
  EXPECT_EQ(filled(DType::boolean), 1);
}

// A u64 index that an i64 cannot hold lies behind the end, not before the start.
TEST(Gather, index_above_the_range_of_i64) {
  for (const char* device : {"cpu", "reference"}) {
    Graph g;
    const Value x = g.input("x", {DType::f32, {3}}), i = g.input("i", {DType::u64, {2}});
    g.output("y", take(x, i, 0));
    const std::vector<Bytes> y = run_graph(g, {to_bytes(DType::f32, {1, 2, 3}), to_bytes(DType::u64, {0x1p63, 1})},
                                           CompileOptions{.devices = {std::string(device)}});
    EXPECT_EQ(to_doubles(DType::f32, y.at(0)), (std::vector<double>{3, 2})) << device;
  }
}

}  // namespace
}  // namespace hearth
