// SPDX-License-Identifier: Apache-2.0
#pragma once
// numpy.linalg, made of the operations of linalg.h. Matrices are [..., M, N]; leading axes broadcast where two operands
// have some. A singular matrix gives infinities or NaN, as in JAX. Throw Error{shape, dtype, value} naming the operand.

#include <optional>

#include "ir/graph.h"

namespace hearth {

Value solve(const Value& a, const Value& b);  // X of A X = B; b [N] is a vector, anything else matrices [..., N, K]
Value inv(const Value& a);
Value det(const Value& a);
struct SignAndLog {
  Value sign, log_abs;  // det = sign exp(log_abs); 0 and -infinity for a singular matrix
};
SignAndLog slogdet(const Value& a);
// Singular values up to rtol (default: max(M, N) eps) times the largest count as 0.
Value pinv(const Value& a, std::optional<double> rtol = {});
Value matrix_rank(const Value& a, std::optional<double> rtol = {});  // i32
Value matrix_power(const Value& a, int64_t n);  // log2 n products; of the inverse when n is negative
struct LeastSquares {
  Value x, residuals, rank, singular_values;
};
// x of least length that makes ||A x - B|| least; residuals: squared, of each column (as JAX, whatever the rank).
LeastSquares lstsq(const Value& a, const Value& b, std::optional<double> rtol = {});

// ord "fro", "nuc", "1", "-1", "2", "-2", "inf", "-inf", of the last two axes.
Value matrix_norm(const Value& x, const std::string& ord = "fro", bool keepdims = false);
// (sum |x|^ord)^(1/ord) over the axes (default all); infinity and -infinity: the largest and least, 0: how many are not
// 0.
struct VectorNormOptions {
  double ord = 2;
  std::optional<Dims> axes = {};
  bool keepdims = false;
};
Value vector_norm(const Value& x, const VectorNormOptions& options = {});
Value cond(const Value& a, const std::string& ord = "2");  // norm of A times that of its inverse

Value diagonal(const Value& x, int64_t offset = 0);  // [..., M, N] -> [..., K]
Value trace(const Value& x, int64_t offset = 0);
Value outer(const Value& a, const Value& b);  // of all elements: [A], [B] -> [A, B]
Value kron(const Value& a, const Value& b);
Value cross(const Value& a, const Value& b, int64_t axis = -1);  // 3 elements along the axis
Value multi_dot(const std::vector<Value>& matrices);             // in the order of the fewest multiplications

}  // namespace hearth
