// SPDX-License-Identifier: Apache-2.0
#pragma once
// Products of bf16 with AMX, and the packing of what they multiply.
//
// A piece is what one step takes of one operand, two tiles of 16 rows of 64 bytes: 32 elements of the summed axis
//   of 32 rows (left):      [2][16 rows][32 elements]
//   of 32 columns (right):  [2][16 pairs of elements][16 columns][2]
// A tile of words (pairs) that is transposed changes sides. Everything is padded with zeros to whole pieces: edges are
// rare and smaller tiles take the same time.

#include "base/amx_tiles.h"
#include "ops/attention/flash_rows.h"

namespace hearth {
namespace {

constexpr int64_t kSide = 32, kTileWords = 256, kPiece = 2 * kTileWords;  // kPiece counts words
static_assert(kPanel == kSide, "rows of a panel are the columns of a piece");

// 32 elements, of which n exist.
HEARTH_INLINE F load_piece_row(const bf16* p, int64_t n) {
  const __mmask32 exist = n >= kSide ? ~__mmask32(0) : n <= 0 ? 0 : (__mmask32(1) << n) - 1;
  return F(_mm512_maskz_loadu_epi16(exist, static_cast<const void*>(p)));
}

// Rows [next, end) that will be needed soon, of several tensors: row r is token r / heads of head first_head + r %
// heads. Other cores wrote them, and their strides hide them from the processor's own prefetch.
constexpr bool kFetchAhead = true;
class Soon {
 public:
  // At most three tensors.
  Soon(const AttentionCall& call, int64_t b, int64_t first_head, int64_t heads, int64_t next, int64_t end)
      : b_(b),
        first_head_(first_head),
        heads_(heads),
        token_(next / heads),
        head_(next % heads),
        left_(end - next),
        row_bytes_(call.head_size * 2) {}
  void add(const void* base, const int64_t* stride) {
    base_[tensors_] = static_cast<const char*>(base) + (b_ * stride[0] + first_head_ * stride[2]) * 2;
    stride_[tensors_++] = stride;
  }
  HEARTH_INLINE void fetch(int64_t rows) {
    for (; kFetchAhead && left_ > 0 && rows > 0; --left_, --rows) {
      for (int i = 0; i < tensors_; ++i) {
        const char* row = base_[i] + (token_ * stride_[i][1] + head_ * stride_[i][2]) * 2;
        for (int64_t at = 0; at < row_bytes_; at += 64) _mm_prefetch(row + at, _MM_HINT_T0);
      }
      if (++head_ < heads_) continue;
      head_ = 0;
      ++token_;
    }
  }

 private:
  int64_t b_, first_head_, heads_, token_, head_, left_, row_bytes_;
  int tensors_ = 0;
  const char* base_[3];
  const int64_t* stride_[3];
};

// The keys and values [first, end) of (b, g).
HEARTH_INLINE Soon soon_keys(const AttentionCall& call, int64_t b, int64_t g, int64_t first, int64_t end) {
  Soon keys(call, b, g, 1, first, end);
  keys.add(call.k, call.k_stride);
  keys.add(call.v, call.v_stride);
  return keys;
}

// Whether everything shown to it was finite: an infinity or NaN has all bits of the exponent.
class AllFinite {
 public:
  HEARTH_INLINE void see(F words) {
    const __m512i x = __m512i(words);
    largest_ = _mm512_max_epu16(largest_, _mm512_add_epi16(x, x));  // twice: without the sign
  }
  HEARTH_INLINE bool yes() const {
    return _mm512_cmp_epu16_mask(largest_, _mm512_set1_epi16(int16_t(0xff00)), _MM_CMPINT_NLT) == 0;
  }

