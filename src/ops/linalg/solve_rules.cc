// SPDX-License-Identifier: Apache-2.0
// Functions that solve systems, as composites where the derivative of the parts would cost or lose more than its own.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "ir/rules.h"
#include "ops/complex/complex.h"
#include "ops/elementwise/elementwise.h"
#include "ops/linalg/linalg.h"
#include "ops/linalg/linalg_functions.h"
#include "ops/linalg/linalg_rules.h"
#include "ops/linalg/matrix_rules.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

using namespace linalg;
namespace {

void expect_square(const char* op, const Value& a) {
  HEARTH_CHECK(a.rank() >= 2, shape, op, ": needs matrices, at least 2 axes\n  a is ", a);
  HEARTH_CHECK(a.dim(-1) == a.dim(-2), shape, op, ": needs square matrices: ", a.dim(-2), " != ", a.dim(-1),
               "\n  a is ", a);
}

// --- linear_solve: A X = B through LU --------------------------------------------------------------------------------
std::vector<TensorType> infer_solve(const InferArgs& args) {
  const Value &a = args.in[0], &b = args.in[1];
  expect_square("solve", a);
  HEARTH_CHECK(a.dtype() == b.dtype(), dtype, "solve: dtypes differ\n  a is ", a, "\n  b is ", b);
  HEARTH_CHECK(b.rank() == a.rank() && leading(a, {}) == leading(b, {}) && b.dim(-2) == a.dim(-1), shape,
               "solve: sizes differ\n  a is ", a, "\n  b is ", b);
  return {b.type()};
}
Value solve_with(const Lu& f, const Value& b) {
  const Value y = triangular_solve(f.lu, permute_rows(b, f.permutation), {.unit_diagonal = true});
  return triangular_solve(f.lu, y, {.lower = false});
}
Value solve_transposed_with(const Lu& f, const Value& b) {  // A^T = U^T L^T P
  const Value y = triangular_solve(f.lu, b, {.lower = false, .transpose_a = "TRANSPOSE"});
  const Value z = triangular_solve(f.lu, y, {.unit_diagonal = true, .transpose_a = "TRANSPOSE"});
  return permute_rows(z, f.permutation, true);
}
// gB = A^-T gX, gA = -gB X^T. The factorisation is the forward one: equal nodes are merged.
void solve_vjp(VjpArgs& v) {
  const Value gb = solve_transposed_with(lu(v.in[0]), v.cotangent[0]);
  if (v.wanted[1]) v.grad[1] = gb;
  if (v.wanted[0]) v.grad[0] = -multiply(gb, transposed(v.out[0]));
}

// --- pinv ------------------------------------------------------------------------------------------------------------
double default_rtol(const Value& a) {
  const double eps = real_part(a.dtype()) == DType::f64 ? 0x1p-52 : 0x1p-23;
  return eps * double(std::max(a.dim(-2), a.dim(-1)));
}
// Which singular values count.
Value counted(const Value& s, double rtol) {
  const int64_t last = s.rank() - 1;
  Dims one = s.dims();
  one[size_t(last)] = 1;
  if (s.dim(-1) == 0) return compare("GT", s, s);
  const Value largest = broadcast_to(reshape(reduce_max(s, {last}), one), s.dims());
  return compare("GT", s, largest * scalar_like(largest, rtol));
}
Value pinv_of(const Svd& f, double rtol) {
  const Value ok = counted(f.s, rtol), one = scalar_like(f.s, 1);
  const Value inverse = select(ok, one / select(ok, f.s, one), scalar_like(f.s, 0));
  return multiply(columns_scaled(adjoint(f.vh), inverse), adjoint(f.u));
}
std::vector<TensorType> infer_pinv(const InferArgs& args) {
  const Value& a = args.in[0];
  HEARTH_CHECK(a.rank() >= 2, shape, "pinv: needs matrices, at least 2 axes\n  a is ", a);
  return {{a.dtype(), leading(a, {a.dim(-1), a.dim(-2)})}};
}
// dP = -P dA P + P P^H dA^H (I - A P) + (I - P A) dA^H P^H P. Source: Golub & Pereyra 1973, eq. 4.12.
void pinv_vjp(VjpArgs& v) {
  if (!v.wanted[0]) return;
  const Value &a = v.in[0], &p = v.out[0], g = conj(v.cotangent[0]);
  const Value ph = adjoint(p), gh = adjoint(g);
  const Value left = eye_like(a, a.dim(-2)) - multiply(a, p), right = eye_like(a, a.dim(-1)) - multiply(p, a);
  v.grad[0] = conj(multiply(multiply(left, gh), multiply(p, ph)) + multiply(multiply(ph, p), multiply(gh, right)) -
                   multiply(ph, multiply(g, ph)));
}

Dims broadcast_dims(const char* op, const Value& a, const Value& b, Dims x, Dims y) {
  while (x.size() < y.size()) x.insert(x.begin(), 1);
  while (y.size() < x.size()) y.insert(y.begin(), 1);
  for (size_t i = 0; i < x.size(); ++i) {
    HEARTH_CHECK(x[i] == y[i] || x[i] == 1 || y[i] == 1, shape, op, ": leading axes do not broadcast\n  a is ", a,
                 "\n  b is ", b);
    if (x[i] == 1) x[i] = y[i];
  }
  return x;
}
Value with_leading(const Value& x, Dims dims) {
  dims.insert(dims.end(), x.dims().end() - 2, x.dims().end());
  return broadcast_to(x, dims);
}

// Calls body(a, b) with matrices of equal leading axes; a vector b becomes a column, and the result a vector again.
template <class Body>
Value with_columns(const char* op, const Value& a, const Value& b, const Body& body) {
  HEARTH_CHECK(a.rank() >= 2 && b.rank() >= 1, shape, op, ": needs matrices and a vector or matrices\n  a is ", a,
               "\n  b is ", b);
  const bool vector = b.rank() == 1;
  const int64_t rows = vector ? b.dim(0) : b.dim(-2);
  HEARTH_CHECK(a.dim(-2) == rows, shape, op, ": a has ", a.dim(-2), " rows, b ", rows, "\n  a is ", a, "\n  b is ", b);
  const Value columns = vector ? reshape(b, {b.dim(0), 1}) : b;
  const Dims dims = broadcast_dims(op, a, b, leading(a, {}), leading(columns, {}));
  const Value x = body(with_leading(a, dims), with_leading(columns, dims));
  if (!vector) return x;
  return reshape(x, leading(x, {x.dim(-2)}));
}

// The product along the last axis, halves first: its derivative divides by nothing.
Value product_last(Value x) {
  Dims dims = x.dims();
  if (dims.back() == 0) {
    dims.pop_back();
    return constant(*x.graph, 1, x.dtype(), dims);
  }
  const int64_t last = x.rank() - 1;
  while (x.dim(last) > 1) {
    const int64_t n = x.dim(last), half = n / 2;
    const Value pairs = slice_axis(x, last, 0, half) * slice_axis(x, last, half, 2 * half);
    x = n % 2 ? concatenate({pairs, slice_axis(x, last, 2 * half, n)}, last) : pairs;
  }
  dims.pop_back();
  return reshape(x, dims);
}

// 1 or -1: how many rows were exchanged.
Value parity(const Lu& f, DType dtype) {
  const Value rows = iota(*f.pivots.graph, DType::i32, f.pivots.dims(), f.pivots.rank() - 1);
  const Value moved = convert(compare("NE", f.pivots, rows), DType::i32);
  const Value odd = binary("remainder", reduce_sum(moved, {f.pivots.rank() - 1}),
                           constant(*rows.graph, 2, DType::i32, leading(f.lu, {})));
  return 1.0 - 2.0 * convert(odd, dtype);
}

}  // namespace

