// SPDX-License-Identifier: Apache-2.0
// cholesky, triangular_solve, lu, permute_rows, qr as the loops that define them, in f64 complex numbers.

#include <cmath>
#include <numeric>

#include "ops/linalg/linalg_types.h"
#include "ops/reference/matrices.h"

namespace hearth {
namespace {

using namespace reference;

void run_cholesky(const KernelArgs& args) {
  const bool lower = args.attrs.integer("lower") != 0;
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    const int64_t n = in[0].rows;
    Matrix l(n, n);
    const auto a = [&](int64_t i, int64_t j) { return lower ? in[0](i, j) : std::conj(in[0](j, i)); };
    bool positive = true;
    for (int64_t j = 0; j < n; ++j) {
      double d = a(j, j).real();
      for (int64_t k = 0; k < j; ++k) d -= std::norm(l(j, k));
      positive = positive && d > 0;
      l(j, j) = std::sqrt(d);
      for (int64_t i = j + 1; i < n; ++i) {
        Complex sum = a(i, j);
        for (int64_t k = 0; k < j; ++k) sum -= l(i, k) * std::conj(l(j, k));
        l(i, j) = sum / l(j, j);
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j <= i; ++j) {
        const Complex v = positive ? l(i, j) : Complex(NAN, NAN);
        lower ? out[0](i, j) = v : out[0](j, i) = std::conj(v);
      }
    }
  });
}

// Every form is U X = B with U = op(A), or its transpose; the triangle of U says in which order rows are known.
void run_triangular(const KernelArgs& args) {
  const std::string& form = args.attrs.text("transpose_a");
  const bool left = args.attrs.integer("left_side") != 0, unit = args.attrs.integer("unit_diagonal") != 0;
  const bool lower = args.attrs.integer("lower") != 0;
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    const int64_t n = in[0].rows;
    Matrix a = form == "NO_TRANSPOSE" ? in[0] : form == "ADJOINT" ? adjoint(in[0]) : transposed(in[0]);
    Matrix x = left ? in[1] : transposed(in[1]);
    if (!left) a = transposed(a);
    const bool is_lower = lower == ((form == "NO_TRANSPOSE") == left);
    for (int64_t step = 0; step < n; ++step) {
      const int64_t i = is_lower ? step : n - 1 - step;
      for (int64_t c = 0; c < x.cols; ++c) {
        for (int64_t k = is_lower ? 0 : i + 1; k < (is_lower ? i : n); ++k) x(i, c) -= a(i, k) * x(k, c);
        if (!unit) x(i, c) /= a(i, i);
      }
    }
    out[0] = left ? x : transposed(x);
  });
}

double size_of(Complex x) { return std::fabs(x.real()) + std::fabs(x.imag()); }  // what LAPACK chooses pivots by

void run_lu(const KernelArgs& args) {
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    Matrix &a = out[0], &pivots = out[1], &permutation = out[2];
    a = in[0];
    for (int64_t i = 0; i < a.rows; ++i) permutation(0, i) = double(i);
    for (int64_t k = 0; k < std::min(a.rows, a.cols); ++k) {
      int64_t p = k;
      for (int64_t i = k + 1; i < a.rows; ++i) p = size_of(a(i, k)) > size_of(a(p, k)) ? i : p;
      pivots(0, k) = double(p);
      std::swap(permutation(0, k), permutation(0, p));
      for (int64_t j = 0; j < a.cols; ++j) std::swap(a(k, j), a(p, j));
      if (a(k, k) == 0.0) continue;
      for (int64_t i = k + 1; i < a.rows; ++i) {
        a(i, k) /= a(k, k);
        for (int64_t j = k + 1; j < a.cols; ++j) a(i, j) -= a(i, k) * a(k, j);
      }
    }
  });
}

void run_permute(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const int64_t m = x.dim(-2), n = x.dim(-1);
  const bool inverse = args.attrs.integer("inverse") != 0;
  for (int64_t i = 0; i < y.type->elements(); ++i) {
    const int64_t row = i / n, other = row / m * m + std::clamp<int64_t>(load_integer(args.in[1], row), 0, m - 1);
    inverse ? copy_element(y, other * n + i % n, x, i) : copy_element(y, i, x, other * n + i % n);
  }
}

void run_qr(const KernelArgs& args) {
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    Matrix r = in[0];
    const Matrix q = householder(r);  // [m, m], r becomes triangular
    for_each_index({out[0].rows, out[0].cols}, [&](const Dims& i, int64_t) { out[0](i[0], i[1]) = q(i[0], i[1]); });
    for_each_index({out[1].rows, out[1].cols},
                   [&](const Dims& i, int64_t) { out[1](i[0], i[1]) = i[0] <= i[1] ? r(i[0], i[1]) : 0; });
  });
}

}  // namespace

std::vector<KernelInfo> reference_factors() {
  return {HEARTH_LINALG_REFERENCE("cholesky", run_cholesky),
          HEARTH_LINALG_REFERENCE("triangular_solve", run_triangular), HEARTH_LINALG_REFERENCE("lu", run_lu),
          HEARTH_LINALG_REFERENCE("permute_rows", run_permute), HEARTH_LINALG_REFERENCE("qr", run_qr)};
}

}  // namespace hearth
