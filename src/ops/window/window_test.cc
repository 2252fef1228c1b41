// SPDX-License-Identifier: Apache-2.0
#include "ops/window/window.h"

#include <cmath>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "base/error.h"
#include "base/file_test_folder.h"
#include "base/threads.h"
#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

struct WindowCase {
  std::string name;
  Dims x;
  WindowDims w;
  bool grad = true;  // false: a window of padding alone has no differences in max and min
};

int64_t at_or(const Dims& list, size_t i, int64_t otherwise) { return list.empty() ? otherwise : list[i]; }

Dims counts(const Dims& x, const WindowDims& w) {
  Dims result;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t base = at_or(w.base_dilations, i, 1), size = at_or(w.size, i, 1);
    const int64_t padded =
        at_or(w.padding_low, i, 0) + at_or(w.padding_high, i, 0) + (x[i] ? (x[i] - 1) * base + 1 : 0);
    const int64_t window = (size - 1) * at_or(w.window_dilations, i, 1) + 1;
    result.push_back(padded < window ? 0 : (padded - window) / at_or(w.strides, i, 1) + 1);
  }
  return result;
}

// Elements of x that a window has, in row-major order of its taps.
std::vector<int64_t> elements_of(const Dims& x, const WindowDims& w, const Dims& window) {
  std::vector<int64_t> result;
  Dims sizes(x.size());
  for (size_t i = 0; i < x.size(); ++i) sizes[i] = at_or(w.size, i, 1);
  for_each_index(sizes, [&](const Dims& tap, int64_t) {
    Dims at;
    for (size_t i = 0; i < x.size(); ++i) {
      const int64_t place =
          window[i] * at_or(w.strides, i, 1) + tap[i] * at_or(w.window_dilations, i, 1) - at_or(w.padding_low, i, 0);
      const int64_t base = at_or(w.base_dilations, i, 1);
      if (place < 0 || place % base || place / base >= x[i]) return;
      at.push_back(place / base);
    }
    result.push_back(reference::position(at, x));
  });
  return result;
}

Reals reduced(const Reals& x, const std::string& kind, const WindowDims& w) {
  Reals y(counts(x.dims, w));
  for_each_index(y.dims, [&](const Dims& window, int64_t i) {
    double value = kind == "sum" || kind == "or" ? 0 : kind == "max" ? -INFINITY : kind == "min" ? INFINITY : 1;
    if (kind == "and") value = -1;
    for (const int64_t e : elements_of(x.dims, w, window)) {
      const double v = x[e];
      if (kind == "sum") value += v;
      if (kind == "product") value *= v;
      if (kind == "max") value = std::isnan(value) ? value : std::isnan(v) ? v : std::max(value, v);
      if (kind == "min") value = std::isnan(value) ? value : std::isnan(v) ? v : std::min(value, v);
      if (kind == "and") value = double(int64_t(value) & int64_t(v));
      if (kind == "or") value = double(int64_t(value) | int64_t(v));
    }
    y[i] = value;
  });
  return y;
}

int64_t chosen(const Reals& x, const WindowDims& w, const std::string& select, const Dims& window) {
  int64_t best = -1;
  for (const int64_t e : elements_of(x.dims, w, window))
    if (best < 0 || !(select == "GE" ? x[best] >= x[e] : x[best] <= x[e])) best = e;
  return best;
}

OpTest reduce_row(const WindowCase& c, const std::string& kind) {
  return {
      .op = "reduce_window",
      .cases = {{c.name + "_" + kind,
                 {{c.x}},
                 double(num_elements(c.w.size)) * (kind == "product" ? 4 : 1),
                 c.grad || kind == "sum" || kind == "product"}},
      .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
        return {reduce_window(in[0], kind, c.w)};
      },
      .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> { return {reduced(in[0], kind, c.w)}; }};
}

