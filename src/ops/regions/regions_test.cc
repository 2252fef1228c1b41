// SPDX-License-Identifier: Apache-2.0
#include "ops/regions/regions.h"

#include <algorithm>
#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/op_test.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

constexpr DType i32 = DType::i32;

// --- bodies and what they mean --------------------------------------------------------------------------------------

Values logaddexp_body(const Values& a, const Values& b) { return {logaddexp(a[0], b[0])}; }
// a + b + a b: any order of the pairs gives prod(1 + x) - 1.
Values product_like(const Values& a, const Values& b) { return {a[0] + b[0] + a[0] * b[0]}; }
Values sum_body(const Values& a, const Values& b) { return {b[0] + a[0]}; }
// The larger one, and the number that belongs to it; the lower number of equals.
Values argmax_body(const Values& a, const Values& b) {
  const Value first = compare("GT", a[0], b[0]) | (compare("EQ", a[0], b[0]) & compare("LT", a[1], b[1]));
  return {select(first, a[0], b[0]), select(first, a[1], b[1])};
}

double log_add_exp(double a, double b) {
  const double high = std::max(a, b);
  return std::isinf(high) ? high : high + std::log1p(std::exp(-std::fabs(a - b)));
}
double product_of(double a, double b) { return a + b + a * b; }
double sum_of(double a, double b) { return a + b; }

using Pair = double (*)(double, double);

// --- map ------------------------------------------------------------------------------------------------------------

Values mapped(Graph&, const Values& in) {
  return map_elements(
      [&](const Values& s) -> Values {
        return {s[0] * exp(s[1]) + in[2], s[0] + s[1]};
      },
      {in[0], in[1]});
}
Values mapped_composite(Graph&, const Values& in) {  // more than element-wise primitives
  return map_elements([&](const Values& s) -> Values { return {logaddexp(s[0], s[1]) + in[2], s[1]}; }, {in[0], in[1]});
}
std::vector<Reals> map_definition(const std::vector<Reals>& in, bool composite) {
  Reals y = in[0], z = in[1];
  for (size_t i = 0; i < y.at.size(); ++i) {
    const double a = in[0].at[i], b = in[1].at[i];
    y.at[i] = (composite ? log_add_exp(a, b) : a * std::exp(b)) + in[2][0];
    z.at[i] = composite ? b : a + b;
  }
  return {y, z};
}

// --- reduce and windows of it ---------------------------------------------------------------------------------------

OpTest reduce_test(const std::string& name, const TestInput& x, const Dims& axes, PairRegion body, Pair f) {
  return {.op = "reduce_with_body",
          .cases = {{name, {x, {{}, -0.5, 0.5}}, 64}},
          .build = [=](Graph&, const Values& in) { return reduce_with_body({in[0]}, {in[1]}, axes, body); },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Dims kept;
            for (int64_t i = 0; i < int64_t(in[0].dims.size()); ++i)
              if (!std::binary_search(axes.begin(), axes.end(), i)) kept.push_back(in[0].dim(i));
            Reals y(kept, in[1][0]);
            for_each_index(in[0].dims, [&](const Dims& index, int64_t i) {
              Dims at;
              for (size_t k = 0; k < index.size(); ++k)
                if (!std::binary_search(axes.begin(), axes.end(), int64_t(k))) at.push_back(index[k]);
              y(at) = f(y(at), in[0][i]);
            });
            return {y};
          },
          .c = 16,
          .grad_c = 64};
}

OpTest argmax_test() {
  return {.op = "reduce_with_body",
          .cases = {{"pairs", {{{3, 37}}, {{3, 37}, 0, 0, i32, {}}}}},
          .build =
              [](Graph& g, const Values& in) {
                return reduce_with_body({in[0], iota(g, i32, in[0].dims(), 1)},
                                        {constant(g, -INFINITY, in[0].dtype()), constant(g, 99, i32)}, {1},
                                        argmax_body);
              },
          .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals value({3}, -INFINITY), number({3}, 99);
            for (int64_t r = 0; r < 3; ++r)
              for (int64_t i = 0; i < 37; ++i)
                if (in[0][r * 37 + i] > value[r]) value[r] = in[0][r * 37 + i], number[r] = double(i);
            return {value, number};
          }};
}

