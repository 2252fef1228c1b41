// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels of this folder share: element types, and the matrices of a batch, one a task.

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "base/threads.h"
#include "device/kernel.h"
#include "ops/linalg/lapack.h"
#include "ops/linalg/linalg_types.h"

// The entry of kernel `name`, whose function is a template of the element type.
#define HEARTH_LINALG_KERNEL(name, run)                                                                 \
  KernelInfo {                                                                                          \
    name,                                                                                               \
        [](const KernelArgs& args) {                                                                    \
          with_element(args.in[0].dtype(), [&](auto zero) { run<decltype(zero)>(args); });              \
        },                                                                                              \
        [](const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) { \
          check_linalg(name, in, out, attrs);                                                           \
        }                                                                                               \
  }

namespace hearth {

// LAPACK as Debian builds it keeps what it works on in static variables: calls from two threads give wrong numbers
// (measured: eigenvectors of a batch, one run in two). So the process makes one call at a time.
inline std::mutex& lapack_mutex() {
  static std::mutex mutex;
  return mutex;
}
template <class Body>
void one_at_a_time(int64_t count, Body body) {
  const std::lock_guard lock(lapack_mutex());
  for (int64_t i = 0; i < count; ++i) body(i);
}

std::vector<KernelInfo> linalg_factor_kernels();    // cholesky, triangular_solve, lu, permute_rows
std::vector<KernelInfo> linalg_spectral_kernels();  // qr, eigh, svd, eig

namespace lapack {

// Calls body(zero of the element type).
template <class Body>
void with_element(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32: return body(float{});
    case DType::f64: return body(double{});
    case DType::complex64: return body(std::complex<float>{});
    case DType::complex128: return body(std::complex<double>{});
    default: HEARTH_FAIL(bug, "linalg: kernel of ", dtype);
  }
}

template <class T>
struct Matrices {
  T* data;
  int m, n;
  int64_t count;

  explicit Matrices(const TensorArg& x) : data(x.as<T>()), m(int(x.dim(-2))), n(int(x.dim(-1))), count(1) {
    for (int64_t i = 0; i + 2 < x.type->rank(); ++i) count *= x.dim(i);
  }
  int64_t size() const { return int64_t(m) * n; }
  T* at(int64_t i) const { return data + i * size(); }
};

template <class T>
T not_a_number() {
  const Real<T> nan = std::numeric_limits<Real<T>>::quiet_NaN();
  if constexpr (is_complex_number<T>)
    return {nan, nan};
  else
    return nan;
}

template <class T>
bool all_finite(const T* x, int64_t n) {
  const auto* parts = reinterpret_cast<const Real<T>*>(x);
  const int64_t count = n * int64_t(sizeof(T) / sizeof(Real<T>));
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(parts[i])) return false;
  }
  return true;
}

// to[j, i] = from[i, j]; from is [m, n]
template <class T>
void transpose(const T* from, T* to, int64_t m, int64_t n) {
  constexpr int64_t kTile = 16;
  for (int64_t i0 = 0; i0 < m; i0 += kTile) {
    for (int64_t j0 = 0; j0 < n; j0 += kTile) {
      for (int64_t i = i0; i < std::min(m, i0 + kTile); ++i) {
        for (int64_t j = j0; j < std::min(n, j0 + kTile); ++j) to[j * m + i] = from[i * n + j];
      }
    }
  }
}

}  // namespace lapack
}  // namespace hearth