OpTest scatter_row(const WindowCase& c, const std::string& select) {
  return {.op = "select_and_scatter",
          .cases = {{c.name + "_" + select, {{c.x}, {counts(c.x, c.w)}}, double(num_elements(c.w.size))}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {select_and_scatter(in[0], in[1], select, c.w)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(c.x);
            for_each_index(in[1].dims, [&](const Dims& window, int64_t i) {
              const int64_t e = chosen(in[0], c.w, select, window);
              if (e >= 0) y[e] += in[1][i];
            });
            return {y};
          }};
}

OpTest gather_row(const WindowCase& c, const std::string& select) {
  return {.op = "select_and_gather",
          .cases = {{c.name + "_" + select, {{c.x}, {c.x}}, double(num_elements(c.w.size))}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {select_and_gather(in[0], in[1], select, c.w)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y(counts(c.x, c.w));
            for_each_index(y.dims, [&](const Dims& window, int64_t i) {
              const int64_t e = chosen(in[0], c.w, select, window);
              y[i] = e < 0 ? 0 : in[1][e];
            });
            return {y};
          }};
}

std::vector<WindowCase> shapes() {
  return {
      {"one", {1}, {.size = {1}}},
      {"plain", {3, 4}, {.size = {1, 1}}},
      {"line", {17}, {.size = {3}}},
      {"line_by_two", {19}, {.size = {3}, .strides = {2}, .padding_low = {1}, .padding_high = {1}}},
      {"line_of_rows", {6, 5}, {.size = {2, 1}, .strides = {1, 1}}},
      {"long_windows", {40}, {.size = {13}, .padding_low = {12}, .padding_high = {0}}},
      {"long_windows_by_two",
       {40, 3},
       {.size = {13, 1}, .strides = {2, 1}, .padding_low = {5, 0}, .padding_high = {4, 0}}},
      {"longer_than_x", {5}, {.size = {9}, .padding_low = {6}, .padding_high = {6}}},
      {"no_windows", {5}, {.size = {9}}},
      {"empty", {0, 4}, {.size = {1, 2}}},
      {"pool_2x2", {2, 6, 8}, {.size = {1, 2, 2}, .strides = {1, 2, 2}}},
      {"pool_3x3",
       {2, 7, 9},
       {.size = {1, 3, 3}, .strides = {1, 2, 2}, .padding_low = {0, 1, 1}, .padding_high = {0, 1, 1}}},
      {"pool_channels_last", {2, 7, 6, 5}, {.size = {1, 3, 2, 1}, .strides = {1, 2, 1, 1}}},
      {"pool_5x5", {1, 9, 9}, {.size = {1, 5, 5}}},
      {"base_dilated", {5, 4}, {.size = {3, 2}, .strides = {2, 1}, .base_dilations = {2, 3}}, false},
      {"window_dilated", {9, 8}, {.size = {3, 2}, .strides = {1, 2}, .window_dilations = {2, 3}}},
      {"both_dilated",
       {5, 6},
       {.size = {3, 2},
        .strides = {3, 2},
        .base_dilations = {2, 3},
        .window_dilations = {3, 2},
        .padding_low = {2, 1},
        .padding_high = {1, 3}},
       false},
      {"negative_padding", {9, 8}, {.size = {2, 3}, .padding_low = {-2, 1}, .padding_high = {-1, -2}}},
      {"only_padding", {3}, {.size = {2}, .strides = {2}, .padding_low = {4}, .padding_high = {3}}, false},
      {"three_axes", {4, 5, 6}, {.size = {2, 2, 3}, .strides = {1, 2, 1}}},
      {"many_columns", {5, 300}, {.size = {2, 1}}},
  };
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all;
  for (const WindowCase& c : shapes()) {
    for (const char* kind : {"sum", "product", "max", "min"}) all.push_back(reduce_row(c, kind));
    for (const char* select : {"GE", "LE"}) {
      all.push_back(scatter_row(c, select));
      all.push_back(gather_row(c, select));
    }
  }
  const WindowCase pool = shapes()[11];
  for (const char* kind : {"sum", "product", "max", "min", "and", "or"}) {
    OpTest integers = reduce_row({"integers", pool.x, shapes()[10].w}, kind);  // no padding: its value is the dtype's
    integers.dtypes = {DType::i32, DType::u8, DType::i64, DType::u64};
    integers.cases[0].in[0].low = 0, integers.cases[0].in[0].high = 3;
    all.push_back(integers);
  }
  for (OpTest integers : {scatter_row(pool, "GE"), gather_row(pool, "LE")}) {
    integers.cases[0].name = "integers";
    integers.dtypes = {DType::i32, DType::u8, DType::i64, DType::u64, DType::i16};
    for (TestInput& in : integers.cases[0].in) in.low = 0, in.high = 9;
    all.push_back(integers);
  }
  for (const char* kind : {"and", "or"}) {
    OpTest bools = reduce_row({"bool", pool.x, shapes()[10].w}, kind);
    bools.dtypes = {DType::boolean};
    bools.cases[0].in[0].low = 0;
    all.push_back(bools);
  }
  for (const char* kind : {"sum", "max", "min"}) {
    OpTest nan = reduce_row(shapes()[3], kind);
    nan.cases[0].name = std::string("nan_") + kind;
    nan.cases[0].in[0].values = {1, 2, NAN, 3, 4, INFINITY, 5, 6, 7, -INFINITY, -1, -2, -3};
    nan.grad = false;
    all.push_back(nan);
  }
  OpTest zeros = reduce_row(shapes()[11], "product");  // a derivative by division would be NaN
  zeros.cases[0].name = "zeros_product";
  zeros.cases[0].in[0].values = {0, 1, 2, 0, 3, 0, 0, -1};
  all.push_back(zeros);
  return all;
}

HEARTH_OP_TESTS(window, rows)

std::vector<double> run_one(Graph& g, const Value& y, const std::vector<Bytes>& in) {
  g.output("y", y);
  return to_doubles(y.dtype(), run_graph(g, in)[0]);
}

TEST(Pool, max_and_average) {
  const Bytes in = to_bytes(DType::f32, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto pooled = [&](bool max, const PoolOptions& o, const Dims& dims) {
    Graph g;
    const Value x = g.input("x", {DType::f32, dims});
    return run_one(g, max ? max_pool(x, o) : avg_pool(x, o), {in});
  };
  const PoolOptions two{.window = {2, 2}, .strides = {1, 1}};
  EXPECT_EQ(pooled(true, two, {1, 1, 3, 3}), (std::vector<double>{5, 6, 8, 9}));
  EXPECT_EQ(pooled(false, two, {1, 1, 3, 3}), (std::vector<double>{3, 4, 6, 7}));
  EXPECT_EQ(pooled(true, {.window = {2}, .channels_last = true}, {3, 3}), (std::vector<double>{4, 5, 6}));
  const PoolOptions edges{.window = {2, 2}, .padding_low = {1, 1}, .count_padding = false};
  EXPECT_EQ(pooled(false, edges, {3, 3}), (std::vector<double>{1, 2.5, 5.5, 7}));
  EXPECT_EQ(pooled(false, {.window = {2, 2}, .padding_low = {1, 1}}, {3, 3}),
            (std::vector<double>{0.25, 1.25, 2.75, 7}));
}

TEST(Window, sixteen_bit_sums_keep_growing) {
  for (const DType t : {DType::bf16, DType::f16}) {
    Graph g;
    const Value x = g.input("x", {t, {4096}});
    EXPECT_EQ(run_one(g, reduce_window(x, "sum", {.size = {4096}}), {to_bytes(t, std::vector<double>(4096, 1))}),
              std::vector<double>{4096});
  }
}

TEST(Window, complex_sum_and_product) {
  for (const char* device : {"cpu", "reference"}) {
    Graph g;
    const Value x = g.input("x", {DType::complex64, {3}});
    g.output("s", reduce_window(x, "sum", {.size = {2}}));
    g.output("p", reduce_window(x, "product", {.size = {2}}));
    const std::vector<Bytes> out = run_graph(g, {to_bytes(DType::complex64, {1, 2, 3, -1, 0, 1})},
                                             CompileOptions{.devices = {std::string(device)}});
    EXPECT_EQ(to_doubles(DType::complex64, out[0]), (std::vector<double>{4, 1, 3, 0}));
    EXPECT_EQ(to_doubles(DType::complex64, out[1]), (std::vector<double>{5, 5, 1, 3}));
  }
}

// d2/dx2 of sum(max_pool(x)^2): 2 where a window has its maximum, once for each.
TEST(Window, second_derivative_of_max) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {4}});
  const Value y = reduce_window(x, "max", {.size = {2}});
  const Value first = gradients(reduce_sum(y * y, {0}), {x})[0];
  const Value second = gradients(reduce_sum(first, {0}), {x})[0];
  EXPECT_EQ(run_one(g, second, {to_bytes(DType::f32, {1, 5, 2, 3})}), (std::vector<double>{0, 4, 0, 2}));
}

