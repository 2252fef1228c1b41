// SPDX-License-Identifier: Apache-2.0
#include "ops/linalg/linalg.h"

#include "base/error.h"
#include "ir/rules.h"
#include "ops/linalg/linalg_rules.h"
#include "ops/linalg/linalg_types.h"

namespace hearth {

Value cholesky(const Value& a, bool lower) { return a.graph->add("cholesky", {a}, {{"lower", int64_t(lower)}}); }

Value triangular_solve(const Value& a, const Value& b, const TriangularOptions& o) {
  return a.graph->add("triangular_solve", {a, b},
                      {{"left_side", int64_t(o.left_side)},
                       {"lower", int64_t(o.lower)},
                       {"unit_diagonal", int64_t(o.unit_diagonal)},
                       {"transpose_a", o.transpose_a}});
}

Qr qr(const Value& a, bool complete) {
  const std::vector<Value> out = a.graph->add_all("qr", {a}, {{"complete", int64_t(complete)}});
  return {out[0], out[1]};
}

Lu lu(const Value& a) {
  const std::vector<Value> out = a.graph->add_all("lu", {a});
  return {out[0], out[1], out[2]};
}

Eigh eigh(const Value& a, bool lower) {
  const std::vector<Value> out = a.graph->add_all("eigh", {a}, {{"lower", int64_t(lower)}});
  return {out[0], out[1]};
}
Value eigvalsh(const Value& a, bool lower) { return eigh(a, lower).values; }

Svd svd(const Value& a, bool full_matrices) {
  const std::vector<Value> out =
      a.graph->add_all("svd", {a}, {{"full_matrices", int64_t(full_matrices)}, {"compute_uv", int64_t(1)}});
  return {out[0], out[1], out[2]};
}
Value svdvals(const Value& a) {
  return a.graph->add("svd", {a}, {{"full_matrices", int64_t(0)}, {"compute_uv", int64_t(0)}});
}

Eig eig(const Value& a) {
  const std::vector<Value> out = a.graph->add_all("eig", {a});
  return {out[0], out[1]};
}
Value eigvals(const Value& a) { return eig(a).values; }

Value permute_rows(const Value& x, const Value& permutation, bool inverse) {
  return x.graph->add("permute_rows", {x, permutation}, {{"inverse", int64_t(inverse)}});
}

static std::vector<TensorType> infer(const InferArgs& args) {
  std::vector<TensorType> types;
  std::vector<std::string> shown;
  for (const Value& x : args.in) {
    types.push_back(x.type());
    shown.push_back(cat(x));
  }
  return linalg_types(args.op, types, args.attrs, shown);
}

static OpInfo operation(const char* name, const char* doc, void (*vjp)(VjpArgs&)) {
  OpInfo op{.name = name, .doc = doc, .infer = infer, .vjp = vjp};
  op.batch = batch_same;  // the leading axes are a batch already
  op.offers = {{"cpu", name, nullptr}};
  return op;
}

std::vector<OpInfo> linalg_ops() {
  std::vector<OpInfo> all = {operation("cholesky", "the triangular factor of a positive definite matrix", cholesky_vjp),
                             operation("triangular_solve", "the solution of a triangular system", triangular_solve_vjp),
                             operation("lu", "L U of a matrix whose rows are permuted", lu_vjp),
                             operation("permute_rows", "rows in the order of a permutation", permute_rows_vjp),
                             operation("qr", "an orthogonal times an upper triangular matrix", qr_vjp),
                             operation("eigh", "eigenvalues and vectors of a Hermitian matrix", eigh_vjp),
                             operation("svd", "singular values and vectors", svd_vjp),
                             operation("eig", "eigenvalues and vectors of a square matrix", eig_vjp)};
  for (OpInfo& op : linalg_composites()) all.push_back(std::move(op));
  return all;
}

}  // namespace hearth
