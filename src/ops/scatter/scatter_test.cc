// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter/scatter.h"

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "base/file_test_folder.h"
#include "base/threads.h"
#include "ops/elementwise/elementwise.h"
#include "ops/gather/index_definition_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

struct ScatterCase {
  std::string name;
  Dims operand, indices;
  std::vector<double> values;  // of the indices
  Dims updates;
  ScatterDims dims;
  ScatterOptions options = {.kind = "add"};
  DType index = DType::i32;
  bool own = false;  // the operand is computed in the graph and dies there: its memory may be taken over
};

OpTest scatter_row(const ScatterCase& c) {
  return {
      .op = "scatter",
      .cases = {{c.name + "_" + c.options.kind,
                 {{c.operand}, {c.indices, 0, 0, c.index, c.values}, {c.updates}},
                 double(num_elements(c.indices) + 1)}},
      .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
        return {scatter(c.own ? in[0] + in[0] : in[0], in[1], in[2], c.dims, c.options)};
      },
      .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals x = in[0];
        for (double& value : x.at) value *= c.own ? 2 : 1;
        return {scattered(x, in[1], in[2], c.dims, c.options)};
      },
      .c = c.options.kind == "multiply" ? 8.0 : 2.0,  // a product's error grows with the number of factors
  };
}

const ScatterDims kRows = {
    .update_window_dims = {1}, .inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}, .index_vector_dim = 1};
const ScatterDims kNumbers = {.inserted_window_dims = {0}, .scatter_dims_to_operand_dims = {0}, .index_vector_dim = 1};

std::vector<ScatterCase> shapes() {
  return {
      {"rows", {5, 7}, {4}, {3, 0, 2, 4}, {4, 7}, kRows},
      {"rows_twice", {5, 3}, {6}, {2, 2, 0, 2, 4, 0}, {6, 3}, kRows},
      {"rows_outside", {5, 3}, {6}, {-1, 5, 4, 0, 2147483647, -2147483648.0}, {6, 3}, kRows},
      {"rows_in_place", {5, 3}, {4}, {1, 1, 3, 9}, {4, 3}, kRows, {}, DType::i32, true},
      {"row_parts", {5, 7}, {3}, {1, 4, 1}, {3, 3}, kRows},
      {"numbers", {6}, {7}, {3, 3, 0, 5, 9, -1, 3}, {7}, kNumbers},
      {"numbers_clamped", {6}, {7}, {3, 3, 0, 5, 9, -1, 3}, {7}, kNumbers, {.out_of_range = OutOfRange::clamp}},
      {"one", {1}, {1}, {0}, {1}, kNumbers},
      {"no_updates", {6}, {0}, {}, {0}, kNumbers},
      {"into_nothing", {0}, {3}, {0}, {3}, kNumbers},
      {"index_i64", {6}, {4}, {3, 3, 0, 77}, {4}, kNumbers, {}, DType::i64},
      {"index_u8", {6}, {4}, {3, 3, 0, 200}, {4}, kNumbers, {}, DType::u8},
      {"block_plus_one", {9, 2}, {257}, {8, 1, 3}, {257, 2}, kRows},
      // Windows of 3 that overlap, some of which stick out.
      {"windows_overlap",
       {8},
       {5, 1},
       {0, 1, 5, 6, -1},
       {5, 3},
       {.update_window_dims = {1}, .scatter_dims_to_operand_dims = {0}, .index_vector_dim = 1}},
      {"windows_around_the_batch",
       {4, 5, 6},
       {3, 2},
       {0, 1, 3, 2, 4, 0},
       {2, 3, 5, 3},
       {.update_window_dims = {0, 2, 3}, .scatter_dims_to_operand_dims = {2, 0}, .index_vector_dim = 1}},
      {"batching_axes_swapped",
       {2, 4, 3},
       {3, 5, 2},
       {0, 3, 1, 2, -1, 7, 3, 1},
       {3, 5, 2},
       {.inserted_window_dims = {1},
        .input_batching_dims = {0, 2},
        .scatter_indices_batching_dims = {2, 0},
        .scatter_dims_to_operand_dims = {1},
        .index_vector_dim = 3}},
      {"no_index_at_all",
       {3, 2},
       {0},
       {},
       {2, 2},
       {.update_window_dims = {0, 1}, .scatter_dims_to_operand_dims = {}, .index_vector_dim = 0}},
  };
}

