// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products of bf16 pairs: a 32-bit lane holds elements k and k+1. Included by the avx512_bf16 and amx files only.

#include "ops/matmul/gemm_avx512.h"

namespace hearth {
namespace {

// The processor's pair product: c + a0 b0 + a1 b1 in f32, denormal inputs as 0.
struct Vec16Pairs : Vec16 {
  static constexpr int k_step = 2;
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
  // bf16 leaves by the processor's own conversion, which makes denormals 0 as the product does.
  template <DType kType>
  static HEARTH_INLINE void store_as(void* p, reg x, int64_t n) {
    if constexpr (kType == DType::bf16) {
      const __m256i half = reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x));
      if (n == lanes) return _mm256_storeu_si256(static_cast<__m256i*>(p), half);
      _mm256_mask_storeu_epi16(p, first(n), half);
    } else {
      Vec16::store_as<kType>(p, x, n);
    }
  }
};

// Reads bf16 as pairs along k.
struct PairSource {
  using reg = __m512;
  static constexpr int k_step = 2, bytes = 2;
  static HEARTH_INLINE reg along_k(const char* p) { return _mm512_loadu_ps(p); }
  static HEARTH_INLINE reg along_k_part(const char* p, int64_t elements) {
    const __mmask32 first = elements >= 32 ? ~0u : (1u << elements) - 1;
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(first, p));
  }
  // 16 columns of rows k and k+1, which lie next_k bytes apart; the second may be beyond the end.
  static HEARTH_INLINE reg along_i(const char* p, int64_t next_k, int64_t elements, int64_t lanes) {
    const __mmask16 mask = Vec16::first(lanes);
    const __m512i even = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p));
    if (elements < 2) return _mm512_castsi512_ps(even);
    const __m512i odd = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, p + next_k));
    return _mm512_castsi512_ps(_mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
  }
};

template <int kWidth>
static void pack_pairs(const PanelSource& s, void* panel) {
  pack_panel<Vec16, PairSource>(s, kWidth, (s.k + 1) / 2, static_cast<float*>(panel));
}

}  // namespace
}  // namespace hearth
