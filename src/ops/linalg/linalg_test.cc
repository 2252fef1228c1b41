// SPDX-License-Identifier: Apache-2.0
// Factorisations are unique up to signs only, so rows look at what no sign changes: squares of vectors, products.
#include "ops/linalg/linalg.h"

#include <algorithm>
#include <cmath>

#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg_definitions_test.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/op_test.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using namespace test_matrix;
using Values = std::vector<Value>;

Value squares(const Value& x) { return x * x; }

// One row for a case; both f32 and f64 run on the cpu.
OpTest row(const std::string& op, const std::string& name, const std::vector<Dims>& shapes,
           std::function<Values(const Values&)> build,
           std::function<std::vector<Reals>(const std::vector<Reals>&)> definition) {
  // Vectors move by eps times the largest value over the gap to the next one: 117 eps measured.
  const bool vectors = op == "eigh" || op == "svd";
  OpTest test{.op = op,
              .cases = {{name, {}}},
              .build = [=](Graph&, const Values& in) { return build(in); },
              .definition = [=](const std::vector<Reals>& in) { return each_matrix(in, definition); },
              .dtypes = {DType::f32, DType::f64},
              .c = vectors ? 400.0 : 40.0,
              .grad_c = vectors ? 4000.0 : 400.0};
  for (const Dims& dims : shapes) test.cases[0].in.push_back({dims});
  return test;
}

// x x^T + n
Value positive(const Value& x) {
  const Value n = scalar_like(x, double(x.dim(-1)) + 1);
  return linalg::multiply(x, linalg::transposed(x)) + n * linalg::eye_like(x, x.dim(-1));
}
Reals positive(const Reals& x) { return plus_diagonal(times(x, flipped(x)), double(x.dim(-1)) + 1); }

OpTest cholesky_row(const std::string& name, const Dims& dims, bool lower) {
  return row(
      "cholesky", name, {dims}, [=](const Values& in) -> Values { return {cholesky(positive(in[0]), lower)}; },
      [=](const std::vector<Reals>& in) -> std::vector<Reals> {
        const Reals l = cholesky_of(positive(in[0]));
        return {lower ? l : flipped(l)};
      });
}

OpTest triangular_row(const std::string& name, const Dims& a, const Dims& b, const TriangularOptions& o) {
  return row(
      "triangular_solve", name, {a, b},
      [=](const Values& in) -> Values {
        const Value m = in[0] + 4.0 * linalg::eye_like(in[0], in[0].dim(-1));
        return {triangular_solve(m, in[1], o)};
      },
      [=](const std::vector<Reals>& in) -> std::vector<Reals> {
        Reals m = plus_diagonal(in[0], 4);
        for_each_index(m.dims, [&](const Dims& i, int64_t at) {
          if (o.lower ? i[1] > i[0] : i[1] < i[0]) m[at] = 0;
          if (o.unit_diagonal && i[0] == i[1]) m[at] = 1;
        });
        if (o.transpose_a != "NO_TRANSPOSE") m = flipped(m);
        return {o.left_side ? solved(m, in[1]) : flipped(solved(flipped(m), flipped(in[1])))};
      });
}

OpTest lu_row(const std::string& name, const Dims& dims) {
  return row(
      "lu", name, {dims},
      [](const Values& in) -> Values {
        const Lu f = lu(in[0]);
        return {f.lu, f.pivots, f.permutation};
      },
      [](const std::vector<Reals>& in) { return lu_of(in[0]); });
}

OpTest permute_row(const std::string& name, const Dims& dims, const std::vector<double>& order, bool inverse) {
  Dims index(dims.begin(), dims.end() - 1);
  OpTest test = row(
      "permute_rows", name, {dims}, [=](const Values& in) -> Values { return {permute_rows(in[0], in[1], inverse)}; },
      nullptr);
  test.cases[0].in.push_back({index, 0, 0, DType::i32, order});
  test.definition = [=](const std::vector<Reals>& in) -> std::vector<Reals> {
    Reals y(dims);
    for_each_index(dims, [&](const Dims& i, int64_t at) {
      Dims other = i;
      other[i.size() - 2] = int64_t(in[1](Dims(i.begin(), i.end() - 1)));
      inverse ? y(other) = in[0][at] : y[at] = in[0](other);
    });
    return {y};
  };
  return test;
}

