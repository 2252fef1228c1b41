// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vector types of 64-bit floats and of integers for the templates over V, through the compiler's own vectors. Included
// by kernel files only.
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <utility>

#include "ops/matmul/gemm_simd.h"

namespace hearth {
namespace {

template <class T, int kBytes>
struct WideVec {
  typedef T reg __attribute__((vector_size(kBytes)));
  using element = T;
  static constexpr DType dtype = dtype_of<T>;
  static constexpr int lanes = kBytes / int(sizeof(T)), k_step = 1;

  static HEARTH_INLINE reg zero() { return reg{}; }
  static HEARTH_INLINE reg set1(T x) { return reg{} + x; }
  static HEARTH_INLINE reg load(const T* p) { return load_as<dtype>(p); }
  static HEARTH_INLINE reg load_part(const T* p, int64_t n) { return load_as_part<dtype>(p, n); }
  static HEARTH_INLINE void store(T* p, reg x) { __builtin_memcpy(p, &x, sizeof x); }
  static HEARTH_INLINE void store_part(T* p, reg x, int64_t n) { store_as<dtype>(p, x, n); }
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return a * b + c; }
  static HEARTH_INLINE reg add_scaled(reg init, reg alpha, reg x) { return init + alpha * x; }

  // Narrower integers are widened without a sign: only their low bits get into the low bits of a sum.
  template <DType kType>
  struct Stored {
    using type = T;
  };
  template <DType kType>
  requires(size_bytes(kType) == 1) struct Stored<kType> {
    using type = uint8_t;
  };
  template <DType kType>
  requires(size_bytes(kType) == 2) struct Stored<kType> {
    using type = uint16_t;
  };
  template <DType kType>
  static HEARTH_INLINE reg load_as(const void* p) {
    typedef typename Stored<kType>::type stored __attribute__((vector_size(lanes * size_bytes(kType))));
    stored x;
    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, reg);
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as_part(const void* p, int64_t n) {
    typename Stored<kType>::type x[lanes] = {};
    __builtin_memcpy(x, p, static_cast<unsigned long>(n) * sizeof x[0]);
    return load_as<kType>(x);
  }
  template <DType kType>
  static HEARTH_INLINE void store_as(void* p, reg x, int64_t n) {
    typedef typename Stored<kType>::type stored __attribute__((vector_size(lanes * size_bytes(kType))));
    const stored y = __builtin_convertvector(x, stored);
    if (n == lanes)
      __builtin_memcpy(p, &y, sizeof y);
    else
      __builtin_memcpy(p, &y, static_cast<unsigned long>(n * size_bytes(kType)));
  }

  // Lane i of low(a, b, s): where bit s of i is clear a's lane i, else b's lane i - s; high: a's lane i + s, b's i.
  template <int s, int... i>
  static HEARTH_INLINE void exchange(reg& a, reg& b, std::integer_sequence<int, i...>) {
    const reg low = __builtin_shufflevector(a, b, (i & s ? lanes + i - s : i)...);
    const reg high = __builtin_shufflevector(a, b, (i & s ? lanes + i : i + s)...);
    a = low;
    b = high;
  }
  template <int s>
  static HEARTH_INLINE void exchange_all(reg (&x)[lanes]) {
    HEARTH_UNROLL for (int i = 0; i < lanes; ++i) {
      if ((i & s) == 0) exchange<s>(x[i], x[i + s], std::make_integer_sequence<int, lanes>());
    }
  }
  static HEARTH_INLINE void transpose(reg (&x)[lanes]) {
    exchange_all<1>(x);
    if constexpr (lanes > 2) exchange_all<2>(x);
    if constexpr (lanes > 4) exchange_all<4>(x);
    if constexpr (lanes > 8) exchange_all<8>(x);
  }
};

// The widest that the file may use.
#if defined(__AVX512F__)
struct Doubles : WideVec<double, 64> {
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return _mm512_fmadd_pd(a, b, c); }
  static HEARTH_INLINE __mmask8 first(int64_t n) { return static_cast<__mmask8>((1u << n) - 1); }
  static HEARTH_INLINE reg load_part(const double* p, int64_t n) { return _mm512_maskz_loadu_pd(first(n), p); }
  static HEARTH_INLINE void store_part(double* p, reg x, int64_t n) { _mm512_mask_storeu_pd(p, first(n), x); }
};
#elif defined(__FMA__)
struct Doubles : WideVec<double, 32> {
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return _mm256_fmadd_pd(a, b, c); }
};
#else
using Doubles = WideVec<double, 16>;
#endif

}  // namespace
}  // namespace hearth