ScatterCase with_kind(ScatterCase c, const std::string& kind) {
  c.options.kind = kind;
  return c;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all;
  for (const ScatterCase& c : shapes())
    for (const char* kind : {"set", "add", "multiply", "minimum", "maximum"})
      all.push_back(scatter_row(with_kind(c, kind)));
  for (const char* kind : {"set", "add", "multiply", "minimum", "maximum"}) {
    ScatterCase unique = with_kind(shapes()[0], kind);
    unique.name = "rows_unique";
    unique.options.unique_indices = true;
    all.push_back(scatter_row(unique));
  }
  for (const char* kind : {"set", "add", "multiply", "minimum", "maximum", "and", "or"}) {
    OpTest integers = scatter_row(with_kind(shapes()[2], kind));
    integers.cases[0].name = std::string("integers_") + kind;
    integers.dtypes = {DType::i32, DType::u8, DType::i64};
    for (const size_t i : {0, 2}) integers.cases[0].in[i].low = 0, integers.cases[0].in[i].high = 4;
    all.push_back(integers);
  }
  for (const char* kind : {"set", "and", "or"}) {
    OpTest bools = scatter_row(with_kind(shapes()[1], kind));
    bools.cases[0].name = std::string("bool_") + kind;
    bools.dtypes = {DType::boolean};
    for (const size_t i : {0, 2}) bools.cases[0].in[i].low = 0;
    all.push_back(bools);
  }
  // NaN wins in extremes, and only where an update puts it.
  for (const char* kind : {"set", "add", "minimum", "maximum"}) {
    OpTest nan = scatter_row(with_kind({"nan", {4}, {3}, {0, 2, 2}, {3}, kNumbers}, kind));
    nan.cases[0].in[0].values = {1, INFINITY, -1, NAN};
    nan.cases[0].in[2].values = {NAN, -INFINITY, 5};
    nan.grad = false;
    all.push_back(nan);
  }
  // Several zeros among the factors of one element.
  OpTest zeros = scatter_row(with_kind({"zeros", {4}, {7}, {0, 0, 1, 1, 1, 2, 3}, {7}, kNumbers}, "multiply"));
  zeros.cases[0].in[2].values = {0, 3, 0, 2, 0, 0, 4};
  all.push_back(zeros);
  return all;
}

HEARTH_OP_TESTS(scatter, rows)

std::vector<double> run_one(Graph& g, const Value& y, const std::vector<Bytes>& in) {
  g.output("y", y);
  return to_doubles(y.dtype(), run_graph(g, in)[0]);
}

// JAX 0.10: jax.grad of x.at[i].max(u).sum(), with the result equal to x at 0, to two updates and x at 1, to two
// updates at 2.
TEST(Scatter, ties_of_extremes_share_the_cotangent) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4}}), u = g.input("u", {DType::f32, {6}});
  const Value i = constant_list(g, {0, 1, 1, 2, 2, 2}, DType::i32, {6});
  const Value y = scatter_maximum(x, i, u, kNumbers);
  const std::vector<Value> d = gradients(reduce_sum(y, {0}), {x, u});
  g.output("dx", d[0]);
  g.output("du", d[1]);
  const auto out = run_graph(g, {to_bytes(DType::f32, {5, 3, 1, 7}), to_bytes(DType::f32, {4, 3, 3, 8, 2, 8})});
  const double third = double(1.0f / 3);
  EXPECT_EQ(to_doubles(DType::f32, out[0]), (std::vector<double>{1, third, 0, 1}));
  EXPECT_EQ(to_doubles(DType::f32, out[1]), (std::vector<double>{0, third, third, 0.5, 0, 0.5}));
}

TEST(Scatter, sixteen_bit_sums_keep_growing) {
  for (const DType t : {DType::bf16, DType::f16}) {
    Graph g;
    const Value x = g.input("x", {t, {2}}), u = g.input("u", {t, {4096}});
    const Value i = scalar_like(iota(g, DType::i32, {4096}, 0), 1);
    EXPECT_EQ(
        run_one(g, scatter_add(x, i, u, kNumbers), {to_bytes(t, {3, 0}), to_bytes(t, std::vector<double>(4096, 1))}),
        (std::vector<double>{3, 4096}));
  }
}

TEST(Scatter, complex_set_and_add) {
  for (const char* kind : {"set", "add"}) {
    Graph g;
    const Value x = g.input("x", {DType::complex64, {2}}), u = g.input("u", {DType::complex64, {3}});
    const Value i = constant_list(g, {1, 1, 5}, DType::i32, {3});
    const bool add = kind == std::string("add");
    EXPECT_EQ(run_one(g, scatter(x, i, u, kNumbers, {.kind = kind}),
                      {to_bytes(DType::complex64, {1, 2, 3, 4}), to_bytes(DType::complex64, {10, 20, 30, 40, 5, 6})}),
              add ? (std::vector<double>{1, 2, 43, 64}) : (std::vector<double>{1, 2, 30, 40}));
  }
}

