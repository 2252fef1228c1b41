// SPDX-License-Identifier: Apache-2.0
#pragma once
// Derivatives of the operations of linalg.h. The formulas are those of real inner products, <a, b> = Re tr(a^H b),
// whose gradients are the conjugates of the cotangents that vjp works with (JAX's: the transpose of the derivative);
// rules that need conjugates at all take them on the way in and out.

#include "ir/op.h"

namespace hearth {

void cholesky_vjp(VjpArgs& v);
void triangular_solve_vjp(VjpArgs& v);
void lu_vjp(VjpArgs& v);
void permute_rows_vjp(VjpArgs& v);
void qr_vjp(VjpArgs& v);
void eigh_vjp(VjpArgs& v);
void svd_vjp(VjpArgs& v);
void eig_vjp(VjpArgs& v);

std::vector<OpInfo> linalg_composites();  // linear_solve, pinv

}  // namespace hearth
