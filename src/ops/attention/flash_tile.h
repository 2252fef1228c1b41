// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packed tiles and their products, for one instruction set (see flash_vector.h).
//
// A tile is made of 32-bit words: one f32 each (f16 and bf16 are widened while packing, so that they cost what f32
// costs), or, where the processor multiplies bf16, a pair of bf16 that are neighbours along the axis a product sums
// over. The same micro-kernel serves both: a pair halves the number of words.

#include "ops/attention/flash_vector.h"

namespace hearth {
namespace {

constexpr int64_t kPanel = kLanes * kTileVectors;  // rows side by side in the lanes of one register tile

template <class T>
constexpr bool kIsPair = false;
template <>
constexpr bool kIsPair<bf16> = kDotBf16;

template <class T>
HEARTH_INLINE int64_t words_of(int64_t n) {
  return kIsPair<T> ? (n + 1) / 2 : n;
}

// kLanes words of one row, of which n elements exist.
template <class T>
HEARTH_INLINE F load_words(const T* p, int64_t n) {
  if constexpr (kIsPair<T>) {
    F words;  // copied, as rows of odd D are aligned to 2 bytes only
    if (n >= 2 * kLanes) {
      __builtin_memcpy(&words, static_cast<const void*>(p), sizeof words);
      return words;
    }
    uint16_t part[2 * kLanes] = {};
    for (int64_t i = 0; i < n; ++i) part[i] = p[i].bits;
    __builtin_memcpy(&words, part, sizeof words);
    return words;
  } else {
    return load_part(p, n);
  }
}

// Two vectors of f32, the even and the odd elements of pairs, as words. Without pairs never called.
HEARTH_INLINE F pair_words(F even, F odd) {
#if defined(__AVX512BF16__)
  const __m512i both = __m512i(_mm512_cvtne2ps_pbh(__m512(odd), __m512(even)));  // even in the lower half
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return F(_mm512_permutexvar_epi16(order, both));
#else
  return even + odd;
#endif
}

// A NaN in the result tells that something packed was not finite: x * 0 is 0 for finite x only. Or, not a sum: its
// latency would bound packing.
template <class T>
HEARTH_INLINE F poison(F words, F sum) {
  return F(I(word_multiply_add<kIsPair<T>>(words, F{}, F{})) | I(sum));
}
HEARTH_INLINE bool any_nan(F x) {
  bool found = false;
  for (int i = 0; i < kLanes; ++i) found |= x[i] != x[i];
  return found;
}

// The three packings take pointers to rows of D elements; a null row is zeros. The first two collect poison in bad.

// tile[i][word of d] of n rows and zeros up to padded; ld words per row, a multiple of kLanes.
template <class T>
HEARTH_INLINE void pack_rows(const T* const* rows, int64_t n, int64_t padded, int64_t head_size, float* tile,
                             int64_t ld, F* bad) {
  constexpr int64_t step = kLanes * (kIsPair<T> ? 2 : 1);
  F sum = *bad;
  for (int64_t i = 0; i < padded; ++i, tile += ld) {
    int64_t w = 0, d = 0;
    if (i < n && rows[i]) {
      for (; d + step <= head_size; w += kLanes, d += step) {
        const F words = load_words(rows[i] + d, step);
        sum = poison<T>(words, sum);
        store(tile + w, words);
      }
      if (d < head_size) {
        const F words = load_words(rows[i] + d, head_size - d);
        sum = poison<T>(words, sum);
        store(tile + w, words);
        w += kLanes;
      }
    }
    for (; w < ld; w += kLanes) store(tile + w, F{});
  }
  *bad = sum;
}

// kLanes elements of two bf16 rows as words of pairs; n exist.
template <class T>
HEARTH_INLINE F load_pairs(const T* even, const T* odd, int64_t n) {
  const I low = even ? I(load_part(even, n)) : I{}, high = odd ? I(load_part(odd, n)) : I{};
  return F(((low >> 16) & 0xffff) | high);
}

// tile[word of i][d]: pairs run over rows. Without pairs the same as pack_rows.
template <class T>
HEARTH_INLINE void pack_row_pairs(const T* const* rows, int64_t n, int64_t padded, int64_t head_size, float* tile,
                                  int64_t ld, F* bad) {
  if constexpr (!kIsPair<T>) {
    pack_rows(rows, n, padded, head_size, tile, ld, bad);
  } else {
    F sum = *bad;
    for (int64_t i = 0; i < padded; i += 2, tile += ld) {
      const T *even = i < n ? rows[i] : nullptr, *odd = i + 1 < n ? rows[i + 1] : nullptr;
      int64_t d = 0;
      for (; even && odd && d + kLanes <= head_size; d += kLanes) {
        const F words = load_pairs(even + d, odd + d, kLanes);
        sum = poison<T>(words, sum);
        store(tile + d, words);
      }
      for (; d < ld; d += kLanes) {
        const int64_t left = head_size - d;
        const F words = left > 0 ? load_pairs(even ? even + d : nullptr, odd ? odd + d : nullptr, left) : F{};
        sum = poison<T>(words, sum);
        store(tile + d, words);
      }
    }
    *bad = sum;
  }
}

// tile[word of d][i], kPanel words per row, for n <= kPanel rows; whole vectors of rows are written.
template <class T>
void pack_columns(const T* const* rows, int64_t n, int64_t head_size, float* tile) {
  constexpr int64_t step = kLanes * (kIsPair<T> ? 2 : 1);
  const int64_t words = words_of<T>(head_size);
  for (int64_t i0 = 0; i0 < n; i0 += kLanes) {
    for (int64_t w = 0, d = 0; w < words; w += kLanes, d += step) {
      F block[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const T* row = i0 + i < n ? rows[i0 + i] : nullptr;
        block[i] = row ? load_words(row + d, head_size - d) : F{};
      }
      transpose(block);
      for (int64_t i = 0; i < min_of(kLanes, words - w); ++i) store(tile + (w + i) * kPanel + i0, block[i]);
    }
  }
}

// rows[i][d] = tile[d][i] * factor[i], the way back; row i of the result begins at rows[i], null ones are left out.
template <class T>
void unpack_columns(const float* tile, const float* factor, int64_t n, int64_t head_size, T* const* rows) {
  for (int64_t i0 = 0; i0 < n; i0 += kLanes) {
    const F by = load(factor + i0);
    for (int64_t d = 0; d < head_size; d += kLanes) {
      F block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) block[i] = d + i < head_size ? load(tile + (d + i) * kPanel + i0) * by : F{};
      transpose(block);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kLanes; ++i)
        if (i < n - i0 && rows[i0 + i]) store_part(rows[i0 + i] + d, block[i], head_size - d);
    }
  }
}

