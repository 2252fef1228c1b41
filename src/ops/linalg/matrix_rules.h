// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small functions of matrices [..., M, N] that the rules of this folder are written in.

#include "ir/graph.h"

namespace hearth::linalg {

Value transposed(const Value& x);                          // the last two axes
Value adjoint(const Value& x);                             // both
Value multiply(const Value& a, const Value& b);            // matrix products, leading axes equal
Value lower_triangle(const Value& x, int64_t offset = 0);  // 0 above the diagonal `offset`
Value upper_triangle(const Value& x, int64_t offset = 0);
Value eye(Graph& graph, int64_t rows, int64_t cols, DType dtype);
Value eye_like(const Value& x, int64_t n);             // [..., n, n] with x's leading axes and dtype
Value diagonal_matrix(const Value& d);                 // [..., N] -> [..., N, N]
Value rows_scaled(const Value& x, const Value& d);     // diag(d) x; d real or of x's dtype
Value columns_scaled(const Value& x, const Value& d);  // x diag(d)
Value as_complex(const Value& x, DType dtype);         // of a real or complex x
Value imaginary(const Value& x);                       // i Im x; x complex
Dims leading(const Value& x, Dims last);               // x's leading axes, then these

}  // namespace hearth::linalg
