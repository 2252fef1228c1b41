// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Array API's linear algebra, with its linalg extension, and numpy.linalg. Operands are promoted; matrices are the
// last two axes [..., M, N], leading axes broadcast. Factorisations need floats or complex numbers: integers and bool
// become f32, f16 and bf16 are computed in f32 and rounded once. A matrix without an inverse or factorisation gives
// infinities or NaN, as in JAX. Throw Error{shape, dtype, value} naming operands and sizes.

#include <optional>
#include <string>
#include <variant>

#include "array/array.h"
#include "array/statistics_axes.h"

namespace hearth {

// --- products ---

// NumPy's: [K] counts as [1,K] on the left and [K,1] on the right, that axis goes again. No scalars: Error{shape}.
Array matmul(const Array& a, const Array& b);
Array dot(const Array& a, const Array& b);    // numpy.dot: last axis of a with the last but one of b; scalars multiply
Array vdot(const Array& a, const Array& b);   // all elements, conj(a) b
Array inner(const Array& a, const Array& b);  // last axes: [A..., K], [B..., K] -> [A..., B...]
Array outer(const Array& a, const Array& b);  // all elements: [A], [B] -> [A, B]
Array vecdot(const Array& a, const Array& b, int64_t axis = -1);  // sum conj(a) b along the axis, the others broadcast
Array tensordot(const Array& a, const Array& b, int64_t axes = 2);  // last `axes` of a with the first of b
Array tensordot(const Array& a, const Array& b, const Dims& a_axes, const Dims& b_axes);
Array kron(const Array& a, const Array& b);
Array cross(const Array& a, const Array& b, int64_t axis = -1);  // 3 elements along the axis, the others broadcast
Array multi_dot(const Arrays& matrices);                         // in the order of the fewest multiplications
Array matrix_power(const Array& a, int64_t n);                   // of the inverse when n is negative

// exp of matrices [..., N, N]: sum a^k / k!. Scaled and squared at most 16 times; NaN where the 1-norm is above
// 350,000. Source: Higham 2005, "The scaling and squaring method for the matrix exponential revisited", [13/13]
// approximation.
Array expm(const Array& a);

// --- parts of matrices ---

Array matrix_transpose(const Array& x);              // [..., M, N] -> [..., N, M]
Array diagonal(const Array& x, int64_t offset = 0);  // [..., K], above the main one when offset > 0
Array trace(const Array& x, int64_t offset = 0, std::optional<DType> dtype = {});  // small integers sum as in sum

// --- systems ---

Array solve(const Array& a, const Array& b);  // X of A X = B; b [N] is a vector, anything else matrices [..., N, K]
Array inv(const Array& a);
Array det(const Array& a);
struct SignAndLogDet {
  Array sign, logabsdet;
};
SignAndLogDet slogdet(const Array& a);
Array pinv(const Array& a, std::optional<double> rtol = {});  // singular values up to rtol * largest count as 0
struct LstsqResult {
  Array x, residuals, rank, singular_values;
};
LstsqResult lstsq(const Array& a, const Array& b, std::optional<double> rtol = {});

// --- factorisations ---

struct CholeskyOptions {
  bool upper = false;
};
Array cholesky(const Array& a, CholeskyOptions options = {});  // L L^H, or U^H U
struct QrResult {
  Array q, r;
};
QrResult qr(const Array& a, const std::string& mode = "reduced");  // "reduced" K = min(M,N) columns, "complete" M
struct SvdResult {
  Array u, s, vh;
};
struct SvdOptions {
  bool full_matrices = true;
};
SvdResult svd(const Array& a, SvdOptions options = {});
Array svdvals(const Array& a);
struct EigResult {
  Array eigenvalues, eigenvectors;
};
EigResult eigh(const Array& a);  // of Hermitian matrices, read in the lower triangle; values rise
Array eigvalsh(const Array& a);
EigResult eig(const Array& a);  // complex
Array eigvals(const Array& a);

// --- norms and numbers ---

// ord: "fro" "nuc" "1" "-1" "2" "-2" "inf" "-inf", of the last two axes.
Array matrix_norm(const Array& x, const std::string& ord = "fro", const Axes& axis = {-2, -1}, bool keepdims = false);
struct NormOptions {
  Axes axis = {};
  bool keepdims = false;
  double ord = 2;  // any number, infinities and 0 (how many are not 0) included
};
Array vector_norm(const Array& x, const NormOptions& options = {});
// numpy.linalg.norm: without an order the 2-norm of all elements along the axes; with one, of one axis (or a vector)
// vector_norm, of two axes (or a matrix) matrix_norm. Error{value} for an order that has no meaning there.
struct NormOrder {
  std::variant<double, std::string> what;
  NormOrder(double order) : what(order) {}  // NOLINT: implicit, so that {.ord = 1} and {.ord = "nuc"} read well
  NormOrder(const char* order) : what(std::string(order)) {}  // NOLINT
};
struct NumpyNormOptions {
  Axes axis = {};
  bool keepdims = false;
  std::optional<NormOrder> ord = {};
};
Array norm(const Array& x, const NumpyNormOptions& options = {});
Array cond(const Array& a, const std::string& ord = "2");
Array matrix_rank(const Array& a, std::optional<double> rtol = {});  // i32

}  // namespace hearth