OpTest qr_row(const std::string& name, const Dims& dims) {
  return row(
      "qr", name, {dims},
      [](const Values& in) -> Values {
        const Qr f = qr(in[0]);
        return {squares(f.q), squares(f.r), linalg::multiply(f.q, f.r)};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const auto [q, r] = qr_of(in[0]);
        return {squared(q), squared(r), in[0]};
      });
}
OpTest complete_qr_row(const std::string& name, const Dims& dims) {
  OpTest test = row(
      "qr", name, {dims},
      [](const Values& in) -> Values {
        const Qr f = qr(in[0], true);
        return {linalg::multiply(f.q, f.r), linalg::multiply(linalg::transposed(f.q), f.q),
                linalg::lower_triangle(f.r, -1)};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const int64_t m = in[0].dims[0];
        return {in[0], plus_diagonal(Reals({m, m}), 1), Reals(in[0].dims)};
      });
  test.grad = dims[dims.size() - 2] <= dims.back();
  return test;
}

// Symmetric, with values that lie apart.
Value symmetric(const Value& x) {
  std::vector<double> steps;
  for (int64_t i = 0; i < x.dim(-1); ++i) steps.push_back(3 * double(i));
  const Value d = constant_list(*x.graph, steps, x.dtype(), {x.dim(-1)});
  return x + linalg::transposed(x) +
         linalg::columns_scaled(linalg::eye_like(x, x.dim(-1)), broadcast_to(d, linalg::leading(x, {x.dim(-1)})));
}
Reals symmetric(const Reals& x) {
  Reals y = plus(x, flipped(x));
  for (int64_t i = 0; i < x.dims[0]; ++i) y({i, i}) += 3 * double(i);
  return y;
}

OpTest eigh_row(const std::string& name, const Dims& dims, bool lower) {
  return row(
      "eigh", name, {dims},
      [=](const Values& in) -> Values {
        const Eigh f = eigh(symmetric(in[0]), lower);
        return {f.values, squares(f.vectors), linalg::multiply(linalg::transposed(f.vectors), f.vectors)};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const auto [w, v] = eigh_of(symmetric(in[0]));
        return {w, squared(v), plus_diagonal(Reals(in[0].dims), 1)};
      });
}

OpTest svd_row(const std::string& name, const Dims& dims) {
  return row(
      "svd", name, {dims},
      [](const Values& in) -> Values {
        const Svd f = svd(in[0], false);
        return {squares(f.u), f.s, squares(f.vh), linalg::multiply(linalg::columns_scaled(f.u, f.s), f.vh)};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const auto [u, s, v] = svd_of(in[0]);
        return {squared(u), s, squared(flipped(v)), in[0]};
      });
}
OpTest full_svd_row(const std::string& name, const Dims& dims) {
  OpTest test = row(
      "svd", name, {dims},
      [](const Values& in) -> Values {
        const Svd f = svd(in[0]);
        return {linalg::multiply(linalg::transposed(f.u), f.u), svdvals(in[0]),
                linalg::multiply(f.vh, linalg::transposed(f.vh))};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const int64_t m = in[0].dims[0], n = in[0].dims[1];
        return {plus_diagonal(Reals({m, m}), 1), std::get<1>(svd_of(in[0])), plus_diagonal(Reals({n, n}), 1)};
      });
  test.grad = dims[dims.size() - 2] == dims.back();
  return test;
}

// Sums that know nothing of the order of values: tr A^2, tr A^3; and A V - V diag(w) = 0, lengths 1.
OpTest eig_row(const std::string& name, const Dims& dims) {
  return row(
      "eig", name, {dims},
      [](const Values& in) -> Values {
        const Value w = eig(in[0]).values;
        const Dims last = {w.rank() - 1};
        return {real(reduce_sum(w * w, last)), real(reduce_sum(w * w * w, last)), imag(reduce_sum(w * w, last))};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        const Reals square = times(in[0], in[0]), cube = times(square, in[0]);
        Reals two(Dims{}), three(Dims{});
        for (int64_t i = 0; i < in[0].dims[0]; ++i) two[0] += square({i, i}), three[0] += cube({i, i});
        return {two, three, Reals(Dims{})};
      });
}
OpTest eig_vectors_row(const std::string& name, const Dims& dims) {
  OpTest test = row(
      "eig", name, {dims},
      [](const Values& in) -> Values {
        const Eig f = eig(in[0]);
        const Value a = complex(in[0], scalar_like(in[0], 0));
        const Value rest = linalg::multiply(a, f.vectors) - linalg::columns_scaled(f.vectors, f.values);
        const Value lengths = squares(real(f.vectors)) + squares(imag(f.vectors));
        return {real(rest), imag(rest), reduce_sum(lengths, {lengths.rank() - 2})};
      },
      [](const std::vector<Reals>& in) -> std::vector<Reals> {
        return {Reals(in[0].dims), Reals(in[0].dims), Reals({in[0].dims[0]}, 1)};
      });
  test.grad = false;
  return test;
}

