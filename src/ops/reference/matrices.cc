// SPDX-License-Identifier: Apache-2.0
#include "ops/reference/matrices.h"

#include <cmath>

namespace hearth::reference {

Matrix identity(int64_t n) {
  Matrix y(n, n);
  for (int64_t i = 0; i < n; ++i) y(i, i) = 1;
  return y;
}

Matrix transposed(const Matrix& a) {
  Matrix y(a.cols, a.rows);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < a.cols; ++j) y(j, i) = a(i, j);
  }
  return y;
}

Matrix adjoint(const Matrix& a) {
  Matrix y = transposed(a);
  for (Complex& x : y.at) x = std::conj(x);
  return y;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix y(a.rows, b.cols);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t k = 0; k < a.cols; ++k) {
      for (int64_t j = 0; j < b.cols; ++j) y(i, j) += a(i, k) * b(k, j);
    }
  }
  return y;
}

// Column c becomes (.., beta, 0, ..) by H = I - tau v v^H, v = (1, x / (x_c - beta)): H^H A, Q H.
Matrix householder(Matrix& a) {
  Matrix q = identity(a.rows);
  for (int64_t c = 0; c < std::min(a.rows, a.cols); ++c) {
    double rest = 0;
    for (int64_t i = c + 1; i < a.rows; ++i) rest += std::norm(a(i, c));
    const Complex alpha = a(c, c);
    if (rest == 0 && alpha.imag() == 0) continue;
    const double beta = -std::copysign(std::sqrt(std::norm(alpha) + rest), alpha.real());
    const Complex tau = (beta - alpha) / beta;
    std::vector<Complex> v(size_t(a.rows), 0.0);
    v[size_t(c)] = 1;
    for (int64_t i = c + 1; i < a.rows; ++i) v[size_t(i)] = a(i, c) / (alpha - beta);
    for (int64_t j = c; j < a.cols; ++j) {
      Complex sum = 0;
      for (int64_t i = c; i < a.rows; ++i) sum += std::conj(v[size_t(i)]) * a(i, j);
      for (int64_t i = c; i < a.rows; ++i) a(i, j) -= std::conj(tau) * sum * v[size_t(i)];
    }
    for (int64_t i = 0; i < a.rows; ++i) {
      Complex sum = 0;
      for (int64_t j = c; j < a.rows; ++j) sum += q(i, j) * v[size_t(j)];
      for (int64_t j = c; j < a.rows; ++j) q(i, j) -= tau * sum * std::conj(v[size_t(j)]);
    }
    a(c, c) = beta;  // exactly real
  }
  return q;
}

static Complex load(const TensorArg& x, int64_t i) {
  return is_complex(x.dtype()) ? load_complex(x, i)
                               : Complex(is_int(x.dtype()) ? double(load_integer(x, i)) : load_real(x, i));
}
static void store(const TensorArg& x, int64_t i, Complex v) {
  if (is_complex(x.dtype())) return store_complex(x, i, v);
  is_int(x.dtype()) ? store_integer(x, i, int64_t(v.real())) : store_real(x, i, v.real());
}

void for_each_matrix(const KernelArgs& args, const MatrixBody& body) {
  const size_t leading = args.in[0].dims().size() - 2;
  int64_t count = 1;
  for (size_t i = 0; i < leading; ++i) count *= args.in[0].dims()[i];
  const auto empty = [&](const TensorArg& x) {
    const bool vector = x.dims().size() == leading + 1;
    return Matrix(vector ? 1 : x.dim(-2), x.dim(-1));
  };
  for (int64_t b = 0; b < count; ++b) {
    std::vector<Matrix> in, out;
    for (const TensorArg& x : args.in) {
      in.push_back(empty(x));
      const int64_t size = int64_t(in.back().at.size());
      for (int64_t i = 0; i < size; ++i) in.back().at[size_t(i)] = load(x, b * size + i);
    }
    for (const TensorArg& y : args.out) out.push_back(empty(y));
    body(in, out);
    for (size_t o = 0; o < out.size(); ++o) {
      const int64_t size = int64_t(out[o].at.size());
      for (int64_t i = 0; i < size; ++i) store(args.out[o], b * size + i, out[o].at[size_t(i)]);
    }
  }
}

}  // namespace hearth::reference