// Along the last axis of x[2,n], with `low` places of init before.
OpTest window_test(const std::string& name, int64_t n, WindowDims w, PairRegion body, Pair f) {
  return {.op = "reduce_window_with_body",
          .cases = {{name, {{{2, n}}, {{}, -0.5, 0.5}}, 64}},
          .build = [=](Graph&, const Values& in) { return reduce_window_with_body({in[0]}, {in[1]}, w, body); },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            const int64_t base = w.base_dilations[1],
                          length = w.padding_low[1] + (n - 1) * base + 1 + w.padding_high[1];
            const int64_t count = (length - (w.size[1] - 1) * w.window_dilations[1] - 1) / w.strides[1] + 1;
            const int64_t rows = 2 - w.size[0] + 1;
            Reals y({rows, count}, in[1][0]);
            for_each_index(y.dims, [&](const Dims& at, int64_t o) {
              for (int64_t r = 0; r < w.size[0]; ++r)
                for (int64_t k = 0; k < w.size[1]; ++k) {
                  const int64_t p = at[1] * w.strides[1] + k * w.window_dilations[1] - w.padding_low[1];
                  const bool inside = p >= 0 && p % base == 0 && p / base < n;
                  y[o] = f(y[o], inside ? in[0][(at[0] + r) * n + p / base] : in[1][0]);
                }
            });
            return {y};
          },
          .c = 16,
          .grad_c = 64};
}
WindowDims along_last(int64_t size, int64_t stride, int64_t base, int64_t dilation, int64_t low, int64_t high) {
  return {.size = {1, size},
          .strides = {1, stride},
          .base_dilations = {1, base},
          .window_dilations = {1, dilation},
          .padding_low = {0, low},
          .padding_high = {0, high}};
}

// --- select and scatter ---------------------------------------------------------------------------------------------

// Windows of 3 at stride 2 over x[9] padded by one; `smallest` keeps the element nearest to zero, the first of equals.
OpTest select_test(const std::string& name, bool nearest, bool product) {
  const WindowDims window{.size = {3}, .strides = {2}, .padding_low = {1}, .padding_high = {1}};
  return {.op = "select_and_scatter_with_body",
          .cases = {{name, {{{9}}, {{5}}, {{}}}}},
          .build = [=](Graph&, const Values& in) -> Values {
            return {select_and_scatter_with_body(
                in[0], in[1], in[2],
                {.window = window,
                 .select = [=](const Value& a,
                               const Value& b) { return nearest ? compare("LE", a * a, b * b) : compare("GE", a, b); },
                 .scatter = [=](const Value& a, const Value& b) { return product ? a + b + a * b : a + b; }})};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y({9}, in[2][0]);
            for (int64_t o = 0; o < 5; ++o) {
              int64_t best = -1;
              for (int64_t k = 0; k < 3; ++k) {
                const int64_t p = o * 2 + k - 1;
                if (p < 0 || p >= 9) continue;
                const auto key = [&](int64_t i) { return nearest ? -in[0][i] * in[0][i] : in[0][i]; };
                if (best < 0 || key(p) > key(best)) best = p;
              }
              y[best] = product ? product_of(y[best], in[1][o]) : y[best] + in[1][o];
            }
            return {y};
          },
          .c = 4};
}

// --- sort -----------------------------------------------------------------------------------------------------------

struct SortCase {
  std::string name;
  Comparator before;
  std::function<bool(double, double, double, double)> less;  // a0 b0 a1 b1
};

