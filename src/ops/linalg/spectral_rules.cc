// SPDX-License-Identifier: Apache-2.0
// Derivatives of qr, eigh, svd, eig. Where values coincide, vectors have no derivative: their terms are left out, as in
// JAX.
#include <algorithm>

#include "base/error.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/linalg/linalg_rules.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/shape/shape.h"

namespace hearth {

using namespace linalg;
namespace {

Value gradient_of(const VjpArgs& v, size_t output) {  // the conjugate of its cotangent; zeros when there is none
  return v.cotangent[output].valid() ? conj(v.cotangent[output]) : scalar_like(v.out[output], 0);
}
bool any_cotangent(const VjpArgs& v) {
  return std::any_of(v.cotangent.begin(), v.cotangent.end(), [](const Value& c) { return c.valid(); });
}
// diag(i Im x_jj), for complex x
Value imaginary_diagonal(const Value& x) { return diagonal_matrix(imaginary(diagonal(x))); }

Value inverse_or_zero(const Value& x) {  // 1/x, 0 where x is 0
  const Value zero = scalar_like(x, 0), is_zero = compare("EQ", x, zero);
  return select(is_zero, zero, 1.0 / select(is_zero, scalar_like(x, 1), x));
}

// d [..., N] -> d_j - d_i at [i, j], and the inverse of that or 0.
Value inverse_differences(const Value& d) {
  Dims full = d.dims(), rows = d.dims(), cols = d.dims();
  full.push_back(d.dim(-1));
  rows.push_back(1);
  cols.insert(cols.end() - 1, 1);
  return inverse_or_zero(broadcast_to(reshape(d, cols), full) - broadcast_to(reshape(d, rows), full));
}
Value times_real(const Value& x, const Value& real) { return x * as_complex(real, x.dtype()); }

// A [M,N] = Q [M,N] R [N,N], M >= N. With X = dA R^-1 and W = Q^H X:
//   dQ = X + Q (K(W) - W), dR = (W - K(W)) R, K(W) = tril(W, -1) - tril(W, -1)^H + i diag(Im W).
// Source: JAX 0.10, lax/linalg.py, qr_jvp_rule; here its adjoint.
Value tall_qr_gradient(const Value& q, const Value& r, const Value& gq, const Value& gr) {
  const Value from_q = multiply(adjoint(q), gq), from_r = multiply(gr, adjoint(r)), y = from_q - from_r;
  Value k = lower_triangle(y - adjoint(y), -1);
  if (is_complex(y.dtype())) k = k + imaginary_diagonal(y);
  const Value gx = gq + multiply(q, k - y);
  return triangular_solve(r, gx, {.left_side = false, .lower = false, .transpose_a = "ADJOINT"});
}

}  // namespace

void qr_vjp(VjpArgs& v) {
  if (!v.wanted[0] || !any_cotangent(v)) return;
  const Value &a = v.in[0], &q = v.out[0], &r = v.out[1];
  const int64_t m = a.dim(-2), n = a.dim(-1), last = a.rank() - 1;
  HEARTH_CHECK(v.attrs.integer("complete") == 0 || m <= n, unsupported,
               "qr: the complete factors of a tall matrix have no derivative; the reduced ones have\n  a is ", a);
  const Value gq = gradient_of(v, 0), gr = upper_triangle(gradient_of(v, 1));
  if (m >= n) {
    v.grad[0] = conj(tall_qr_gradient(q, r, gq, gr));
    return;
  }
  // A = [A1 A2] = Q [R1 R2]: R2 = Q^H A2 depends on A1 through Q.
  const Value a2 = slice_axis(a, last, m, n), gr2 = slice_axis(gr, last, m, n);
  const Value g1 =
      tall_qr_gradient(q, slice_axis(r, last, 0, m), gq + multiply(a2, adjoint(gr2)), slice_axis(gr, last, 0, m));
  v.grad[0] = conj(concatenate({g1, multiply(q, gr2)}, last));
}

// gA = V (diag(gw) + F o (V^H gV)) V^H, F_ij = 1 / (w_j - w_i). Source: Giles 2008, NA-08-01, sec. 3.1.
void eigh_vjp(VjpArgs& v) {
  if (!v.wanted[0] || !any_cotangent(v)) return;
  const Value &w = v.out[0], &vectors = v.out[1];
  Value inner = diagonal_matrix(as_complex(gradient_of(v, 0), vectors.dtype()));
  if (v.cotangent[1].valid())
    inner = inner + times_real(multiply(adjoint(vectors), gradient_of(v, 1)), inverse_differences(w));
  const Value g = multiply(vectors, multiply(inner, adjoint(vectors)));
  v.grad[0] = conj((g + adjoint(g)) * scalar_like(g, 0.5));
}

// dA in the basis of singular vectors is D = U^H dA V; JAX 0.10, lax/linalg.py, _svd_jvp_rule, has ds, dU, dV from it.
// Here its adjoint: gA = U gD V^H, and what lies outside of the thin factors.
void svd_vjp(VjpArgs& v) {
  if (!v.wanted[0] || !any_cotangent(v)) return;
  const Value& a = v.in[0];
  const int64_t m = a.dim(-2), n = a.dim(-1);
  if (v.out.size() == 1) {
    const Svd f = svd(a, false);
    v.grad[0] = conj(multiply(columns_scaled(f.u, gradient_of(v, 0)), f.vh));
    return;
  }
  HEARTH_CHECK(v.attrs.integer("full_matrices") == 0 || m == n, unsupported,
               "svd: the full factors have no derivative; those of full_matrices = false have\n  a is ", a);
  const Value &u = v.out[0], &s = v.out[1], vectors = adjoint(v.out[2]);
  Value inner = diagonal_matrix(as_complex(gradient_of(v, 1), a.dtype())), outside;
  const Value s_inverse = inverse_or_zero(s), f = inverse_differences(s * s);
  if (v.cotangent[0].valid()) {
    const Value gu = gradient_of(v, 0), y = multiply(adjoint(u), gu), z = times_real(y, f);
    inner = inner + columns_scaled(z + adjoint(z), s);
    if (is_complex(a.dtype())) inner = inner + columns_scaled(imaginary_diagonal(y), s_inverse);
    if (m > n) outside = multiply(columns_scaled(gu - multiply(u, y), s_inverse), adjoint(vectors));
  }
  if (v.cotangent[2].valid()) {
    const Value gv = adjoint(gradient_of(v, 2)), y = multiply(adjoint(vectors), gv), z = times_real(y, f);
    inner = inner + rows_scaled(z + adjoint(z), s);
    if (n > m) outside = multiply(u, adjoint(columns_scaled(gv - multiply(vectors, y), s_inverse)));
  }
  Value g = multiply(u, multiply(inner, adjoint(vectors)));
  if (outside.valid()) g = g + outside;
  v.grad[0] = conj(g);
}

// dw = diag(V^-1 dA V): gA = V^-H diag(gw) V^H.
void eig_vjp(VjpArgs& v) {
  if (!v.wanted[0] || !any_cotangent(v)) return;
  HEARTH_CHECK(!v.cotangent[1].valid(), unsupported,
               "eig: the vectors of a general matrix have no derivative; the values have\n  a is ", v.in[0]);
  const Value h = adjoint(v.out[1]);
  const Value g = conj(solve(h, rows_scaled(h, gradient_of(v, 0))));
  v.grad[0] = is_complex(v.in[0].dtype()) ? g : real(g);
}

}  // namespace hearth
