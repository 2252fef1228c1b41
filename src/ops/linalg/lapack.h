// SPDX-License-Identifier: Apache-2.0
#pragma once
// LAPACK and BLAS by one name for the four element types. Matrices are theirs: column after column. Each returns
// LAPACK's info: 0, or positive where the matrix has no factorisation. Not safe for calls from several threads:
// linalg_kernels.h.

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#define lapack_complex_float std::complex<float>
#define lapack_complex_double std::complex<double>
#define LAPACK_COMPLEX_CUSTOM
#include <cblas.h>
#include <lapack.h>

#include "base/error.h"

namespace hearth::lapack {

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;
template <class T>
inline constexpr bool is_complex_number = !std::is_same_v<T, Real<T>>;

template <class T>
T conjugate(T x) {
  if constexpr (is_complex_number<T>)
    return std::conj(x);
  else
    return x;
}

// A routine is called twice: first to ask how much memory it wants. Its answer is a float that may be rounded down.
template <class T, class Call>
int with_workspace(Call call) {
  T wanted{};
  int info = call(&wanted, -1);
  if (info != 0) return info;
  const double size = std::ceil(double(std::real(wanted)) * (1 + 1e-6)) + 1;
  HEARTH_CHECK(size <= std::numeric_limits<int>::max(), unsupported,
               "linalg: a matrix is too large for LAPACK's 32-bit workspace");
  std::vector<T> work(size_t(std::max(1.0, size)));
  return call(work.data(), int(work.size()));
}

#define HEARTH_LAPACK_COMMON(T, x)                                  \
  inline int potrf(char uplo, int n, T* a) {                        \
    int info = 0;                                                   \
    LAPACK_##x##potrf(&uplo, &n, a, &n, &info);                     \
    return info;                                                    \
  }                                                                 \
  inline int getrf(int m, int n, T* a, int* pivots) {               \
    int info = 0;                                                   \
    LAPACK_##x##getrf(&m, &n, a, &m, pivots, &info);                \
    return info;                                                    \
  }                                                                 \
  inline int gelqf(int m, int n, T* a, int lda, T* tau) {           \
    return with_workspace<T>([&](T* work, int lwork) {              \
      int info = 0;                                                 \
      LAPACK_##x##gelqf(&m, &n, a, &lda, tau, work, &lwork, &info); \
      return info;                                                  \
    });                                                             \
  }
HEARTH_LAPACK_COMMON(float, s)
HEARTH_LAPACK_COMMON(double, d)
HEARTH_LAPACK_COMMON(std::complex<float>, c)
HEARTH_LAPACK_COMMON(std::complex<double>, z)
#undef HEARTH_LAPACK_COMMON

// The rows of Q of gelqf.
#define HEARTH_LAPACK_GLQ(T, routine)                                      \
  inline int make_rows(int m, int n, int k, T* a, int lda, const T* tau) { \
    return with_workspace<T>([&](T* work, int lwork) {                     \
      int info = 0;                                                        \
      LAPACK_##routine(&m, &n, &k, a, &lda, tau, work, &lwork, &info);     \
      return info;                                                         \
    });                                                                    \
  }
HEARTH_LAPACK_GLQ(float, sorglq)
HEARTH_LAPACK_GLQ(double, dorglq)
HEARTH_LAPACK_GLQ(std::complex<float>, cunglq)
HEARTH_LAPACK_GLQ(std::complex<double>, zunglq)
#undef HEARTH_LAPACK_GLQ

// Eigenvalues into w, vectors over a.
#define HEARTH_LAPACK_REAL(T, x)                                                                        \
  inline int eigh(char uplo, int n, T* a, T* w) {                                                       \
    const char job = 'V';                                                                               \
    const int liwork = 3 + 5 * n;                                                                       \
    std::vector<int> iwork(size_t(liwork), 0);                                                          \
    return with_workspace<T>([&](T* work, int lwork) {                                                  \
      int info = 0;                                                                                     \
      LAPACK_##x##syevd(&job, &uplo, &n, a, &n, w, work, &lwork, iwork.data(), &liwork, &info);         \
      return info;                                                                                      \
    });                                                                                                 \
  }                                                                                                     \
  inline int gesdd(char job, int m, int n, T* a, T* s, T* u, int ldu, T* vt, int ldvt) {                \
    std::vector<int> iwork(size_t(8) * size_t(std::min(m, n)));                                         \
    return with_workspace<T>([&](T* work, int lwork) {                                                  \
      int info = 0;                                                                                     \
      LAPACK_##x##gesdd(&job, &m, &n, a, &m, s, u, &ldu, vt, &ldvt, work, &lwork, iwork.data(), &info); \
      return info;                                                                                      \
    });                                                                                                 \
  }
HEARTH_LAPACK_REAL(float, s)
HEARTH_LAPACK_REAL(double, d)
#undef HEARTH_LAPACK_REAL

#define HEARTH_LAPACK_COMPLEX(T, R, x)                                                                                 \
  inline int eigh(char uplo, int n, T* a, R* w) {                                                                      \
    const char job = 'V';                                                                                              \
    const int liwork = 3 + 5 * n;                                                                                      \
    const double size = 1 + 5.0 * n + 2.0 * n * n;                                                                     \
    HEARTH_CHECK(size <= std::numeric_limits<int>::max(), unsupported, "eigh: ", n, " rows are too many for LAPACK");  \
    const int lrwork = int(size);                                                                                      \
    std::vector<int> iwork(size_t(liwork), 0);                                                                         \
    std::vector<R> rwork(size_t(lrwork), R(0));                                                                        \
    return with_workspace<T>([&](T* work, int lwork) {                                                                 \
      int info = 0;                                                                                                    \
      LAPACK_##x##heevd(&job, &uplo, &n, a, &n, w, work, &lwork, rwork.data(), &lrwork, iwork.data(), &liwork, &info); \
      return info;                                                                                                     \
    });                                                                                                                \
  }                                                                                                                    \
  inline int gesdd(char job, int m, int n, T* a, R* s, T* u, int ldu, T* vt, int ldvt) {                               \
    const size_t least = size_t(std::min(m, n)), most = size_t(std::max(m, n));                                        \
    std::vector<int> iwork(8 * least);                                                                                 \
    std::vector<R> rwork(least* std::max(5 * least + 7, 2 * most + 2 * least + 1) + 1);                                \
    return with_workspace<T>([&](T* work, int lwork) {                                                                 \
      int info = 0;                                                                                                    \
      LAPACK_##x##gesdd(&job, &m, &n, a, &m, s, u, &ldu, vt, &ldvt, work, &lwork, rwork.data(), iwork.data(), &info);  \
      return info;                                                                                                     \
    });                                                                                                                \
  }                                                                                                                    \
  /* Left vectors only. */                                                                                             \
  inline int geev(int n, T* a, T* w, T* left) {                                                                        \
    const char yes = 'V', no = 'N';                                                                                    \
    const int one = 1;                                                                                                 \
    std::vector<R> rwork(2 * size_t(n));                                                                               \
    return with_workspace<T>([&](T* work, int lwork) {                                                                 \
      int info = 0;                                                                                                    \
      LAPACK_##x##geev(&yes, &no, &n, a, &n, w, left, &n, nullptr, &one, work, &lwork, rwork.data(), &info);           \
      return info;                                                                                                     \
    });                                                                                                                \
  }
HEARTH_LAPACK_COMPLEX(std::complex<float>, float, c)
HEARTH_LAPACK_COMPLEX(std::complex<double>, double, z)
#undef HEARTH_LAPACK_COMPLEX

// Left vectors only; a pair of conjugate values has the parts of its vector in two columns.
#define HEARTH_LAPACK_GEEV(T, x)                                                                        \
  inline int geev(int n, T* a, T* w_re, T* w_im, T* left) {                                             \
    const char yes = 'V', no = 'N';                                                                     \
    const int one = 1;                                                                                  \
    return with_workspace<T>([&](T* work, int lwork) {                                                  \
      int info = 0;                                                                                     \
      LAPACK_##x##geev(&yes, &no, &n, a, &n, w_re, w_im, left, &n, nullptr, &one, work, &lwork, &info); \
      return info;                                                                                      \
    });                                                                                                 \
  }
HEARTH_LAPACK_GEEV(float, s)
HEARTH_LAPACK_GEEV(double, d)
#undef HEARTH_LAPACK_GEEV

// Row after row here: X of op(A) X = B (or X op(A) = B), over b.
struct Trsm {
  CBLAS_SIDE side;
  CBLAS_UPLO uplo;
  CBLAS_TRANSPOSE form;
  CBLAS_DIAG diag;
};
inline void trsm(const Trsm& t, int m, int n, const float* a, int lda, float* b) {
  cblas_strsm(CblasRowMajor, t.side, t.uplo, t.form, t.diag, m, n, 1, a, lda, b, n);
}
inline void trsm(const Trsm& t, int m, int n, const double* a, int lda, double* b) {
  cblas_dtrsm(CblasRowMajor, t.side, t.uplo, t.form, t.diag, m, n, 1, a, lda, b, n);
}
inline void trsm(const Trsm& t, int m, int n, const std::complex<float>* a, int lda, std::complex<float>* b) {
  const std::complex<float> one = 1;
  cblas_ctrsm(CblasRowMajor, t.side, t.uplo, t.form, t.diag, m, n, &one, a, lda, b, n);
}
inline void trsm(const Trsm& t, int m, int n, const std::complex<double>* a, int lda, std::complex<double>* b) {
  const std::complex<double> one = 1;
  cblas_ztrsm(CblasRowMajor, t.side, t.uplo, t.form, t.diag, m, n, &one, a, lda, b, n);
}

}  // namespace hearth::lapack