// x[n,3] and a second operand of few values, along axis 0.
OpTest sort_test(const SortCase& how, int64_t n) {
  TestInput second{{n, 3}, 0, 0, i32, {}};  // ties have no derivative
  for (int64_t i = 0; i < 3 * n; ++i) second.values.push_back(double(i * 7 % 4));
  return {.op = "sort_with_body",
          .cases = {{how.name + "_" + std::to_string(n), {{{n, 3}}, second}}},
          .build = [=](Graph&, const Values& in) { return sort_with_body(in, 0, how.before); },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            std::vector<Reals> out = in;
            for (int64_t c = 0; c < 3; ++c) {
              std::vector<int64_t> order;
              for (int64_t i = 0; i < n; ++i) order.push_back(i * 3 + c);
              std::stable_sort(order.begin(), order.end(),
                               [&](int64_t a, int64_t b) { return how.less(in[0][a], in[0][b], in[1][a], in[1][b]); });
              for (int64_t i = 0; i < n; ++i)
                for (size_t k = 0; k < 2; ++k) out[k][i * 3 + c] = in[k][order[size_t(i)]];
            }
            return out;
          }};
}

std::vector<SortCase> sort_cases() {
  return {{"less", [](const Values& a, const Values& b) { return compare("LT", a[0], b[0]); },
           [](double a, double b, double, double) { return a < b; }},
          {"second_descending", [](const Values& a, const Values& b) { return compare("LT", b[1], a[1]); },
           [](double, double, double a, double b) { return a > b; }},
          {"key_of_one", [](const Values& a, const Values& b) { return compare("GT", abs(a[0]), abs(b[0])); },
           [](double a, double b, double, double) { return std::fabs(a) > std::fabs(b); }},
          {"chain_of_two_directions",
           [](const Values& a, const Values& b) {
             return compare("LT", a[1], b[1]) | (compare("EQ", a[1], b[1]) & compare("GT", a[0], b[0], true));
           },
           [](double a0, double b0, double a1, double b1) { return a1 < b1 || (a1 == b1 && a0 > b0); }},
          {"any",  // a sum of two comparisons is no chain of keys
           [](const Values& a, const Values& b) {
             return compare("LT", a[1] * a[1] * 2.0 + b[1], b[1] * b[1] * 2.0 + a[1]);
           },
           [](double, double, double a, double b) { return a * a * 2 + b < b * b * 2 + a; }}};
}

// --- scatter --------------------------------------------------------------------------------------------------------

// Rows of x[5,2] at 4 indices, one of them twice and one outside.
OpTest scatter_test(const std::string& name, PairRegion body, Pair f, bool unique) {
  const std::vector<double> rows = unique ? std::vector<double>{1, 3, 7, 0} : std::vector<double>{1, 3, 7, 1};
  return {.op = "scatter_with_body",
          .cases = {{name, {{{5, 2}}, {{4, 1}, 0, 0, i32, rows}, {{4, 2}}}}},
          .build =
              [=](Graph&, const Values& in) {
                return scatter_with_body({in[0]}, in[1], {in[2]},
                                         {.dims = {.update_window_dims = {1},
                                                   .inserted_window_dims = {0},
                                                   .scatter_dims_to_operand_dims = {0},
                                                   .index_vector_dim = 1},
                                          .options = {.unique_indices = unique},
                                          .f = body});
              },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y = in[0];
            for (int64_t i = 0; i < 4; ++i)
              for (int64_t c = 0; c < 2; ++c) {
                const int64_t row = int64_t(in[1][i]);
                if (row < 5) y[row * 2 + c] = f(y[row * 2 + c], in[2][i * 2 + c]);
              }
            return {y};
          },
          .c = 4};
}

// Batching axes: y[b, i] over indices [3,b] with the index vector first, updates [b,3].
OpTest batching_scatter_test() {
  return {.op = "scatter_with_body",
          .cases = {{"batching_axes", {{{2, 4}}, {{1, 3, 2}, 0, 0, i32, {0, 3, 2, 1, 0, 3}}, {{3, 2}}}}},
          .build =
              [](Graph&, const Values& in) {
                return scatter_with_body({in[0]}, in[1], {in[2]},
                                         {.dims = {.inserted_window_dims = {1},
                                                   .input_batching_dims = {0},
                                                   .scatter_indices_batching_dims = {2},
                                                   .scatter_dims_to_operand_dims = {1},
                                                   .index_vector_dim = 0},
                                          .f = product_like});
              },
          .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals y = in[0];
            for (int64_t i = 0; i < 3; ++i)
              for (int64_t b = 0; b < 2; ++b) {
                double& at = y[b * 4 + int64_t(in[1][i * 2 + b])];
                at = product_of(at, in[2][i * 2 + b]);
              }
            return {y};
          },
          .c = 4};
}

