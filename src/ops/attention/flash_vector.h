// SPDX-License-Identifier: Apache-2.0
#pragma once
// One vector type per instruction set, chosen by the compiler's flags. Included once by each flash_<isa>.cc: everything
// here and in the other flash_*.h kernels is in an anonymous namespace and uses no library templates, so that code
// compiled for a newer processor can never be picked by the linker for an older one.

#include <cstdint>

#include "base/dtype.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

// kTileRows x kTileVectors accumulators fill the register file: 24 of 32 with AVX-512, 12 of 16 otherwise. With AMX two
// vectors: two tiles side by side.
#if defined(__AVX512F__)
constexpr int kLanes = 16, kTileRows = 8;
#elif defined(__AVX2__)
constexpr int kLanes = 8, kTileRows = 4;
#else
constexpr int kLanes = 4, kTileRows = 4;
#endif
#if defined(__AMX_TILE__) || defined(__AMXTILE__)  // the second is what clang 14 says
constexpr int kTileVectors = 2;
#else
constexpr int kTileVectors = 3;
#endif
#if defined(__AVX512BF16__)
constexpr bool kDotBf16 = true;
#else
constexpr bool kDotBf16 = false;
#endif

typedef float F __attribute__((vector_size(kLanes * 4)));
typedef int32_t I __attribute__((vector_size(kLanes * 4)));
typedef uint16_t H __attribute__((vector_size(kLanes * 2)));
typedef float UnalignedF __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t UnalignedI __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint16_t UnalignedH __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

#define HEARTH_INLINE inline __attribute__((always_inline))

HEARTH_INLINE F splat(float x) {
#if defined(__AVX512F__)
  return F(_mm512_set1_ps(x));
#elif defined(__AVX2__)
  return F(_mm256_set1_ps(x));
#elif defined(__SSE2__)
  return F(_mm_set1_ps(x));
#else
  return F{x, x, x, x};
#endif
}
HEARTH_INLINE I splat_int(int32_t x) { return I{} + x; }