// Sums whose order matters, of sizes at which threads share the work by columns, by batches, and by ranges of the
// operand.
TEST(Scatter, same_bits_for_any_number_of_threads) {
  struct Sizes {
    Dims x, updates;
    ScatterDims dims;
    int64_t indices;
  };
  const ScatterDims batched{.inserted_window_dims = {1},
                            .input_batching_dims = {0},
                            .scatter_indices_batching_dims = {0},
                            .scatter_dims_to_operand_dims = {1},
                            .index_vector_dim = 2};
  const int threads = num_threads();
  for (const Sizes& s : {Sizes{{500, 64}, {4000, 64}, kRows, 4000}, Sizes{{40, 900}, {40, 1000}, batched, 40000},
                         Sizes{{60000}, {90000}, kNumbers, 90000}}) {
    for (const char* kind : {"add", "set", "multiply"}) {
      Graph g;
      const Dims shape = s.dims.input_batching_dims.empty() ? Dims{s.indices} : s.updates;
      const Value x = g.input("x", {DType::f32, s.x}), i = g.input("i", {DType::i32, shape}),
                  u = g.input("u", {DType::f32, s.updates});
      g.output("y", scatter(x, i, u, s.dims, {.kind = kind}));
      std::vector<double> values[3];
      for (int64_t k = 0; k < num_elements(s.x); ++k) values[0].push_back(random_unit(1, uint64_t(k)) + 0.5);
      const int64_t rows = s.x[s.dims.input_batching_dims.empty() ? 0 : 1];
      for (int64_t k = 0; k < s.indices; ++k)
        values[1].push_back(std::floor(random_unit(2, uint64_t(k)) * double(rows + 4)) - 2);
      for (int64_t k = 0; k < num_elements(s.updates); ++k) values[2].push_back(random_unit(3, uint64_t(k)) + 0.5);
      const std::vector<Bytes> in = {to_bytes(DType::f32, values[0]), to_bytes(DType::i32, values[1]),
                                     to_bytes(DType::f32, values[2])};
      set_num_threads(1);
      const Bytes wanted = run_graph(g, in)[0];
      for (const int count : {2, 3, 16}) {
        set_num_threads(count);
        EXPECT_TRUE(run_graph(g, in)[0] == wanted) << kind << ' ' << ShowDims{s.x} << ", " << count << " threads";
      }
      set_num_threads(threads);
    }
  }
}

TEST(Scatter, errors_name_the_attribute_and_all_operands) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 7}}), i = g.input("i", {DType::i32, {4}}),
              u = g.input("u", {DType::f32, {4, 7}}), w = g.input("w", {DType::f32, {4, 8}}),
              h = g.input("h", {DType::f16, {4, 7}}), b = g.input("b", {DType::boolean, {5, 7}});
  const std::string operands = "\n  operand is x f32[5,7]\n  scatter_indices is i i32[4]\n  updates is ";
  expect_error(Kind::shape, "scatter add: slice size 8 of axis 1 does not fit in 7" + operands + "w f32[4,8]",
               [&] { scatter_add(x, i, w, kRows); });
  expect_error(Kind::dtype, "scatter add: dtypes differ: f32 != f16" + operands + "h f16[4,7]",
               [&] { scatter_add(x, i, h, kRows); });
  expect_error(Kind::shape,
               "scatter set: the operand has 2 axes, but 0 window, 1 collapsed and 0 batching axes are "
               "named" +
                   operands + "u f32[4,7]",
               [&] { scatter_set(x, i, u, kNumbers); });
  ScatterDims d = kRows;
  d.index_vector_dim = 0;
  expect_error(Kind::shape, "scatter set: each index has 4 numbers, the index map [0] has 1" + operands + "u f32[4,7]",
               [&] { scatter_set(x, i, u, d); });
  expect_error(Kind::value, "scatter: unknown kind 'mul'; there are set add multiply minimum maximum and or",
               [&] { scatter(x, i, u, kRows, {.kind = "mul"}); });
  expect_error(Kind::dtype, "scatter and: has no meaning for f32" + operands + "u f32[4,7]",
               [&] { scatter(x, i, u, kRows, {.kind = "and"}); });
  expect_error(Kind::dtype,
               "scatter add: has no meaning for bool\n  operand is b bool[5,7]\n  scatter_indices is i i32[4]\n  "
               "updates is b bool[5,7]",
               [&] { scatter_add(b, i, b, kRows); });
}

}  // namespace
}  // namespace hearth