enum class Into { set, add, scale_and_add };

// C[kRows][kVectors*kLanes] (=, +=, = scale C +) sum_k A[i,k] B[k,:]. kAcross: element (i,k) of A is a[k*a_step + i],
// otherwise a[i*a_step + k]. Bound by the multiply-adds: 24 of them for 11 loads with AVX-512.
template <bool kPair, bool kAcross, Into kInto, int kVectors, int kRows = kTileRows>
HEARTH_INLINE void tile_product(int64_t count, const float* a, int64_t a_step, const float* b, int64_t b_step, float* c,
                                int64_t c_step, const F* scale) {
  F sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      if constexpr (kInto == Into::set) sum[i][j] = F{};
      if constexpr (kInto == Into::add) sum[i][j] = load(c + i * c_step + j * kLanes);
      if constexpr (kInto == Into::scale_and_add) sum[i][j] = load(c + i * c_step + j * kLanes) * scale[j];
    }
  for (int64_t k = 0; k < count; ++k) {
    F right[kVectors];
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) right[j] = load(b + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const F left = splat(kAcross ? a[i] : a[i * a_step]);
#pragma GCC unroll 4
      for (int j = 0; j < kVectors; ++j) sum[i][j] = word_multiply_add<kPair>(left, right[j], sum[i][j]);
    }
    a += kAcross ? a_step : 1;
    b += b_step;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) store(c + i * c_step + j * kLanes, sum[i][j]);
}

// One column of register tiles: C[rows rounded up][kVectors*kLanes].
template <bool kPair, bool kAcross, Into kInto, int kVectors>
void column_product(int64_t rows, int64_t count, const float* a, int64_t a_step, const float* b, int64_t b_step,
                    float* c, int64_t c_step, const F* scale) {
  for (int64_t i = 0; i < rows; i += kTileRows)
    tile_product<kPair, kAcross, kInto, kVectors>(count, kAcross ? a + i : a + i * a_step, a_step, b, b_step,
                                                  c + i * c_step, c_step, scale);
}

// A panel of 1 to kTileVectors vectors.
template <bool kPair, bool kAcross, Into kInto>
void panel_product(int vectors, int64_t rows, int64_t count, const float* a, int64_t a_step, const float* b,
                   int64_t b_step, float* c, int64_t c_step, const F* scale = nullptr) {
  const auto product = vectors == 3   ? column_product<kPair, kAcross, kInto, 3>
                       : vectors == 2 ? column_product<kPair, kAcross, kInto, 2>
                                      : column_product<kPair, kAcross, kInto, 1>;
  product(rows, count, a, a_step, b, b_step, c, c_step, scale);
}

// Element k of a packed axis: of words without pairs, or the half of a word.
template <bool kPair>
HEARTH_INLINE float element(const float* words, int64_t k, int64_t k_step) {
  if (!kPair) return words[k * k_step];
  const uint32_t word = __builtin_bit_cast(uint32_t, words[k / 2 * k_step]);
  return __builtin_bit_cast(float, k % 2 ? word & 0xffff0000u : word << 16);
}

// C += A B as tile_product, one by one, where a weight of 0 hides whatever it multiplies. For the rare tile that has
// hidden keys and values that are not finite: 0 * NaN would reach rows that may not see it. The weights are B when
// kAcross.
template <bool kPair, bool kAcross>
void product_of_visible(int64_t columns, int64_t rows, int64_t count, const float* a, int64_t a_step, const float* b,
                        int64_t b_step, float* c, int64_t c_step) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t k = 0; k < count; ++k) {
        const float x = kAcross ? element<kPair>(a + i, k, a_step) : element<kPair>(a + i * a_step, k, 1);
        const float y = element<kPair>(b + j, k, b_step);
        if ((kAcross ? y : x) != 0) c[i * c_step + j] += x * y;
      }
}

}  // namespace
}  // namespace hearth
