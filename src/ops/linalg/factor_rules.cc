// SPDX-License-Identifier: Apache-2.0
// Derivatives of cholesky, triangular_solve, lu, permute_rows.
#include <algorithm>

#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_rules.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/shape/shape.h"

namespace hearth {

using namespace linalg;

static Value halved_diagonal_lower(const Value& x) {  // the strict lower triangle and half of the diagonal
  return (lower_triangle(x) + lower_triangle(x, -1)) * scalar_like(x, 0.5);
}

// A = L L^H: gA = L^-H Phi(L^H gL) L^-1, made Hermitian; Phi keeps the lower triangle and half of the diagonal.
// Source: Murray 2016, arXiv:1602.07527, eq. 10.
void cholesky_vjp(VjpArgs& v) {
  if (!v.wanted[0]) return;
  const bool lower = v.attrs.integer("lower") != 0;
  const Value l = lower ? v.out[0] : adjoint(v.out[0]);
  const Value g = lower ? conj(v.cotangent[0]) : transposed(v.cotangent[0]);
  const Value phi = halved_diagonal_lower(multiply(adjoint(l), lower_triangle(g)));
  const Value left = triangular_solve(l, phi, {.transpose_a = "ADJOINT"});
  const Value both = triangular_solve(l, left, {.left_side = false});
  v.grad[0] = conj((both + adjoint(both)) * scalar_like(both, 0.5));
}

// op(A) X = B: gB = op(A)^-T gX, g(op A) = -gB X^T; from the right g(op A) = -X^T gB. Transposes, not adjoints: these
// are cotangents.
void triangular_solve_vjp(VjpArgs& v) {
  TriangularOptions o{v.attrs.integer("left_side") != 0, v.attrs.integer("lower") != 0,
                      v.attrs.integer("unit_diagonal") != 0, v.attrs.text("transpose_a")};
  const std::string form = o.transpose_a;
  o.transpose_a = form == "NO_TRANSPOSE" ? "TRANSPOSE" : "NO_TRANSPOSE";
  const Value a = form == "ADJOINT" ? conj(v.in[0]) : v.in[0];
  const Value gb = triangular_solve(a, v.cotangent[0], o), xt = transposed(v.out[0]);
  if (v.wanted[1]) v.grad[1] = gb;
  if (!v.wanted[0]) return;
  Value g = -(o.left_side ? multiply(gb, xt) : multiply(xt, gb));
  if (form != "NO_TRANSPOSE") g = transposed(g);
  if (form == "ADJOINT") g = conj(g);
  const int64_t offset = o.unit_diagonal ? 1 : 0;
  v.grad[0] = o.lower ? lower_triangle(g, -offset) : upper_triangle(g, offset);
}

void permute_rows_vjp(VjpArgs& v) {
  if (v.wanted[0]) v.grad[0] = permute_rows(v.cotangent[0], v.in[1], v.attrs.integer("inverse") == 0);
}

// [..., rows, cols] as [..., n, n] with ones on the rest of the diagonal; n at least both.
static Value filled_with_eye(const Value& x, int64_t n) {
  if (x.dim(-2) == n && x.dim(-1) == n) return x;
  Padding padding{Dims(size_t(x.rank()), 0), Dims(size_t(x.rank()), 0), Dims(size_t(x.rank()), 0)};
  padding.high[size_t(x.rank() - 2)] = n - x.dim(-2);
  padding.high[size_t(x.rank() - 1)] = n - x.dim(-1);
  const int64_t k = std::min(x.dim(-2), x.dim(-1));
  const Value full = pad(x, constant(*x.graph, 0, x.dtype()), padding), ones = eye(*x.graph, n, n, x.dtype());
  const Value beyond = compare("GE", iota(*x.graph, DType::i32, {n, n}, 0), constant(*x.graph, double(k), DType::i32));
  return full + broadcast_to(select(beyond, ones, scalar_like(ones, 0)), full.dims());
}

// P A = L U with L [M,M] and U [N,N] filled up by ones: dA = P^T L (tril(D, -1) + triu(D)) U for any D [M,N], so
// gA = P^T L^-H (tril(L^H g, -1) + triu(g U^H)) U^-H. Source: JAX 0.10, lax/linalg.py, _lu_jvp_rule, transposed.
void lu_vjp(VjpArgs& v) {
  if (!v.wanted[0] || !v.cotangent[0].valid()) return;
  const Value &f = v.out[0], g = conj(v.cotangent[0]);
  const int64_t m = f.dim(-2), n = f.dim(-1), k = std::min(m, n), axis = f.rank() - 2;
  const Value l = filled_with_eye(lower_triangle(slice_axis(f, axis + 1, 0, k), -1) +
                                      broadcast_to(eye(*f.graph, m, k, f.dtype()), leading(f, {m, k})),
                                  m);
  const Value u = filled_with_eye(upper_triangle(slice_axis(f, axis, 0, k)), n);
  const Value d = lower_triangle(multiply(adjoint(l), g), -1) + upper_triangle(multiply(g, adjoint(u)));
  const Value left = triangular_solve(l, d, {.unit_diagonal = true, .transpose_a = "ADJOINT"});
  const Value both = triangular_solve(u, left, {.left_side = false, .lower = false, .transpose_a = "ADJOINT"});
  v.grad[0] = conj(permute_rows(both, v.out[2], true));
}

}  // namespace hearth