std::vector<OpTest> rows() {
  std::vector<OpTest> tests = {cholesky_row("one", {1, 1}, true),
                               eig_row("one", {1, 1}),
                               eig_row("square", {5, 5}),
                               eig_row("batch", {2, 3, 3}),
                               eig_vectors_row("vectors", {6, 6}),
                               eig_vectors_row("vectors_batch", {2, 4, 4}),
                               eig_vectors_row("vectors_empty", {0, 0}),
                               cholesky_row("lower", {5, 5}, true),
                               cholesky_row("upper", {5, 5}, false),
                               cholesky_row("batch", {2, 3, 4, 4}, true),
                               cholesky_row("tile_plus_1", {17, 17}, true),
                               cholesky_row("empty", {0, 0}, true),
                               cholesky_row("empty_batch", {0, 3, 3}, false),
                               lu_row("one", {1, 1}),
                               lu_row("square", {6, 6}),
                               lu_row("tall", {7, 4}),
                               lu_row("wide", {4, 7}),
                               lu_row("batch", {3, 3, 3}),
                               lu_row("tile_plus_1", {17, 17}),
                               lu_row("no_columns", {3, 0}),
                               lu_row("no_rows", {0, 3}),
                               permute_row("forward", {4, 3}, {2, 0, 3, 1}, false),
                               permute_row("inverse", {4, 3}, {2, 0, 3, 1}, true),
                               permute_row("batch", {2, 3, 2}, {2, 0, 1, 0, 1, 2}, false),
                               permute_row("no_columns", {2, 0}, {1, 0}, false),
                               qr_row("one", {1, 1}),
                               qr_row("square", {5, 5}),
                               qr_row("tall", {7, 4}),
                               qr_row("wide", {4, 7}),
                               qr_row("batch", {2, 4, 3}),
                               qr_row("tile_plus_1", {17, 9}),
                               qr_row("column", {6, 1}),
                               qr_row("row", {1, 6}),
                               qr_row("empty", {0, 3}),
                               complete_qr_row("complete_tall", {6, 3}),
                               complete_qr_row("complete_wide", {3, 6}),
                               complete_qr_row("complete_empty", {3, 0}),
                               eigh_row("one", {1, 1}, true),
                               eigh_row("lower", {4, 4}, true),
                               eigh_row("upper", {4, 4}, false),
                               eigh_row("batch", {2, 3, 3}, true),
                               eigh_row("tile_plus_1", {9, 9}, true),
                               eigh_row("empty", {0, 0}, true),
                               svd_row("one", {1, 1}),
                               svd_row("square", {4, 4}),
                               svd_row("tall", {6, 3}),
                               svd_row("wide", {3, 6}),
                               svd_row("batch", {2, 4, 3}),
                               svd_row("column", {5, 1}),
                               svd_row("empty", {0, 2}),
                               full_svd_row("full_square", {4, 4}),
                               full_svd_row("full_tall", {5, 3}),
                               full_svd_row("full_wide", {2, 4})};
  for (const bool left : {true, false}) {
    for (const bool lower : {true, false}) {
      for (const bool unit : {true, false}) {
        for (const char* form : {"NO_TRANSPOSE", "TRANSPOSE", "ADJOINT"}) {
          const std::string name =
              cat(left ? "left" : "right", lower ? "_lower" : "_upper", unit ? "_unit_" : "_", form);
          tests.push_back(triangular_row(name, {4, 4}, left ? Dims{4, 3} : Dims{3, 4}, {left, lower, unit, form}));
        }
      }
    }
  }
  tests.push_back(triangular_row("batch", {2, 3, 3}, {2, 3, 5}, {}));
  tests.push_back(triangular_row("many_columns", {9, 9}, {9, 130}, {}));
  tests.push_back(triangular_row("empty", {0, 0}, {0, 3}, {}));
  tests.push_back(triangular_row("no_columns", {3, 3}, {3, 0}, {}));
  return tests;
}

HEARTH_OP_TESTS(linalg, rows)

}  // namespace
}  // namespace hearth
