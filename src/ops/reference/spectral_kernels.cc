// SPDX-License-Identifier: Apache-2.0
// eigh, svd, eig by methods that are short: Jacobi's rotations, and the QR iteration of a triangular form. In f64.

#include <cmath>
#include <numeric>

#include "ops/linalg/linalg_types.h"
#include "ops/reference/matrices.h"

namespace hearth {
namespace {

using namespace reference;

constexpr int kSweeps = 60;

bool finite(const Matrix& a) {
  return std::all_of(a.at.begin(), a.at.end(),
                     [](Complex x) { return std::isfinite(x.real()) && std::isfinite(x.imag()); });
}
void fill_nan(std::vector<Matrix>& out) {
  for (Matrix& x : out) std::fill(x.at.begin(), x.at.end(), Complex(NAN, NAN));
}

// The rotation of columns p and q of a matrix whose products are app, aqq (real) and apq, that makes apq 0.
struct Rotation {
  double c;
  Complex s;
};
Rotation rotation(double app, double aqq, Complex apq) {
  const double size = std::abs(apq);
  if (size == 0) return {1, 0};
  const double theta = (aqq - app) / (2 * size);
  const double t = std::copysign(1.0, theta) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
  const double c = 1 / std::sqrt(t * t + 1);
  return {c, t * c * (apq / size)};
}
// (p, q) <- (c p - conj(s) q, s p + c q)
void rotate_columns(Matrix& a, int64_t p, int64_t q, Rotation r) {
  for (int64_t i = 0; i < a.rows; ++i) {
    const Complex x = a(i, p), y = a(i, q);
    a(i, p) = r.c * x - std::conj(r.s) * y;
    a(i, q) = r.s * x + r.c * y;
  }
}

std::vector<int64_t> sorted(const std::vector<double>& values) {
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return values[size_t(i)] < values[size_t(j)]; });
  return order;
}

void run_eigh(const KernelArgs& args) {
  const bool lower = args.attrs.integer("lower") != 0;
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    const int64_t n = in[0].rows;
    if (!finite(in[0])) return fill_nan(out);
    Matrix a(n, n), v = identity(n);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j)
        a(i, j) = i == j ? in[0](i, i).real() : (i > j) == lower ? in[0](i, j) : std::conj(in[0](j, i));
    }
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      for (int64_t p = 0; p < n; ++p) {
        for (int64_t q = p + 1; q < n; ++q) {
          const Rotation r = rotation(a(p, p).real(), a(q, q).real(), a(p, q));
          rotate_columns(a, p, q, r);
          a = adjoint(a);  // R^H A R is Hermitian, so its rows are rotated as the columns of its adjoint
          rotate_columns(a, p, q, r);
          a = adjoint(a);
          rotate_columns(v, p, q, r);
        }
      }
    }
    std::vector<double> values;
    for (int64_t i = 0; i < n; ++i) values.push_back(a(i, i).real());
    const std::vector<int64_t> order = sorted(values);
    for (int64_t j = 0; j < n; ++j) {
      out[0](0, j) = values[size_t(order[size_t(j)])];
      for (int64_t i = 0; i < n; ++i) out[1](i, j) = v(i, order[size_t(j)]);
    }
  });
}

// Columns of a tall A are rotated until they are orthogonal: A V = U S. (Hestenes 1958)
struct Triple {
  Matrix u, v;            // [m, m] and [n, n], the first n columns of u belong to the values
  std::vector<double> s;  // falling
};
Triple jacobi_svd(const Matrix& a) {
  const int64_t m = a.rows, n = a.cols;
  Matrix w = a, v = identity(n);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (int64_t p = 0; p < n; ++p) {
      for (int64_t q = p + 1; q < n; ++q) {
        double pp = 0, qq = 0;
        Complex pq = 0;
        for (int64_t i = 0; i < m; ++i) {
          pp += std::norm(w(i, p));
          qq += std::norm(w(i, q));
          pq += std::conj(w(i, p)) * w(i, q);
        }
        const Rotation r = rotation(pp, qq, pq);
        rotate_columns(w, p, q, r);
        rotate_columns(v, p, q, r);
      }
    }
  }
  std::vector<double> minus_norms;
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < m; ++i) sum += std::norm(w(i, j));
    minus_norms.push_back(-std::sqrt(sum));
  }
  Triple result{Matrix(m, m), Matrix(n, n), {}};
  Matrix scaled(m, n);
  int64_t next = 0;
  for (const int64_t j : sorted(minus_norms)) {
    result.s.push_back(-minus_norms[size_t(j)]);
    const double size = std::max(result.s.back(), 1e-300);
    for (int64_t i = 0; i < m; ++i) scaled(i, next) = w(i, j) / size;
    for (int64_t i = 0; i < n; ++i) result.v(i, next) = v(i, j);
    ++next;
  }
  // The rest of the basis, and columns of values that are 0: from a QR factorisation, whose signs are undone.
  Matrix r = scaled;
  result.u = householder(r);
  for (int64_t j = 0; j < n; ++j) {
    const double sign = r(j, j).real() < 0 ? -1 : 1;
    for (int64_t i = 0; i < m; ++i) result.u(i, j) *= sign;
  }
  return result;
}