Value solve(const Value& a, const Value& b) {
  expect_square("solve", a);
  return with_columns("solve", a, b, [](const Value& x, const Value& y) {
    return x.graph->add("linear_solve", {x, y});
  });
}

Value inv(const Value& a) {
  expect_square("inv", a);
  return a.graph->add("linear_solve", {a, eye_like(a, a.dim(-1))});
}

Value det(const Value& a) {
  expect_square("det", a);
  const Lu f = lu(a);
  return product_last(diagonal(f.lu)) * as_complex(parity(f, real_part(a.dtype())), a.dtype());
}

// z / |z|, 0 of 0: the derivative of `sign` is 0, which of complex numbers is not so.
static Value direction(const Value& z) {
  if (!is_complex(z.dtype())) return unary("sign", z);
  const Value size = unary("abs", z), none = compare("EQ", size, scalar_like(size, 0));
  const Value safe = select(none, scalar_like(size, 1), size);
  return z / as_complex(safe, z.dtype());
}

SignAndLog slogdet(const Value& a) {
  expect_square("slogdet", a);
  const Lu f = lu(a);
  const Value d = diagonal(f.lu), sign = as_complex(parity(f, real_part(a.dtype())), a.dtype());
  return {product_last(direction(d)) * sign, reduce_sum(log(unary("abs", d)), {d.rank() - 1})};
}