 private:
  __m512i largest_ = _mm512_setzero_si512();
};

// The packings take pointers to n <= 32 rows of head_size elements and write one piece per 32 of head_size.

// Summed over the head size: rows on the left.
void pack_left(const bf16* const* rows, int64_t n, int64_t head_size, float* piece, AllFinite* finite) {
  AllFinite seen = *finite;  // in a register
  for (int64_t d = 0; d < head_size; d += kSide, piece += kPiece)
    for (int64_t i = 0; i < kSide; ++i) {
      const F words = i < n ? load_piece_row(rows[i] + d, head_size - d) : F{};
      seen.see(words);
      store(piece + i * kLanes, words);
    }
  *finite = seen;
}

HEARTH_INLINE void transpose_tile(const float* from, float* to) {
  F block[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) block[i] = load(from + i * kLanes);
  transpose(block);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) store(to + i * kLanes, block[i]);
}

// Changes the side of `pieces` pieces, in place.
void change_side(float* piece, int64_t pieces) {
  for (int64_t i = 0; i < 2 * pieces; ++i) transpose_tile(piece + i * kTileWords, piece + i * kTileWords);
}

// Summed over the rows: the head size gives columns on the right.
void pack_row_pairs_right(const bf16* const* rows, int64_t n, int64_t head_size, float* piece, AllFinite* finite) {
  AllFinite seen = *finite;  // in a register
  const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  for (int64_t d = 0; d < head_size; d += kSide, piece += kPiece)
    for (int64_t i = 0; i < kSide; i += 2) {
      const F even = i < n ? load_piece_row(rows[i] + d, head_size - d) : F{};
      const F odd = i + 1 < n ? load_piece_row(rows[i + 1] + d, head_size - d) : F{};
      seen.see(even);
      seen.see(odd);
      // Each 128 bits of low hold the first four pairs of eight, of high the other four.
      const __m512i low = _mm512_unpacklo_epi16(__m512i(even), __m512i(odd));
      const __m512i high = _mm512_unpackhi_epi16(__m512i(even), __m512i(odd));
      store(piece + i / 2 * kLanes, F(_mm512_permutex2var_epi64(low, first, high)));
      store(piece + kTileWords + i / 2 * kLanes, F(_mm512_permutex2var_epi64(low, second, high)));
    }
  *finite = seen;
}

// How the factors of one product lie in memory: `steps` pieces of each, so many words apart.
struct Factors {
  int64_t steps;
  const float *left, *right;
  int64_t left_step, right_step;
};

// C[32][32] (kFrom zero: =, else +=) left right; ld floats per row. Four sums for four tiles loaded: the loads take
// half the time of the products.
enum class From { zero, memory };
template <From kFrom>
HEARTH_INLINE void multiply(const Factors& f, float* c, int64_t ld) {
  asm volatile("" ::: "memory");  // GCC does not know that loading a tile reads memory
  if (kFrom == From::zero) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  } else {
    HEARTH_TILE_LOAD(0, c, ld * 4);
    HEARTH_TILE_LOAD(1, c + 16, ld * 4);
    HEARTH_TILE_LOAD(2, c + 16 * ld, ld * 4);
    HEARTH_TILE_LOAD(3, c + 16 * ld + 16, ld * 4);
  }
  const float *left = f.left, *right = f.right;
  for (int64_t i = 0; i < f.steps; ++i, left += f.left_step, right += f.right_step) {
    HEARTH_TILE_LOAD(6, right, 64);
    HEARTH_TILE_LOAD(4, left, 64);
    _tile_dpbf16ps(0, 4, 6);
    HEARTH_TILE_LOAD(7, right + kTileWords, 64);
    _tile_dpbf16ps(1, 4, 7);
    HEARTH_TILE_LOAD(5, left + kTileWords, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, ld * 4);
  _tile_stored(1, c + 16, ld * 4);
  _tile_stored(2, c + 16 * ld, ld * 4);
  _tile_stored(3, c + 16 * ld + 16, ld * 4);
}

// C += left right, one by one, where a weight of 0 hides whatever it multiplies. For the rare blocks that have hidden
// places and factors that are not finite: 0 * NaN would reach rows that may not see it.
enum class Weights { left, right };
template <Weights kWeights>
void multiply_visible(const Factors& f, float* c, int64_t ld) {
  for (int64_t step = 0; step < f.steps; ++step) {
    const float *left = f.left + step * f.left_step, *right = f.right + step * f.right_step;
    for (int64_t i = 0; i < kSide; ++i)
      for (int64_t j = 0; j < kSide; ++j)
        for (int64_t k = 0; k < kSide; ++k) {
          const float x = element<true>(left + i * kLanes, k, 1);
          const float y = element<true>(right + j / kLanes * kTileWords + j % kLanes, k, kLanes);
          if ((kWeights == Weights::left ? x : y) != 0) c[i * ld + j] += x * y;
        }
  }
}

}  // namespace
}  // namespace hearth
