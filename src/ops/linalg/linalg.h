// SPDX-License-Identifier: Apache-2.0
#pragma once
// Factorisations and triangular systems of matrices [..., M, N]: one for each index of the leading axes. f32, f64,
// complex64, complex128; A^H is the conjugate transpose. Cost: O(M N min(M, N)) flops each. A matrix that has no
// factorisation (singular, not positive definite, not finite where an iteration needs it) gives infinities or NaN for
// itself, as in JAX, never an error. Derivatives are JAX's. Throw Error{shape, dtype, value} naming the operand.
// Source: StableHLO (cholesky, triangular_solve), numpy.linalg and jax.lax.linalg (the others); on the cpu LAPACK.

#include "ir/graph.h"

namespace hearth {

// A = L L^H, or U^H U when not lower; A[N,N] is read in that triangle only, the result is 0 in the other. The
// derivative takes A to be Hermitian. NaN where A is not positive definite.
Value cholesky(const Value& a, bool lower = true);

struct TriangularOptions {
  bool left_side = true;  // else X op(A) = B
  bool lower = true;      // the triangle of A that is read
  bool unit_diagonal = false;
  std::string transpose_a = "NO_TRANSPOSE";  // TRANSPOSE, ADJOINT: what op(A) is
};
// X of op(A) X = B: A[..., M, M], B[..., M, N] (right side: A[..., N, N]).
Value triangular_solve(const Value& a, const Value& b, const TriangularOptions& options = {});

struct Qr {
  Value q, r;  // Q[M,K] R[K,N], K = min(M, N); complete: Q[M,M] R[M,N]
};
Qr qr(const Value& a, bool complete = false);  // A = Q R, Q^H Q = I, R upper triangular with a real diagonal

struct Lu {
  Value lu;           // L below the diagonal (which is 1), U on and above it: [M,N]
  Value pivots;       // i32 [K]: row i was exchanged with row pivots[i]
  Value permutation;  // i32 [M]: row i of L U is row permutation[i] of A
};
Lu lu(const Value& a);

struct Eigh {
  Value values, vectors;  // real [N], rising; columns of [N,N]
};
Eigh eigh(const Value& a, bool lower = true);  // A = V diag(w) V^H; A Hermitian, read in one triangle
Value eigvalsh(const Value& a, bool lower = true);

struct Svd {
  Value u, s, vh;  // [M,K] or [M,M]; real [K], falling; [K,N] or [N,N]
};
Svd svd(const Value& a, bool full_matrices = true);  // A = U diag(s) V^H
Value svdvals(const Value& a);

struct Eig {
  Value values, vectors;  // complex [N]; columns of complex [N,N], of length 1
};
Eig eig(const Value& a);  // A V = V diag(w), of any square A; vectors have no derivative, values have
Value eigvals(const Value& a);

// Row i of the result is row permutation[i] of x [..., M, N]; inverse: row permutation[i] of the result is row i.
Value permute_rows(const Value& x, const Value& permutation, bool inverse = false);

}  // namespace hearth