Values composed(Graph&, const Values& in) {
  return composite({.name = "scaled", .version = 2, .attrs = {{"by", 3.0}}},
                   [&](const Values& x) -> Values { return {x[0] * in[1] * 3.0}; }, {in[0]});
}
std::vector<Reals> composed_definition(const std::vector<Reals>& in) {
  Reals y = in[0];
  for (size_t i = 0; i < y.at.size(); ++i) y.at[i] *= in[1].at[i] * 3;
  return {y};
}

Values set_body(const Values&, const Values& b) { return {b[0]}; }

std::vector<OpTest> regions_rows() {
  const std::vector<OpCase> maps = {
      {"matrix", {{{4, 17}}, {{4, 17}}, {{}}}}, {"scalar", {{{}}, {{}}, {{}}}}, {"empty", {{{0, 3}}, {{0, 3}}, {{}}}}};
  std::vector<OpTest> rows = {
      {.op = "map",
       .cases = maps,
       .build = mapped,
       .definition = [](const std::vector<Reals>& in) { return map_definition(in, false); },
       .c = 4},
      {.op = "map",
       .cases = maps,
       .build = mapped_composite,
       .definition = [](const std::vector<Reals>& in) { return map_definition(in, true); },
       .c = 8},
      reduce_test("logaddexp", {{3, 17}}, {1}, logaddexp_body, log_add_exp),
      reduce_test("both_axes", {{5, 6}, -0.5, 0.5}, {0, 1}, product_like, product_of),
      reduce_test("first_axis", {{7, 3}, -0.5, 0.5}, {0}, product_like, product_of),
      reduce_test("known_sum", {{4, 16}}, {1}, sum_body, sum_of),
      reduce_test("no_axis", {{4}, -0.5, 0.5}, {}, product_like, product_of),
      reduce_test("of_nothing", {{3, 0}}, {1}, product_like, product_of),
      reduce_test("of_one", {{1, 3}}, {0}, logaddexp_body, log_add_exp),
      reduce_test("infinities", {{2, 3}, 0, 0, {}, {-INFINITY, 1, 2, -INFINITY, -INFINITY, INFINITY}}, {1},
                  logaddexp_body, log_add_exp),
      argmax_test(),
      window_test("few_taps", 9, along_last(3, 2, 1, 1, 1, 1), product_like, product_of),
      window_test("doubling", 40, along_last(13, 1, 1, 1, 5, 7), logaddexp_body, log_add_exp),
      window_test("dilated", 20, along_last(6, 2, 2, 3, 2, 0), product_like, product_of),
      window_test("cropped", 12, along_last(4, 1, 1, 1, -2, -1), product_like, product_of),
      window_test("known_sum", 9, along_last(3, 2, 1, 1, 0, 0), sum_body, sum_of),
      window_test("known_sum_padded_with_another", 9, along_last(3, 2, 1, 1, 1, 1), sum_body, sum_of),
      select_test("known", false, false),
      select_test("nearest_to_zero", true, false),
      select_test("product", true, true),
      scatter_test("known_add", sum_body, sum_of, false),
      scatter_test(
          "known_set", set_body, [](double, double b) { return b; }, false),
      scatter_test("any", product_like, product_of, false),
      scatter_test("any_unique", product_like, product_of, true),
      batching_scatter_test(),
      {.op = "composite", .cases = {{"scaled", {{{5}}, {{5}}}}}, .build = composed, .definition = composed_definition}};
  for (OpTest& row : rows)
    if (row.cases[0].name == "infinities") row.grad = false;
  for (const SortCase& how : sort_cases())
    for (const int64_t n : {1, 8, 13, 0}) rows.push_back(sort_test(how, n));
  return rows;
}

}  // namespace

HEARTH_OP_TESTS(regions, regions_rows)

}  // namespace hearth
