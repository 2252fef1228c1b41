// SPDX-License-Identifier: Apache-2.0
#include "ops/linalg/linalg_functions.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "array/run_graph.h"
#include "array/transforms.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_definitions_test.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"

namespace hearth {
namespace {

using namespace test_matrix;
using Values = std::vector<Value>;
using Many = std::vector<Reals>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// `op` is the operation that the function is made of.
OpTest row(const std::string& op, const std::string& name, const std::vector<Dims>& shapes,
           std::function<Value(const Values&)> build, std::function<Reals(const Many&)> definition) {
  OpTest test{.op = op,
              .cases = {{name, {}}},
              .build = [=](Graph&, const Values& in) -> Values { return {build(in)}; },
              .definition = [=](const Many& in) -> Many { return {definition(in)}; },
              .dtypes = {DType::f32, DType::f64},
              .c = 100,
              .grad_c = 1000};
  for (const Dims& dims : shapes) test.cases[0].in.push_back({dims});
  return test;
}
OpTest batched(OpTest test) {
  const auto one = test.definition;
  test.definition = [one](const Many& in) { return each_matrix(in, one); };
  return test;
}
OpTest without_gradient(OpTest test) {
  test.grad = false;
  return test;
}

Reals scalar(double value) { return Reals(Dims{}, value); }
Reals unit(int64_t n) { return plus_diagonal(Reals({n, n}), 1); }
double determinant(const Reals& a) {
  const Many f = lu_of(a);
  double product = 1;
  for (int64_t i = 0; i < a.dims[0]; ++i) product *= f[0]({i, i}) * (f[1][i] == double(i) ? 1 : -1);
  return product;
}
Value shifted(const Value& x) { return x + 5.0 * linalg::eye_like(x, x.dim(-1)); }  // far from singular
Reals shifted(const Reals& x) { return plus_diagonal(x, 5); }
Reals column(const Reals& x) {
  Reals y({x.dims[0], 1});
  y.at = x.at;
  return y;
}

std::vector<OpTest> solving() {
  const auto solve_ab = [](const Values& in) { return solve(shifted(in[0]), in[1]); };
  const auto defined = [](const Many& in) { return solved(shifted(in[0]), in[1]); };
  const auto pinv_wide = [](const Many& in) {
    return times(flipped(in[0]), solved(times(in[0], flipped(in[0])), unit(in[0].dims[0])));
  };
  const auto pinv_tall = [](const Many& in) { return solved(times(flipped(in[0]), in[0]), flipped(in[0])); };
  return {
      row("linear_solve", "one", {{1, 1}, {1, 1}}, solve_ab, defined),
      row("linear_solve", "matrix", {{5, 5}, {5, 3}}, solve_ab, defined),
      batched(row("linear_solve", "batch", {{2, 3, 3}, {2, 3, 2}}, solve_ab, defined)),
      row("linear_solve", "tile_plus_1", {{17, 17}, {17, 2}}, solve_ab, defined),
      row("linear_solve", "empty", {{0, 0}, {0, 2}}, solve_ab, [](const Many& in) { return in[1]; }),
      row("linear_solve", "vector", {{4, 4}, {4}}, solve_ab,
          [](const Many& in) {
            Reals y({4});
            y.at = solved(shifted(in[0]), column(in[1])).at;
            return y;
          }),
      row(
          "linear_solve", "inv", {{4, 4}}, [](const Values& in) { return inv(shifted(in[0])); },
          [](const Many& in) { return solved(shifted(in[0]), unit(4)); }),
      row(
          "linear_solve", "power_minus_2", {{3, 3}}, [](const Values& in) { return matrix_power(shifted(in[0]), -2); },
          [](const Many& in) {
            const Reals y = solved(shifted(in[0]), unit(3));
            return times(y, y);
          }),
      row(
          "dot_general", "power_5", {{3, 3}}, [](const Values& in) { return matrix_power(in[0] * 0.5, 5); },
          [](const Many& in) {
            Reals a = in[0], y = unit(3);
            for (double& x : a.at) x *= 0.5;
            for (int i = 0; i < 5; ++i) y = times(y, a);
            return y;
          }),
      row(
          "pinv", "tall", {{5, 3}}, [](const Values& in) { return pinv(in[0]); }, pinv_tall),
      row(
          "pinv", "wide", {{2, 4}}, [](const Values& in) { return pinv(in[0]); }, pinv_wide),
      batched(row(
          "pinv", "batch", {{2, 4, 2}}, [](const Values& in) { return pinv(in[0]); },
          [=](const Many& in) { return pinv_tall(in); })),
      row(
          "pinv", "empty", {{0, 2}}, [](const Values& in) { return pinv(in[0]); },
          [](const Many&) {
            return Reals(Dims{2, 0});
          }),
      row(
          "pinv", "lstsq", {{5, 2}, {5, 3}}, [](const Values& in) { return lstsq(in[0], in[1]).x; },
          [=](const Many& in) { return times(pinv_tall(in), in[1]); }),
      row(
          "lu", "det", {{4, 4}}, [](const Values& in) { return det(in[0]); },
          [](const Many& in) { return scalar(determinant(in[0])); }),
      row(
          "lu", "det_of_nothing", {{0, 0}}, [](const Values& in) { return det(in[0]); },
          [](const Many&) { return scalar(1); }),
      row(
          "lu", "slogdet_log", {{5, 5}}, [](const Values& in) { return slogdet(in[0]).log_abs; },
          [](const Many& in) { return scalar(std::log(std::fabs(determinant(in[0])))); }),
      row(
          "lu", "slogdet_sign", {{3, 3}}, [](const Values& in) { return slogdet(in[0]).sign; },
          [](const Many& in) { return scalar(determinant(in[0]) > 0 ? 1 : -1); })};
}

double sum_of(const Reals& x, const std::function<double(double)>& f) {
  double sum = 0;
  for (const double v : x.at) sum += f(v);
  return sum;
}

std::vector<OpTest> norms() {
  const auto vector = [](double ord) { return [ord](const Values& in) { return vector_norm(in[0], {.ord = ord}); }; };
  const auto matrix = [](const char* ord) { return [ord](const Values& in) { return matrix_norm(in[0], ord); }; };
  const auto power_norm = [](double p) {
    return [p](const Many& in) {
      return scalar(std::pow(sum_of(in[0], [p](double v) { return std::pow(std::fabs(v), p); }), 1 / p));
    };
  };
  const auto largest_sum = [](bool rows) {
    return [rows](const Many& in) {
      const Reals a = rows ? in[0] : flipped(in[0]);
      double most = 0;
      for (int64_t i = 0; i < a.dims[0]; ++i) {
        double sum = 0;
        for (int64_t j = 0; j < a.dims[1]; ++j) sum += std::fabs(a({i, j}));
        most = std::max(most, sum);
      }
      return scalar(most);
    };
  };
  const auto of_values = [](const std::function<double(const Reals&)>& f) {
    return [f](const Many& in) { return scalar(f(std::get<1>(svd_of(in[0])))); };
  };
  return {row("reduce", "vector_norm_2", {{3, 4}}, vector(2), power_norm(2)),
          row("reduce", "vector_norm_1", {{7}}, vector(1), power_norm(1)),
          row("reduce", "vector_norm_3", {{7}}, vector(3), power_norm(3)),
          row("reduce", "vector_norm_inf", {{7}}, vector(kInfinity),
              [](const Many& in) {
                double most = 0;
                for (const double v : in[0].at) most = std::max(most, std::fabs(v));
                return scalar(most);
              }),
          without_gradient(row("reduce", "vector_norm_0", {{7}}, vector(0), [](const Many&) { return scalar(7); })),
          row(
              "reduce", "vector_norm_axis", {{2, 3}},
              [](const Values& in) { return vector_norm(in[0], {.axes = Dims{-1}, .keepdims = true}); },
              [](const Many& in) {
                Reals y({2, 1});
                for (int64_t i = 0; i < 2; ++i) y[i] = std::hypot(in[0]({i, 0}), in[0]({i, 1}), in[0]({i, 2}));
                return y;
              }),
          row("reduce", "matrix_norm_fro", {{4, 3}}, matrix("fro"), power_norm(2)),
          row("reduce", "matrix_norm_1", {{4, 3}}, matrix("1"), largest_sum(false)),
          row("reduce", "matrix_norm_inf", {{4, 3}}, matrix("inf"), largest_sum(true)),
          row("svd", "matrix_norm_2", {{4, 3}}, matrix("2"), of_values([](const Reals& s) { return s[0]; })),
          row("svd", "matrix_norm_minus_2", {{4, 3}}, matrix("-2"), of_values([](const Reals& s) { return s[2]; })),
          row("svd", "matrix_norm_nuc", {{4, 3}}, matrix("nuc"),
              of_values([](const Reals& s) { return sum_of(s, [](double v) { return v; }); })),
          row(
              "svd", "cond", {{4, 3}}, [](const Values& in) { return cond(in[0]); },
              of_values([](const Reals& s) { return s[0] / s[2]; }))};
}

std::vector<OpTest> products() {
  return {row(
              "slice", "diagonal_above", {{3, 5}}, [](const Values& in) { return diagonal(in[0], 2); },
              [](const Many& in) {
                Reals y({3});
                for (int64_t i = 0; i < 3; ++i) y[i] = in[0]({i, i + 2});
                return y;
              }),
          row(
              "slice", "diagonal_below", {{3, 5}}, [](const Values& in) { return diagonal(in[0], -1); },
              [](const Many& in) {
                Reals y({2});
                for (int64_t i = 0; i < 2; ++i) y[i] = in[0]({i + 1, i});
                return y;
              }),
          row(
              "slice", "diagonal_outside", {{3, 5}}, [](const Values& in) { return diagonal(in[0], 5); },
              [](const Many&) { return Reals(Dims{0}); }),
          row(
              "reduce", "trace", {{4, 3}}, [](const Values& in) { return trace(in[0]); },
              [](const Many& in) {
                return scalar(in[0]({0, 0}) + in[0]({1, 1}) + in[0]({2, 2}));
              }),
          row(
              "multiply", "outer", {{3}, {2, 2}}, [](const Values& in) { return outer(in[0], in[1]); },
              [](const Many& in) {
                Reals y({3, 4});
                for_each_index(y.dims, [&](const Dims& i, int64_t at) { y[at] = in[0][i[0]] * in[1][i[1]]; });
                return y;
              }),
          row(
              "multiply", "kron", {{2, 3}, {4}}, [](const Values& in) { return kron(in[0], in[1]); },
              [](const Many& in) {
                Reals y({2, 12});
                for_each_index(y.dims, [&](const Dims& i, int64_t at) {
                  y[at] = in[0]({i[0], i[1] / 4}) * in[1][i[1] % 4];
                });
                return y;
              }),
          row(
              "multiply", "cross", {{2, 3}, {2, 3}}, [](const Values& in) { return cross(in[0], in[1]); },
              [](const Many& in) {
                Reals y({2, 3});
                for_each_index(y.dims, [&](const Dims& i, int64_t at) {
                  const int64_t j = (i[1] + 1) % 3, k = (i[1] + 2) % 3;
                  y[at] = in[0]({i[0], j}) * in[1]({i[0], k}) - in[0]({i[0], k}) * in[1]({i[0], j});
                });
                return y;
              }),
          row(
              "dot_general", "multi_dot", {{2, 7}, {7, 3}, {3, 5}}, [](const Values& in) { return multi_dot(in); },
              [](const Many& in) { return times(times(in[0], in[1]), in[2]); })};
}

std::vector<OpTest> rows() {
  std::vector<OpTest> all = solving();
  for (const OpTest& test : norms()) all.push_back(test);
  for (const OpTest& test : products()) all.push_back(test);
  return all;
}

HEARTH_OP_TESTS(linalg_functions, rows)

std::vector<double> run_one(const Values& outputs, const std::vector<std::vector<double>>& in) {
  Graph& graph = *outputs[0].graph;
  std::vector<Bytes> bytes;
  for (size_t i = 0; i < in.size(); ++i)
    bytes.push_back(to_bytes(graph.node(graph.inputs()[i].node).types[0].dtype, in[i]));
  std::vector<double> all;
  for (size_t i = 0; i < outputs.size(); ++i) graph.output("y" + std::to_string(i), outputs[i]);
  const std::vector<Bytes> results = run_graph(graph, bytes);
  for (size_t i = 0; i < results.size(); ++i) {
    for (const double v : to_doubles(outputs[i].dtype(), results[i])) all.push_back(v);
  }
  return all;
}

// What has no factorisation says so in its values, and in those of its own matrix only.
TEST(Linalg, bad_matrices_give_nan_for_themselves) {
  Graph graph;
  const Value a = graph.input("a", {DType::f32, {2, 2, 2}});
  const std::vector<double> l = run_one({cholesky(a)}, {{4, 0, 2, 5, 1, 0, 2, 1}});
  EXPECT_EQ(std::vector<double>(l.begin(), l.begin() + 4), (std::vector<double>{2, 0, 1, 2}));
  EXPECT_TRUE(std::isnan(l[4]) && l[5] == 0 && std::isnan(l[6]) && std::isnan(l[7]));
  Graph other;
  const Value b = other.input("b", {DType::f64, {2, 2, 2}});
  const std::vector<double> w = run_one({eigvalsh(b), svdvals(b)}, {{3, 0, 0, 1, NAN, 0, 0, kInfinity}});
  EXPECT_NEAR(w[0], 1, 1e-14);
  EXPECT_NEAR(w[4], 3, 1e-14);
  for (const size_t i : {2, 3, 6, 7}) EXPECT_TRUE(std::isnan(w[i])) << i;
}

TEST(Linalg, singular_systems_are_infinite_and_have_rank) {
  Graph graph;
  const Value a = graph.input("a", {DType::f64, {2, 2}});
  const std::vector<double> y =
      run_one({inv(a), det(a), slogdet(a).sign, slogdet(a).log_abs, matrix_rank(a), cond(a, "1")}, {{1, 2, 2, 4}});
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(std::isfinite(y[size_t(i)])) << i;
  EXPECT_EQ(y[4], 0);
  EXPECT_EQ(y[5], 0);
  EXPECT_EQ(y[6], -kInfinity);
  EXPECT_EQ(y[7], 1);
  EXPECT_FALSE(std::isfinite(y[8]));
}

// sqrt(sum x^2) has no derivative at 0: NaN as in JAX, while the sum of sizes has 0.
TEST(Linalg, norms_at_zero_have_the_derivatives_of_jax) {
  Graph graph;
  const Value x = graph.input("x", {DType::f32, {2}});
  const std::vector<double> d =
      run_one({gradients(vector_norm(x), {x})[0], gradients(vector_norm(x, {.ord = 1}), {x})[0]}, {{0, 0}});
  EXPECT_TRUE(std::isnan(d[0]) && std::isnan(d[1]));
  EXPECT_EQ(d[2], 0);
  EXPECT_EQ(d[3], 0);
}

// d2/dt2 log det (A + t B) = -tr(A^-1 B A^-1 B), through two transposes of LU; and through solve.
TEST(Linalg, second_derivatives) {
  const std::vector<double> a = {4, 1, 0.5, 3}, b = {0.5, -1, 2, 1}, at = {0};
  for (const bool through_solve : {false, true}) {
    Graph graph;
    const Value t = graph.input("t", {DType::f64, {}});
    const Value m = constant_list(graph, a, DType::f64, {2, 2}) + t * constant_list(graph, b, DType::f64, {2, 2});
    const Value y = through_solve ? trace(solve(m, constant_list(graph, b, DType::f64, {2, 2}))) : slogdet(m).log_abs;
    const Value first = gradients(y, {t})[0];
    const std::vector<double> got = run_one({first, gradients(first, {t})[0]}, {at});
    Reals matrix_a({2, 2}), matrix_b({2, 2});
    matrix_a.at = a;
    matrix_b.at = b;
    const Reals inverse_b = solved(matrix_a, matrix_b);
    const auto trace_of = [](const Reals& x) { return x[0] + x[3]; };
    const Reals square = times(inverse_b, inverse_b);
    const double one = through_solve ? -trace_of(square) : trace_of(inverse_b);
    const double two = through_solve ? 2 * trace_of(times(square, inverse_b)) : -trace_of(square);
    EXPECT_NEAR(got[0], one, 1e-12);
    EXPECT_NEAR(got[1], two, 1e-12);
  }
}

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Linalg, errors) {
  Graph g;
  const Value a = g.input("a", {DType::f32, {3, 4}}), s = g.input("s", {DType::f32, {3, 3}});
  const Value b = g.input("b", {DType::f64, {3, 2}}), v = g.input("v", {DType::f32, {4}}),
              i = g.input("i", {DType::i32, {3, 3}});
  EXPECT_EQ(error_of([&] { cholesky(a); }), "cholesky: needs square matrices: 3 != 4\n  a is a f32[3,4]");
  EXPECT_EQ(error_of([&] { eigh(v); }), "eigh: needs matrices, at least 2 axes\n  a is v f32[4]");
  EXPECT_EQ(error_of([&] { svd(i); }), "svd: needs f32, f64, complex64 or complex128\n  a is i i32[3,3]");
  EXPECT_EQ(error_of([&] { solve(s, v); }), "solve: a has 3 rows, b 4\n  a is s f32[3,3]\n  b is v f32[4]");
  EXPECT_EQ(error_of([&] { solve(a, v); }), "solve: needs square matrices: 3 != 4\n  a is a f32[3,4]");
  EXPECT_EQ(error_of([&] { triangular_solve(s, b); }),
            "triangular_solve: dtypes differ\n  a is s f32[3,3]\n  b is b f64[3,2]");
  EXPECT_EQ(error_of([&] { triangular_solve(s, a, {.left_side = false}); }),
            "triangular_solve: a has 3 rows, b 4 columns\n  a is s f32[3,3]\n  b is a f32[3,4]");
  EXPECT_EQ(error_of([&] { triangular_solve(s, a, {.transpose_a = "T"}); }),
            "triangular_solve: transpose_a 'T' is none of NO_TRANSPOSE, TRANSPOSE, ADJOINT");
  EXPECT_EQ(error_of([&] { matrix_norm(a, "3"); }),
            "matrix_norm: ord '3' is none of fro, nuc, 1, -1, 2, -2, inf, -inf");
  EXPECT_EQ(error_of([&] { vector_norm(a, {.axes = Dims{2}}); }),
            "vector_norm: axis 2 does not exist\n  x is a f32[3,4]");
  EXPECT_EQ(error_of([&] {
              multi_dot({s, a, s});
            }),
            "multi_dot: inner sizes differ: 4 != 3\n  operand 1 is a f32[3,4]\n  operand 2 is s f32[3,3]");
  EXPECT_EQ(
      error_of([&] { vjp({svd(a).u}, {svd(a).u}, {a}); }),
      "svd: the full factors have no derivative; those of full_matrices = false have\n  a is a f32[3,4]\n  in grad");
}

}  // namespace
}  // namespace hearth
