// SPDX-License-Identifier: Apache-2.0
// cholesky, triangular_solve, lu, permute_rows: a matrix of the batch a task. A matrix that lies row after row is, to
// LAPACK, its transpose.
#include <cstring>
#include <numeric>

#include "ops/linalg/linalg_kernels.h"
#include "ops/linalg/linalg_types.h"

namespace hearth {
namespace {

using namespace lapack;

template <class T>
void clear_triangle(T* a, int64_t n, bool lower) {
  for (int64_t i = 0; i < n; ++i) std::fill(a + i * n + (lower ? 0 : i + 1), a + i * n + (lower ? i : n), T(0));
}

// The lower triangle of A is the upper one of its transpose: L^T.
template <class T>
void run_cholesky(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]), y(args.out[0]);
  const bool lower = args.attrs.integer("lower") != 0;
  one_at_a_time(y.n == 0 ? 0 : y.count, [&](int64_t i) {
    std::copy_n(a.at(i), a.size(), y.at(i));
    const int info = potrf(lower ? 'U' : 'L', y.n, y.at(i));
    if (info != 0) std::fill_n(y.at(i), y.size(), not_a_number<T>());
    clear_triangle(y.at(i), y.n, !lower);
  });
}

template <class T>
void run_triangular(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]), b(args.in[1]), y(args.out[0]);
  const std::string& form = args.attrs.text("transpose_a");
  const auto flag = [&](const char* name) { return args.attrs.integer(name) != 0; };
  const Trsm call{flag("left_side") ? CblasLeft : CblasRight, flag("lower") ? CblasLower : CblasUpper,
                  form == "ADJOINT"     ? CblasConjTrans
                  : form == "TRANSPOSE" ? CblasTrans
                                        : CblasNoTrans,
                  flag("unit_diagonal") ? CblasUnit : CblasNonUnit};
  if (y.size() == 0) return;
  one_at_a_time(y.count, [&](int64_t i) {
    if (y.data != b.data) std::copy_n(b.at(i), b.size(), y.at(i));
    trsm(call, y.m, y.n, a.at(i), a.n, y.at(i));
  });
}

template <class T>
void run_lu(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]), y(args.out[0]);
  const int k = std::min(a.m, a.n);
  one_at_a_time(y.count, [&](int64_t i) {
    int32_t* pivots = args.out[1].as<int32_t>() + i * k;
    int32_t* permutation = args.out[2].as<int32_t>() + i * a.m;
    std::iota(permutation, permutation + a.m, 0);
    if (k == 0) return;
    std::vector<T> columns(size_t(a.size()));
    std::vector<int> exchanged(static_cast<size_t>(k));
    transpose(a.at(i), columns.data(), a.m, a.n);
    getrf(a.m, a.n, columns.data(), exchanged.data());
    transpose(columns.data(), y.at(i), a.n, a.m);
    for (int r = 0; r < k; ++r) {
      pivots[r] = exchanged[size_t(r)] - 1;
      std::swap(permutation[r], permutation[pivots[r]]);
    }
  });
}

void run_permute(const KernelArgs& args) {
  const TensorArg &x = args.in[0], &y = args.out[0];
  const int64_t m = x.dim(-2), row = x.dim(-1) * size_bytes(x.dtype());
  const bool inverse = args.attrs.integer("inverse") != 0;
  if (x.type->elements() == 0) return;
  const int32_t* permutation = args.in[1].as<const int32_t>();
  parallel_ranges(x.type->elements() / x.dim(-1), 64, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t matrix = r / m * m, other = matrix + std::clamp<int64_t>(permutation[r], 0, m - 1);
      std::memcpy(y.as<char>() + (inverse ? other : r) * row, x.as<const char>() + (inverse ? r : other) * row,
                  size_t(row));
    }
  });
}

}  // namespace

std::vector<KernelInfo> linalg_factor_kernels() {
  return {HEARTH_LINALG_KERNEL("cholesky", run_cholesky),
          HEARTH_LINALG_KERNEL("triangular_solve", run_triangular),
          HEARTH_LINALG_KERNEL("lu", run_lu),
          {"permute_rows", run_permute,
           [](const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
             check_linalg("permute_rows", in, out, attrs);
           }}};
}

std::vector<KernelInfo> linalg_kernels() {
  std::vector<KernelInfo> all = linalg_factor_kernels();
  for (KernelInfo& kernel : linalg_spectral_kernels()) all.push_back(kernel);
  return all;
}

}  // namespace hearth
