// SPDX-License-Identifier: Apache-2.0
#pragma once
// Matrices of f64 complex numbers for the reference kernels of linear algebra: whatever the dtype, computed in these.

#include <algorithm>
#include <functional>

#include "ops/reference/elements.h"

namespace hearth::reference {

using Complex = std::complex<double>;

struct Matrix {
  int64_t rows, cols;
  std::vector<Complex> at;

  Matrix(int64_t m, int64_t n) : rows(m), cols(n), at(size_t(m * n)) {}
  Complex& operator()(int64_t i, int64_t j) { return at[size_t(i * cols + j)]; }
  Complex operator()(int64_t i, int64_t j) const { return at[size_t(i * cols + j)]; }
};

Matrix identity(int64_t n);
Matrix transposed(const Matrix& a);
Matrix adjoint(const Matrix& a);  // conjugate transpose
Matrix product(const Matrix& a, const Matrix& b);

// A = Q R: R over a, Q [m, m] returned. Reflections as LAPACK has them, which make the diagonal of R real.
Matrix householder(Matrix& a);

// Calls body(operands, results) for each matrix of a batch; results come as zeros and are stored. Rank 1 per matrix:
// one row.
using MatrixBody = std::function<void(const std::vector<Matrix>& in, std::vector<Matrix>& out)>;
void for_each_matrix(const KernelArgs& args, const MatrixBody& body);

#define HEARTH_LINALG_REFERENCE(op, run)                                                                     \
  {                                                                                                          \
    op, run, [](const Types& in, const Types& out, const Attrs& attrs) { check_linalg(op, in, out, attrs); } \
  }

}  // namespace hearth::reference
