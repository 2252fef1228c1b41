// SPDX-License-Identifier: Apache-2.0
// qr, eigh, svd, eig: a matrix of the batch a task. A matrix that lies row after row is, to LAPACK, its transpose, so
// A = Q R is its A^T = R^T Q^T (gelqf), A = U S V^H its A^T = (V^H)^T S U^T, and results land where they belong.
#include "ops/linalg/linalg_kernels.h"

namespace hearth {
namespace {

using namespace lapack;

// Copies min(rows) of the columns of `from` (ld_from numbers each) to columns of ld_to.
template <class T>
void copy_columns(const T* from, int64_t ld_from, T* to, int64_t ld_to, int64_t columns) {
  for (int64_t c = 0; c < columns; ++c) std::copy_n(from + c * ld_from, std::min(ld_from, ld_to), to + c * ld_to);
}

template <class T>
void run_qr(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]), q(args.out[0]), r(args.out[1]);
  const int m = a.m, n = a.n, k = std::min(m, n), inner = q.n;
  one_at_a_time(a.count, [&](int64_t i) {
    std::fill_n(r.at(i), r.size(), T(0));
    std::fill_n(q.at(i), q.size(), T(0));
    for (int64_t d = 0; k == 0 && d < inner; ++d) q.at(i)[d * inner + d] = T(1);
    if (k == 0) return;
    std::vector<T> factors(a.at(i), a.at(i) + a.size()), tau(static_cast<size_t>(k));
    gelqf(n, m, factors.data(), n, tau.data());  // an [n, m] matrix to LAPACK
    for (int64_t row = 0; row < k; ++row)
      std::copy(&factors[size_t(row * n + row)], factors.data() + (row + 1) * n, r.at(i) + row * n + row);
    copy_columns(factors.data(), n, q.at(i), inner, m);
    make_rows(inner, m, k, q.at(i), inner, tau.data());
  });
}

template <class T>
void run_eigh(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]), v(args.out[1]);
  const bool lower = args.attrs.integer("lower") != 0;
  const int n = a.n;
  one_at_a_time(n == 0 ? 0 : a.count, [&](int64_t i) {
    Real<T>* w = args.out[0].as<Real<T>>() + i * n;
    std::vector<T> vectors(a.at(i), a.at(i) + a.size());
    // To LAPACK this is conj(A), with conjugate vectors, one after the other.
    if (!all_finite(a.at(i), a.size()) || eigh(lower ? 'U' : 'L', n, vectors.data(), w) != 0) {
      std::fill_n(w, n, not_a_number<Real<T>>());
      std::fill_n(v.at(i), v.size(), not_a_number<T>());
      return;
    }
    for (T& x : vectors) x = conjugate(x);
    transpose(vectors.data(), v.at(i), n, n);
  });
}

template <class T>
void run_svd(const KernelArgs& args) {
  const Matrices<T> a(args.in[0]);
  const int m = a.m, n = a.n, k = std::min(m, n);
  const bool vectors = args.out.size() == 3, full = args.attrs.integer("full_matrices") != 0;
  const TensorArg& values = args.out[vectors ? 1 : 0];
  const int u_cols = full ? m : k, v_rows = full ? n : k;
  one_at_a_time(a.count, [&](int64_t i) {
    Real<T>* s = values.as<Real<T>>() + i * k;
    T* u = vectors ? args.out[0].as<T>() + i * m * u_cols : nullptr;
    T* vh = vectors ? args.out[2].as<T>() + i * v_rows * n : nullptr;
    if (k == 0) {  // nothing but bases of the rest
      if (!vectors) return;
      std::fill_n(u, int64_t(m) * u_cols, T(0));
      std::fill_n(vh, int64_t(v_rows) * n, T(0));
      for (int64_t d = 0; d < u_cols; ++d) u[d * u_cols + d] = T(1);
      for (int64_t d = 0; d < v_rows; ++d) vh[d * n + d] = T(1);
      return;
    }
    std::vector<T> work(a.at(i), a.at(i) + a.size());
    const char job = !vectors ? 'N' : full ? 'A' : 'S';
    if (all_finite(a.at(i), a.size()) && gesdd(job, n, m, work.data(), s, vh, n, u, u_cols) == 0) return;
    std::fill_n(s, k, not_a_number<Real<T>>());
    if (vectors) std::fill_n(u, int64_t(m) * u_cols, not_a_number<T>());
    if (vectors) std::fill_n(vh, int64_t(v_rows) * n, not_a_number<T>());
  });
}

// Left vectors u of A^T: u^H A^T = w u^H, so A conj(u) = w conj(u).
template <class R>
int left_vectors(int n, R* a, std::complex<R>* w, std::complex<R>* u) {
  std::vector<R> re(static_cast<size_t>(n)), im(static_cast<size_t>(n)), packed(size_t(n) * size_t(n));
  const int info = geev(n, a, re.data(), im.data(), packed.data());
  for (int64_t j = 0; j < n; ++j) {
    w[j] = {re[size_t(j)], im[size_t(j)]};
    const bool first = im[size_t(j)] > 0, second = im[size_t(j)] < 0 && j > 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto at = [&](int64_t column) { return packed[size_t(column * n + i)]; };
      u[j * n + i] = first && j + 1 < n ? std::complex<R>(at(j), at(j + 1))
                     : second           ? std::complex<R>(at(j - 1), -at(j))
                                        : std::complex<R>(at(j));
    }
  }
  return info;
}
template <class R>
int left_vectors(int n, std::complex<R>* a, std::complex<R>* w, std::complex<R>* u) {
  return geev(n, a, w, u);
}

template <class T>
void run_eig(const KernelArgs& args) {
  using C = std::complex<Real<T>>;
  const Matrices<T> a(args.in[0]);
  const Matrices<C> v(args.out[1]);
  const int n = a.n;
  one_at_a_time(n == 0 ? 0 : a.count, [&](int64_t i) {
    C* w = args.out[0].as<C>() + i * n;
    std::vector<T> work(a.at(i), a.at(i) + a.size());
    std::vector<C> left(work.size());
    if (!all_finite(a.at(i), a.size()) || left_vectors(n, work.data(), w, left.data()) != 0) {
      std::fill_n(w, n, not_a_number<C>());
      std::fill_n(v.at(i), v.size(), not_a_number<C>());
      return;
    }
    for (C& x : left) x = std::conj(x);
    transpose(left.data(), v.at(i), n, n);
  });
}

}  // namespace

std::vector<KernelInfo> linalg_spectral_kernels() {
  return {HEARTH_LINALG_KERNEL("qr", run_qr), HEARTH_LINALG_KERNEL("eigh", run_eigh),
          HEARTH_LINALG_KERNEL("svd", run_svd), HEARTH_LINALG_KERNEL("eig", run_eig)};
}

}  // namespace hearth
