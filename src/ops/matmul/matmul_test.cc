// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/matmul.h"

#include <cmath>
#include <limits>

#include "ops/matmul/matmul_rule.h"
#include "ops/op_test.h"

namespace hearth {
namespace {

// Result axes: batch, free of a, free of b; the sum runs over the contracted axes.
Reals dot_definition(const Reals& a, const Reals& b, const DotAxes& axes) {
  const Dims a_free = free_axes(int64_t(a.dims.size()), axes.a_batch, axes.a_contract);
  const Dims b_free = free_axes(int64_t(b.dims.size()), axes.b_batch, axes.b_contract);
  Dims dims, inner;
  for (const int64_t axis : axes.a_batch) dims.push_back(a.dim(axis));
  for (const int64_t axis : a_free) dims.push_back(a.dim(axis));
  for (const int64_t axis : b_free) dims.push_back(b.dim(axis));
  for (const int64_t axis : axes.a_contract) inner.push_back(a.dim(axis));
  Reals c(dims);
  for_each_index(dims, [&](const Dims& index, int64_t i) {
    for_each_index(inner, [&](const Dims& k, int64_t) {
      Dims at_a(a.dims.size()), at_b(b.dims.size());
      size_t next = 0;
      for (size_t x = 0; x < axes.a_batch.size(); ++x, ++next)
        at_a[size_t(axes.a_batch[x])] = at_b[size_t(axes.b_batch[x])] = index[next];
      for (const int64_t axis : a_free) at_a[size_t(axis)] = index[next++];
      for (const int64_t axis : b_free) at_b[size_t(axis)] = index[next++];
      for (size_t x = 0; x < k.size(); ++x) at_a[size_t(axes.a_contract[x])] = at_b[size_t(axes.b_contract[x])] = k[x];
      c[i] += a(at_a) * b(at_b);
    });
  });
  return c;
}

double terms_of(const Dims& a, const DotAxes& axes) {
  double terms = 1;
  for (const int64_t axis : axes.a_contract) terms *= double(a[size_t(axis)]);
  return terms;
}

OpTest dot_test(const std::string& name, const Dims& a, const Dims& b, const DotAxes& axes) {
  return {.op = "dot_general",
          .cases = {{name, {{a, -1, 1}, {b, -1, 1}}, terms_of(a, axes)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            return {dot_general(in[0], in[1], axes)};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            return {dot_definition(in[0], in[1], axes)};
          }};
}
OpTest plain(const std::string& name, int64_t m, int64_t k, int64_t n) {
  return dot_test(name, {m, k}, {k, n}, {.a_contract = {1}, .b_contract = {0}});
}

// The contractions that models make.
std::vector<OpTest> arrangements() {
  std::vector<OpTest> tests = {
      dot_test("transpose_b", {5, 7}, {3, 7}, {.a_contract = {1}, .b_contract = {1}}),
      dot_test("transpose_a", {7, 5}, {7, 3}, {.a_contract = {0}, .b_contract = {0}}),
      dot_test("both_transposed", {7, 5}, {3, 7}, {.a_contract = {0}, .b_contract = {1}}),
      dot_test("vectors", {9}, {9}, {.a_contract = {0}, .b_contract = {0}}),
      dot_test("matrix_times_vector", {5, 9}, {9}, {.a_contract = {1}, .b_contract = {0}}),
      dot_test("outer_product", {4}, {6}, {}),
      dot_test("batch", {3, 4, 5}, {3, 5, 6}, {{0}, {0}, {2}, {1}}),
      dot_test("batch_in_the_middle", {4, 3, 5}, {5, 3, 6}, {{1}, {1}, {2}, {0}}),
      dot_test("two_batch_axes", {2, 3, 4, 5}, {2, 6, 3, 5}, {{0, 1}, {0, 2}, {3}, {3}}),
      dot_test("two_inner_axes", {4, 2, 3}, {2, 3, 5}, {.a_contract = {1, 2}, .b_contract = {0, 1}}),
      dot_test("inner_axes_swapped", {4, 2, 3}, {3, 2, 5}, {.a_contract = {1, 2}, .b_contract = {1, 0}}),
      dot_test("inner_axes_apart", {2, 4, 3}, {2, 5, 3}, {.a_contract = {0, 2}, .b_contract = {0, 2}}),
      dot_test("empty_batch", {0, 4, 5}, {0, 5, 6}, {{0}, {0}, {2}, {1}})};
  OpTest x{.op = "dot_general",
           .cases = {{"linear_widens_bf16_weight", {{{2, 5, 33}, -1, 1}, {{9, 33}, -1, 1, DType::bf16}}, 33},
                     {"linear_widens_f16_weight", {{{70, 33}, -1, 1}, {{9, 33}, -1, 1, DType::f16}}, 33}},
           .build = [](Graph&, const std::vector<Value>& in) -> std::vector<Value> { return {linear(in[0], in[1])}; },
           .definition = [](const std::vector<Reals>& in) -> std::vector<Reals> {
             return {dot_definition(in[0], in[1], {.a_contract = {int64_t(in[0].dims.size()) - 1}, .b_contract = {1}})};
           },
           .dtypes = {DType::f32}};
  tests.push_back(x);
  OpTest integers = plain("integers", 5, 7, 3);
  integers.cases[0].in = {{{5, 7}, -9, 9}, {{7, 3}, -9, 9}};
  integers.dtypes = {DType::i32, DType::i64};
  tests.push_back(integers);
  OpTest special = plain("nan_and_infinity", 3, 2, 3);
  const double infinity = std::numeric_limits<double>::infinity();
  special.cases[0].in[0].values = {1, 0, infinity, 2, std::nan(""), 0};
  special.cases[0].in[1].values = {0, 1, 2, infinity, 5, -infinity};
  special.grad = false;
  tests.push_back(special);
  return tests;
}

// C = A1 B1 + scale A2 B2 + addend, which the compiler joins into one call on the cpu.
OpTest epilogue_test(const std::string& name, int64_t m, int64_t k, int64_t n, int64_t rank, bool addend) {
  return {.op = "dot_general",
          .cases = {{name,
                     {{{m, k}, -1, 1}, {{k, n}, -1, 1}, {{m, rank}, -1, 1}, {{rank, n}, -1, 1}, {{m, n}, -1, 1}},
                     double(k + 2 * rank + 1)}},
          .build = [=](Graph&, const std::vector<Value>& in) -> std::vector<Value> {
            const Value update = Value(matmul(in[0], in[1])), low = Value(matmul(in[2], in[3]));
            const Value scaled = low.graph->add(
                "multiply",
                {low, low.graph->add("constant", {},
                                     {{"value", 0.5}, {"dtype", int64_t(low.dtype())}, {"shape", low.dims()}})});
            const Value sum = update.graph->add("add", {update, scaled});
            return {addend ? sum.graph->add("add", {in[4], sum}) : sum};
          },
          .definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
            Reals c = dot_definition(in[0], in[1], {.a_contract = {1}, .b_contract = {0}});
            const Reals low = dot_definition(in[2], in[3], {.a_contract = {1}, .b_contract = {0}});
            for (size_t i = 0; i < c.at.size(); ++i) c.at[i] += 0.5 * low.at[i] + (addend ? in[4].at[i] : 0);
            return {c};
          }};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = arrangements();
  tests.push_back(plain("one", 1, 1, 1));
  tests.push_back(plain("row_times_matrix", 1, 8, 5));
  tests.push_back(plain("matrix_times_column", 5, 8, 1));
  tests.push_back(plain("k_off_by_one_from_tile", 4, 17, 3));
  tests.push_back(plain("k_is_zero", 2, 0, 3));  // an empty sum is 0, not garbage
  tests.push_back(plain("m_is_zero", 0, 4, 3));
  tests.push_back(plain("n_is_zero", 4, 3, 0));
  for (const int64_t m : {5, 6, 7, 13}) tests.push_back(plain("m_" + std::to_string(m), m, 20, 17));
  for (const int64_t n : {15, 16, 17, 31, 32, 33, 49}) tests.push_back(plain("n_" + std::to_string(n), 9, 20, n));
  for (const int64_t k : {255, 256, 257, 513}) tests.push_back(plain("k_" + std::to_string(k), 7, k, 18));
  tests.push_back(epilogue_test("low_rank_update", 9, 40, 17, 4, false));
  tests.push_back(epilogue_test("low_rank_update_and_addend", 9, 40, 17, 4, true));
  tests.push_back(epilogue_test("low_rank_update_of_one_row", 1, 40, 33, 8, true));
  tests.push_back(epilogue_test("low_rank_update_with_rank_zero", 3, 8, 5, 0, true));
  return tests;
}

HEARTH_OP_TESTS(matmul, rows)

TEST(Matmul, wrong_inner_size_says_what_would_fit) {
  Graph g;
  const Value a = g.input("x", {DType::f32, {3, 4}}), b = g.input("wq", {DType::f32, {5, 4}});
  try {
    matmul(a, b);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "matmul: inner sizes differ: 4 != 5\n  a is x f32[3,4]\n  b is wq f32[5,4]\n"
                 "  hint: b fits when transposed: matmul(a, b, {.transpose_b = true})");
  }
}

}  // namespace
}  // namespace hearth
