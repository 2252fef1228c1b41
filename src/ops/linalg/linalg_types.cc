// SPDX-License-Identifier: Apache-2.0
#include "ops/linalg/linalg_types.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

#include "base/error.h"

namespace hearth {
namespace {

using Types = std::vector<TensorType>;

struct Operands {
  const std::string& op;
  const Types& in;
  const Attrs& attrs;
  const std::vector<std::string>& shown;

  const TensorType& a() const { return in[0]; }
  int64_t rows() const { return a().dims[a().dims.size() - 2]; }
  int64_t cols() const { return a().dims.back(); }
  int64_t least() const { return std::min(rows(), cols()); }
  bool flag(const char* name) const { return attrs.integer(name) != 0; }
  // The leading axes of a, then these.
  TensorType batched(DType dtype, const Dims& last) const {
    Dims dims(a().dims.begin(), a().dims.end() - 2);
    dims.insert(dims.end(), last.begin(), last.end());
    return {dtype, dims};
  }
  TensorType matrices(int64_t m, int64_t n) const { return batched(a().dtype, {m, n}); }

  void expect_matrix(size_t i, const char* name) const {
    const TensorType& t = in[i];
    HEARTH_CHECK(t.rank() >= 2, shape, op, ": needs matrices, at least 2 axes\n  ", name, " is ", shown[i]);
    HEARTH_CHECK(t.dtype == DType::f32 || t.dtype == DType::f64 || is_complex(t.dtype), dtype, op,
                 ": needs f32, f64, complex64 or complex128\n  ", name, " is ", shown[i]);
    const int64_t most = std::numeric_limits<int32_t>::max();  // LAPACK counts in 32 bits
    HEARTH_CHECK(std::max(t.dims.back(), t.dims[t.dims.size() - 2]) <= most, unsupported, op, ": more than ", most,
                 " rows or columns\n  ", name, " is ", shown[i]);
  }
  void expect_square() const {
    HEARTH_CHECK(rows() == cols(), shape, op, ": needs square matrices: ", rows(), " != ", cols(), "\n  a is ",
                 shown[0]);
  }
};

Types triangular_types(const Operands& o) {
  o.expect_square();
  o.expect_matrix(1, "b");
  const TensorType& b = o.in[1];
  HEARTH_CHECK(b.dtype == o.a().dtype, dtype, o.op, ": dtypes differ\n  a is ", o.shown[0], "\n  b is ", o.shown[1]);
  HEARTH_CHECK(b.rank() == o.a().rank() && std::equal(b.dims.begin(), b.dims.end() - 2, o.a().dims.begin()), shape,
               o.op, ": leading axes differ\n  a is ", o.shown[0], "\n  b is ", o.shown[1]);
  const bool left = o.flag("left_side");
  const int64_t size = left ? b.dims[b.dims.size() - 2] : b.dims.back();
  HEARTH_CHECK(size == o.rows(), shape, o.op, ": a has ", o.rows(), " rows, b ", size, left ? " rows" : " columns",
               "\n  a is ", o.shown[0], "\n  b is ", o.shown[1]);
  o.flag("lower"), o.flag("unit_diagonal");
  const std::string& form = o.attrs.text("transpose_a");
  HEARTH_CHECK(form == "NO_TRANSPOSE" || form == "TRANSPOSE" || form == "ADJOINT", value, o.op, ": transpose_a '", form,
               "' is none of NO_TRANSPOSE, TRANSPOSE, ADJOINT");
  return {b};
}

Types permute_types(const Operands& o) {
  HEARTH_CHECK(o.a().rank() >= 2, shape, o.op, ": needs matrices, at least 2 axes\n  x is ", o.shown[0]);
  const TensorType wanted = o.batched(DType::i32, {o.rows()});
  HEARTH_CHECK(o.in[1] == wanted, shape, o.op, ": needs a permutation ", wanted, "\n  x is ", o.shown[0],
               "\n  permutation is ", o.shown[1]);
  o.flag("inverse");
  return {o.a()};
}

Types qr_types(const Operands& o) {
  const int64_t inner = o.flag("complete") ? o.rows() : o.least();
  return {o.matrices(o.rows(), inner), o.matrices(inner, o.cols())};
}

Types svd_types(const Operands& o) {
  const bool full = o.flag("full_matrices");
  const TensorType s = o.batched(real_part(o.a().dtype), {o.least()});
  if (!o.flag("compute_uv")) return {s};
  return {o.matrices(o.rows(), full ? o.rows() : o.least()), s, o.matrices(full ? o.cols() : o.least(), o.cols())};
}

Types eigh_types(const Operands& o) {
  o.expect_square();
  o.flag("lower");
  return {o.batched(real_part(o.a().dtype), {o.rows()}), o.matrices(o.rows(), o.rows())};
}

Types eig_types(const Operands& o) {
  o.expect_square();
  const DType t = real_part(o.a().dtype) == DType::f32 ? DType::complex64 : DType::complex128;
  return {o.batched(t, {o.rows()}), o.batched(t, {o.rows(), o.rows()})};
}

struct Rule {
  size_t inputs;
  std::function<Types(const Operands&)> types;
};
const std::map<std::string, Rule>& rules() {
  static const std::map<std::string, Rule> all = {
      {"cholesky",
       {1,
        [](const Operands& o) -> Types {
          o.expect_square();
          o.flag("lower");
          return {o.a()};
        }}},
      {"triangular_solve", {2, triangular_types}},
      {"permute_rows", {2, permute_types}},
      {"qr", {1, qr_types}},
      {"lu",
       {1,
        [](const Operands& o) -> Types {
          return {o.a(), o.batched(DType::i32, {o.least()}), o.batched(DType::i32, {o.rows()})};
        }}},
      {"eigh", {1, eigh_types}},
      {"svd", {1, svd_types}},
      {"eig", {1, eig_types}},
  };
  return all;
}

}  // namespace

std::vector<TensorType> linalg_types(const std::string& op, const Types& in, const Attrs& attrs,
                                     const std::vector<std::string>& shown) {
  const Rule& rule = rules().at(op);
  HEARTH_CHECK(in.size() == rule.inputs, shape, op, ": ", in.size(), " operands, needs ", rule.inputs);
  const Operands operands{op, in, attrs, shown};
  if (op != "permute_rows") operands.expect_matrix(0, "a");
  return rule.types(operands);
}

void check_linalg(const std::string& op, const Types& in, const Types& out, const Attrs& attrs) {
  std::vector<std::string> shown;
  for (const TensorType& type : in) shown.push_back(cat(type));
  const Types wanted = linalg_types(op, in, attrs, shown);
  HEARTH_CHECK(out.size() == wanted.size(), format, op, ": ", out.size(), " outputs instead of ", wanted.size());
  for (size_t i = 0; i < out.size(); ++i)
    HEARTH_CHECK(out[i] == wanted[i], format, op, ": output ", i, " is ", out[i], " instead of ", wanted[i]);
}

}  // namespace hearth
