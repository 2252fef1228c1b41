// SPDX-License-Identifier: Apache-2.0
#pragma once
// The 256-bit vector type of the avx2 kernels. Included by those files only.
#include <immintrin.h>

#include "ops/matmul/gemm_simd.h"

namespace hearth {
namespace {

struct Vec8 {
  using reg = __m256;
  using element = float;
  static constexpr DType dtype = DType::f32;
  static constexpr int lanes = 8, k_step = 1;

  static HEARTH_INLINE __m256i first(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static HEARTH_INLINE reg zero() { return _mm256_setzero_ps(); }
  static HEARTH_INLINE reg set1(float x) { return _mm256_set1_ps(x); }
  static HEARTH_INLINE reg load(const float* p) { return _mm256_loadu_ps(p); }
  static HEARTH_INLINE reg load_part(const float* p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
  static HEARTH_INLINE void store(float* p, reg x) { _mm256_storeu_ps(p, x); }
  // Not maskstore, which takes tens of cycles on AMD processors.
  static HEARTH_INLINE void store_part(float* p, reg x, int64_t n) {
    __m128 part = _mm256_castps256_ps128(x);
    if (n >= 8) return _mm256_storeu_ps(p, x);
    if (n & 4) {
      _mm_storeu_ps(p, part);
      part = _mm256_extractf128_ps(x, 1);
      p += 4;
    }
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
      part = _mm_movehl_ps(part, part);
      p += 2;
    }
    if (n & 1) _mm_store_ss(p, part);
  }
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return _mm256_fmadd_ps(a, b, c); }
  static HEARTH_INLINE reg add_scaled(reg init, reg alpha, reg x) { return _mm256_fmadd_ps(alpha, x, init); }
  static HEARTH_INLINE reg add(reg a, reg b) { return _mm256_add_ps(a, b); }
  static HEARTH_INLINE float sum(reg x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }

  template <DType kType>
  static HEARTH_INLINE reg from_half(__m128i x) {
    if constexpr (kType == DType::f16) return _mm256_cvtph_ps(x);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as(const void* p) {
    if constexpr (kType == DType::f32)
      return _mm256_loadu_ps(static_cast<const float*>(p));
    else
      return from_half<kType>(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as_part(const void* p, int64_t n) {
    if constexpr (kType == DType::f32) {
      return _mm256_maskload_ps(static_cast<const float*>(p), first(n));
    } else {
      alignas(16) char buffer[16] = {};
      __builtin_memcpy(buffer, p, static_cast<unsigned long>(n) * 2);
      return from_half<kType>(_mm_load_si128(reinterpret_cast<const __m128i*>(buffer)));
    }
  }
  static HEARTH_INLINE __m128i to_bf16(reg x) {  // to nearest even; NaN stays NaN
    const __m256i bits = _mm256_castps_si256(x), high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i words = _mm256_blendv_epi8(rounded, quiet, nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
  template <DType kType>
  static HEARTH_INLINE void store_as(void* p, reg x, int64_t n) {
    if constexpr (kType == DType::f32) {
      store_part(static_cast<float*>(p), x, n);
    } else {
      alignas(16) char buffer[16];
      const __m128i half =
          kType == DType::bf16 ? to_bf16(x) : _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      if (n == 8) return _mm_storeu_si128(static_cast<__m128i*>(p), half);
      _mm_store_si128(reinterpret_cast<__m128i*>(buffer), half);
      __builtin_memcpy(p, buffer, static_cast<unsigned long>(n) * 2);
    }
  }

  static HEARTH_INLINE void transpose(reg (&x)[8]) {
    __m256 t[8];
    HEARTH_UNROLL for (int i = 0; i < 8; i += 4) {
      const __m256 a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
      const __m256 c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
      t[i] = _mm256_shuffle_ps(a, c, 0x44);
      t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
      t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
      t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {
      x[i] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x20);
      x[i + 4] = _mm256_permute2f128_ps(t[i], t[i + 4], 0x31);
    }
  }
};

}  // namespace
}  // namespace hearth