Value pinv(const Value& a, std::optional<double> rtol) {
  HEARTH_CHECK(a.rank() >= 2, shape, "pinv: needs matrices, at least 2 axes\n  a is ", a);
  return a.graph->add("pinv", {a}, {{"rtol", rtol.value_or(default_rtol(a))}});
}

Value matrix_rank(const Value& a, std::optional<double> rtol) {
  HEARTH_CHECK(a.rank() >= 2, shape, "matrix_rank: needs matrices, at least 2 axes\n  a is ", a);
  const Value s = svdvals(a);
  return reduce_sum(convert(counted(s, rtol.value_or(default_rtol(a))), DType::i32), {s.rank() - 1});
}

LeastSquares lstsq(const Value& a, const Value& b, std::optional<double> rtol) {
  HEARTH_CHECK(a.rank() == 2 && (b.rank() == 1 || b.rank() == 2) && a.dim(0) == b.dim(0), shape,
               "lstsq: needs a matrix and as many rows of b\n  a is ", a, "\n  b is ", b);
  const double cut = rtol.value_or(default_rtol(a));
  const Value matrix = b.rank() == 2 ? b : reshape(b, {b.dim(0), 1}), x = multiply(pinv(a, cut), matrix);
  const Value rest = unary("abs", matrix - multiply(a, x));
  return {b.rank() == 2 ? x : reshape(x, {x.dim(0)}), reduce_sum(rest * rest, {0}), matrix_rank(a, cut), svdvals(a)};
}

Value matrix_power(const Value& a, int64_t n) {
  expect_square("matrix_power", a);
  HEARTH_CHECK(n != INT64_MIN, value, "matrix_power: the power ", n, " is too large");
  if (n == 0) return eye_like(a, a.dim(-1));
  Value base = n < 0 ? inv(a) : a, result;
  for (int64_t rest = std::abs(n); rest > 0; rest /= 2) {
    if (rest % 2) result = result.valid() ? multiply(result, base) : base;
    if (rest > 1) base = multiply(base, base);
  }
  return result;
}

std::vector<OpInfo> linalg_composites() {
  OpInfo solve{.name = "linear_solve",
               .doc = "the solution of a system of equations, by LU",
               .infer = infer_solve,
               .vjp = solve_vjp,
               .decompose = [](Graph&, const std::vector<Value>& in, const Attrs&) -> std::vector<Value> {
                 return {solve_with(lu(in[0]), in[1])};
               }};
  solve.batch = batch_same;
  OpInfo pinv{.name = "pinv",
              .doc = "Moore and Penrose's inverse, by SVD",
              .infer = infer_pinv,
              .vjp = pinv_vjp,
              .decompose = [](Graph&, const std::vector<Value>& in, const Attrs& attrs) -> std::vector<Value> {
                return {pinv_of(svd(in[0], false), attrs.real("rtol"))};
              }};
  pinv.batch = batch_same;
  return {solve, pinv};
}

}  // namespace hearth