HEARTH_INLINE F multiply_add(F a, F b, F c) {
#if defined(__AVX512F__)
  return F(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__AVX2__)
  return F(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#else
  return a * b + c;
#endif
}

// c + a*b of the words of a tile: one f32 each, or (kPair) two bf16, of which both products are added.
template <bool kPair>
HEARTH_INLINE F word_multiply_add(F a, F b, F c) {
#if defined(__AVX512BF16__)
  if (kPair) return F(_mm512_dpbf16_ps(__m512(c), __m512bh(a), __m512bh(b)));
#endif
  return multiply_add(a, b, c);
}

// a > b ? a : b, so b when either is NaN. Written out, GCC 12 makes a comparison and a masked move of it.
HEARTH_INLINE F larger(F a, F b) {
#if defined(__AVX512F__)
  return F(_mm512_maskz_max_ps(0xffff, __m512(a), __m512(b)));
#elif defined(__AVX2__)
  return F(_mm256_max_ps(__m256(a), __m256(b)));
#elif defined(__SSE2__)
  return F(_mm_max_ps(__m128(a), __m128(b)));
#else
  return a > b ? a : b;
#endif
}

HEARTH_INLINE F load(const float* p) { return *reinterpret_cast<const UnalignedF*>(p); }
HEARTH_INLINE F load(const bf16* p) {
  return F(__builtin_convertvector(H(*reinterpret_cast<const UnalignedH*>(p)), I) << 16);
}
// The masked forms keep GCC 12 from warning inside its own headers.
HEARTH_INLINE F load(const f16* p) {
#if defined(__AVX512F__)
  return F(_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__AVX2__)
  return F(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
  F x;
  for (int i = 0; i < kLanes; ++i) x[i] = f16_to_f32(p[i].bits);
  return x;
#endif
}

HEARTH_INLINE void store(float* p, F x) { *reinterpret_cast<UnalignedF*>(p) = x; }
HEARTH_INLINE void store(bf16* p, F x) {
#if defined(__AVX512BF16__)
  const __m256bh rounded = _mm512_cvtneps_pbh(__m512(x));
  __builtin_memcpy(static_cast<void*>(p), &rounded, sizeof rounded);
#else
  const I bits = I(x);
  const I rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // to nearest even, as bf16(float)
  const I quiet = (bits >> 16) | 0x40;
  *reinterpret_cast<UnalignedH*>(p) = __builtin_convertvector(x == x ? rounded : quiet, H);
#endif
}
HEARTH_INLINE void store(f16* p, F x) {
#if defined(__AVX512F__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_maskz_cvtps_ph(0xffff, __m512(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__AVX2__)
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(__m256(x), _MM_FROUND_TO_NEAREST_INT));
#else
  for (int i = 0; i < kLanes; ++i) p[i].bits = f32_to_f16(x[i]);
#endif
}

// The first n of kLanes elements; the others read as 0 and are not written.
template <class T>
HEARTH_INLINE F load_part(const T* p, int64_t n) {
  if (n >= kLanes) return load(p);
  T part[kLanes];
  __builtin_memset(static_cast<void*>(part), 0, sizeof part);
  for (int64_t i = 0; i < n; ++i) part[i] = p[i];
  return load(part);
}
template <class T>
HEARTH_INLINE void store_part(T* p, F x, int64_t n) {
  if (n >= kLanes) return store(p, x);
  T part[kLanes];
  store(part, x);
  for (int64_t i = 0; i < n; ++i) p[i] = part[i];
}

// Interleaves the lower (upper) halves: a0 b0 a1 b1 ...
#if defined(__AVX512F__)
HEARTH_INLINE F zip_low(F a, F b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
HEARTH_INLINE F zip_high(F a, F b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif defined(__AVX2__)
HEARTH_INLINE F zip_low(F a, F b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
HEARTH_INLINE F zip_high(F a, F b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
HEARTH_INLINE F zip_low(F a, F b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
HEARTH_INLINE F zip_high(F a, F b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

// sum[0] = the sum of the lanes of each of kCount vectors, in order; pairwise, so that no lane is idle.
template <int kCount>
HEARTH_INLINE void fold(F* sum) {
#pragma GCC unroll 8
  for (int i = 0; i < kCount / 2; ++i)
    sum[i] = zip_low(sum[i], sum[i + kCount / 2]) + zip_high(sum[i], sum[i + kCount / 2]);
  if constexpr (kCount > 2) fold<kCount / 2>(sum);
}

// Transposes kLanes x kLanes words: log2(kLanes) perfect shuffles of the rows.
HEARTH_INLINE void transpose(F* rows) {
#pragma GCC unroll 4
  for (int step = 1; step < kLanes; step *= 2) {
    F next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = zip_low(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = zip_high(rows[i], rows[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

// 2^x for x <= 127; 0 below -126.5 (and for -inf), NaN for NaN. A polynomial of degree 6 on [-1/2,1/2], fitted for
// relative error: 2^-29, less than what its own rounding adds. At most 1.5 ulp in all, measured in flash_test.cc.
HEARTH_INLINE F exp2_poly(F x) {
  // Adding 1.5 * 2^23 rounds to an integer. With 127 more its low bits are the exponent of the power, which is 0 at
  // -127, and so is the power.
  const F magic = splat(12582912.0f + 127.0f);
  const F t = larger(splat(-127.0f), x);
  const F shifted = t + magic, f = t - (shifted - magic);
  F y = splat(0.00015345803694799542f);
  y = multiply_add(y, f, splat(0.0013399930903688073f));
  y = multiply_add(y, f, splat(0.009618489071726799f));
  y = multiply_add(y, f, splat(0.05550328642129898f));
  y = multiply_add(y, f, splat(0.24022646248340607f));
  y = multiply_add(y, f, splat(0.6931471824645996f));
  y = multiply_add(y, f, splat(1.0f));
  return y * F(I(shifted) << 23);
}

[[maybe_unused]] void exp2_all(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) store_part(y + i, exp2_poly(load_part(x + i, n - i)), n - i);
}

constexpr float kLog2E = 1.44269504088896341f, kLn2 = 0.69314718055994531f;
constexpr float kInfinity = __builtin_inff();

HEARTH_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
HEARTH_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }
HEARTH_INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

}  // namespace
}  // namespace hearth