TEST(Window, same_bits_for_any_number_of_threads) {
  const int threads = num_threads();
  for (const char* kind : {"sum", "product", "max"}) {
    Graph g;
    const Value x = g.input("x", {DType::f32, {3, 300, 200}});
    const WindowDims w{.size = {1, 9, 3}, .strides = {1, 1, 2}, .padding_low = {0, 4, 1}};
    g.output("y", reduce_window(x, kind, w));
    std::vector<double> values;
    for (int64_t k = 0; k < 3 * 300 * 200; ++k) values.push_back(random_unit(1, uint64_t(k)) + 0.5);
    set_num_threads(1);
    const Bytes wanted = run_graph(g, {to_bytes(DType::f32, values)})[0];
    for (const int count : {2, 3, 16}) {
      set_num_threads(count);
      EXPECT_TRUE(run_graph(g, {to_bytes(DType::f32, values)})[0] == wanted) << kind << ' ' << count;
    }
    set_num_threads(threads);
  }
}

TEST(Window, errors) {
  Graph g;
  const Value x = g.input("x", {DType::f32, {5, 7}}), s = g.input("s", {DType::f32, {4, 4}}),
              b = g.input("b", {DType::boolean, {5}}), i = g.input("i", {DType::i32, {5, 7}});
  expect_error(Kind::shape,
               "reduce_window sum: window_dimensions [2] needs one number for each of 2 axes\n  x is x f32[5,7]",
               [&] { reduce_window(x, "sum", {.size = {2}}); });
  expect_error(Kind::shape, "reduce_window sum: window_strides [1,0]: 0 makes no sense for axis 1\n  x is x f32[5,7]",
               [&] {
                 reduce_window(x, "sum", {.size = {2, 2}, .strides = {1, 0}});
               });
  expect_error(Kind::value, "reduce_window: unknown kind 'mean'; there are sum product max min and or", [&] {
    reduce_window(x, "mean", {.size = {2, 2}});
  });
  expect_error(Kind::dtype, "reduce_window max: has no meaning for bool\n  x is b bool[5]",
               [&] { reduce_window(b, "max", {.size = {2}}); });
  expect_error(Kind::shape,
               "select_and_scatter: source must have the sizes [4,6]\n  x is x f32[5,7]\n  source is s f32[4,4]", [&] {
                 select_and_scatter(x, s, "GE", {.size = {2, 2}});
               });
  expect_error(Kind::dtype, "select_and_gather: dtypes differ: f32 != i32\n  x is x f32[5,7]\n  values is i i32[5,7]",
               [&] {
                 select_and_gather(x, i, "GE", {.size = {2, 2}});
               });
  expect_error(Kind::value, "select is 'GT'; there are GE and LE", [&] {
    select_and_scatter(x, s, "GT", {.size = {2, 2}});
  });
  expect_error(Kind::shape, "max_pool: 3 spatial axes do not fit\n  x is x f32[5,7]", [&] {
    max_pool(x, {.window = {2, 2, 2}});
  });
  expect_error(Kind::shape, "avg_pool: [1] needs one number for each of 2 spatial axes\n  x is x f32[5,7]", [&] {
    avg_pool(x, {.window = {2, 2}, .strides = {1}});
  });
}

}  // namespace
}  // namespace hearth
