// SPDX-License-Identifier: Apache-2.0
#pragma once
// The 512-bit vector type of the avx512, avx512_bf16 and amx kernels. Included by those files only.

// GCC 12 takes the undefined pass-through operands of its own intrinsics for mistakes (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "ops/matmul/gemm_simd_broadcast.h"
#include "ops/matmul/gemm_simd_dot.h"
#include "ops/matmul/gemm_simd_pack.h"
#include "ops/matmul/gemm_simd_tile.h"

namespace hearth {
namespace {

struct Vec16 {
  using reg = __m512;
  using element = float;
  static constexpr DType dtype = DType::f32;
  static constexpr int lanes = 16, k_step = 1;

  static HEARTH_INLINE __mmask16 first(int64_t n) { return static_cast<__mmask16>((1u << n) - 1); }
  static HEARTH_INLINE reg zero() { return _mm512_setzero_ps(); }
  static HEARTH_INLINE reg set1(float x) { return _mm512_set1_ps(x); }
  // kGroup elements of 32 bits, again and again.
  template <int kGroup>
  static HEARTH_INLINE reg repeat_group(const void* p) {
    if constexpr (kGroup == 4) return _mm512_broadcast_f32x4(_mm_loadu_ps(static_cast<const float*>(p)));
    if constexpr (kGroup == 2) {
      double pair;
      __builtin_memcpy(&pair, p, 8);
      return _mm512_castpd_ps(_mm512_set1_pd(pair));
    }
    float one;
    __builtin_memcpy(&one, p, 4);
    return set1(one);
  }
  static HEARTH_INLINE reg load(const float* p) { return _mm512_loadu_ps(p); }
  static HEARTH_INLINE reg load_part(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static HEARTH_INLINE void store(float* p, reg x) { _mm512_storeu_ps(p, x); }
  static HEARTH_INLINE void store_part(float* p, reg x, int64_t n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return _mm512_fmadd_ps(a, b, c); }
  static HEARTH_INLINE reg add_scaled(reg init, reg alpha, reg x) { return _mm512_fmadd_ps(alpha, x, init); }
  static HEARTH_INLINE reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
  static HEARTH_INLINE float sum(reg x) { return _mm512_reduce_add_ps(x); }

  static HEARTH_INLINE reg from_bf16(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as(const void* p) {
    if constexpr (kType == DType::f32) return _mm512_loadu_ps(p);
    const __m256i half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
    return kType == DType::bf16 ? from_bf16(half) : _mm512_cvtph_ps(half);
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as_part(const void* p, int64_t n) {
    if constexpr (kType == DType::f32) return _mm512_maskz_loadu_ps(first(n), p);
    const __m256i half = _mm256_maskz_loadu_epi16(first(n), p);
    return kType == DType::bf16 ? from_bf16(half) : _mm512_cvtph_ps(half);
  }
  // Rounds to nearest even in integers: the processor's own conversion to bf16 would flush denormals.
  static HEARTH_INLINE __m256i to_bf16(reg x) {
    const __m512i bits = _mm512_castps_si512(x), high = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16);
    const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), quiet));
  }
  template <DType kType>
  static HEARTH_INLINE void store_as(void* p, reg x, int64_t n) {
    if constexpr (kType == DType::f32) {
      if (n == lanes) return _mm512_storeu_ps(p, x);
      _mm512_mask_storeu_ps(p, first(n), x);
    } else {
      const __m256i half =
          kType == DType::bf16 ? to_bf16(x) : _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      if (n == lanes) return _mm256_storeu_si256(static_cast<__m256i*>(p), half);
      _mm256_mask_storeu_epi16(p, first(n), half);
    }
  }

  static HEARTH_INLINE void transpose(reg (&x)[16]) {
    __m512 t[16];
    HEARTH_UNROLL for (int i = 0; i < 16; i += 4) {  // 4x4 blocks inside each 128-bit lane
      const __m512 a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
      const __m512 c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
      t[i] = _mm512_shuffle_ps(a, c, 0x44);
      t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
      t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
      t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) {  // then the 4x4 lanes
      const __m512 a = _mm512_shuffle_f32x4(t[i], t[i + 4], 0x88), b = _mm512_shuffle_f32x4(t[i], t[i + 4], 0xdd);
      const __m512 c = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0x88),
                   d = _mm512_shuffle_f32x4(t[i + 8], t[i + 12], 0xdd);
      x[i] = _mm512_shuffle_f32x4(a, c, 0x88);
      x[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
      x[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
      x[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
  }
};

}  // namespace
}  // namespace hearth