void run_svd(const KernelArgs& args) {
  const bool vectors = args.out.size() == 3;
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    if (!finite(in[0])) return fill_nan(out);
    const bool tall = in[0].rows >= in[0].cols;
    Triple t = jacobi_svd(tall ? in[0] : adjoint(in[0]));
    Matrix& s = out[vectors ? 1 : 0];
    for (int64_t i = 0; i < s.cols; ++i) s(0, i) = t.s[size_t(i)];
    if (!vectors) return;
    if (!tall) std::swap(t.u, t.v);
    const auto cut = [](const Matrix& from, Matrix& to) {
      for (int64_t i = 0; i < to.rows; ++i) {
        for (int64_t j = 0; j < to.cols; ++j) to(i, j) = from(i, j);
      }
    };
    cut(t.u, out[0]);
    cut(adjoint(t.v), out[2]);
  });
}

// The eigenvalue of the last 2 x 2 block of an n x n part that is closer to its last element (Wilkinson's shift).
Complex last_eigenvalue(const Matrix& t, int64_t n) {
  const Complex a = t(n - 2, n - 2), b = t(n - 2, n - 1), c = t(n - 1, n - 2), d = t(n - 1, n - 1);
  const Complex half = (a + d) / 2.0, root = std::sqrt((a - d) * (a - d) / 4.0 + b * c);
  return std::abs(half + root - d) < std::abs(half - root - d) ? half + root : half - root;
}

// Schur's form: T = Z^H A Z upper triangular, by shifted QR steps of the active part.
Matrix schur(Matrix& t) {
  const int64_t n = t.rows;
  Matrix z = identity(n);
  double scale = 0;
  for (const Complex x : t.at) scale = std::max(scale, std::abs(x));
  int64_t active = n;
  for (int step = 0; active > 1 && step < 300 * int(n); ++step) {
    double below = 0;
    for (int64_t j = 0; j < active - 1; ++j) below = std::max(below, std::abs(t(active - 1, j)));
    if (below <= 1e-16 * scale) {
      --active;
      continue;
    }
    const Complex shift = last_eigenvalue(t, active) + (step % 11 == 10 ? below : 0.0);
    Matrix part(active, active);
    for (int64_t i = 0; i < active; ++i) {
      for (int64_t j = 0; j < active; ++j) part(i, j) = t(i, j) - (i == j ? shift : 0.0);
    }
    const Matrix small = householder(part);
    Matrix q = identity(n);
    for (int64_t i = 0; i < active; ++i) {
      for (int64_t j = 0; j < active; ++j) q(i, j) = small(i, j);
    }
    t = product(adjoint(q), product(t, q));
    z = product(z, q);
  }
  return z;
}

void run_eig(const KernelArgs& args) {
  for_each_matrix(args, [&](const std::vector<Matrix>& in, std::vector<Matrix>& out) {
    const int64_t n = in[0].rows;
    if (!finite(in[0])) return fill_nan(out);
    Matrix t = in[0];
    const Matrix z = schur(t);
    for (int64_t k = 0; k < n; ++k) {
      out[0](0, k) = t(k, k);
      std::vector<Complex> y(size_t(n), 0.0);  // (T - t_kk) y = 0, y_k = 1
      y[size_t(k)] = 1;
      for (int64_t i = k - 1; i >= 0; --i) {
        Complex sum = 0;
        for (int64_t j = i + 1; j <= k; ++j) sum += t(i, j) * y[size_t(j)];
        const Complex gap = t(k, k) - t(i, i);
        y[size_t(i)] = sum / (gap == 0.0 ? Complex(1e-300) : gap);
      }
      double norm = 0;
      for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j <= k; ++j) out[1](i, k) += z(i, j) * y[size_t(j)];
        norm += std::norm(out[1](i, k));
      }
      for (int64_t i = 0; i < n; ++i) out[1](i, k) /= std::sqrt(norm);
    }
  });
}

}  // namespace

std::vector<KernelInfo> reference_spectral() {
  return {HEARTH_LINALG_REFERENCE("eigh", run_eigh), HEARTH_LINALG_REFERENCE("svd", run_svd),
          HEARTH_LINALG_REFERENCE("eig", run_eig)};
}

}  // namespace hearth
