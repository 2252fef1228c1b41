// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one instruction set contributes to attention: a table of serial work items. flash.cc cuts a call into items,
// gives them to threads, and owns all memory.
//
// The H/G query heads that share a kv head are treated together: the "rows" of (b, g) are the pairs (t, head of the
// group), t outermost, so row r is query r / (H/G) and one packed tile of keys serves all heads. Rows are numbered [0,
// T*H/G).

#include <cstdint>

#include "ops/attention/flash.h"

namespace hearth {

inline constexpr int64_t kFlashDecodeRows = 8;  // up to so many rows, the path bound by reading the cache is faster
inline constexpr int64_t kFlashSpareKeys = 31;  // register tiles of keys reach up to so many past the end

// All rows (at most kFlashDecodeRows each) of some kv heads against the keys [first_key, end_key).
struct DecodeItem {
  int64_t b, first_group, kv_heads, first_key, end_key;
};

struct FlashKernels {
  int64_t panel_rows;                                             // rows that one register tile serves
  int64_t (*forward_floats)(const AttentionCall&, int64_t rows);  // scratch
  void (*forward_rows)(const AttentionCall&, int64_t b, int64_t g, int64_t first_row, int64_t rows, float* scratch);

  // Writes max, sum and unnormalised output: partial is [kv heads of the item][rows][2 + D]. The maximum is in units of
  // log 2.
  int64_t (*decode_floats)(const AttentionCall&, int64_t kv_heads);
  void (*decode_keys)(const AttentionCall&, const DecodeItem&, float* partial, float* scratch);

  // The row blocks of one part of (b, g). Writes their dq, adds to dk_sum and dv_sum, both [S + kFlashSpareKeys]
  // [padded_size].
  int64_t block_rows;
  int64_t (*padded_size)(int64_t head_size);
  int64_t (*backward_floats)(const AttentionCall&);
  void (*backward_rows)(const AttentionGradCall&, int64_t b, int64_t g, int64_t part, int64_t parts, float* dk_sum,
                        float* dv_sum, float* scratch);

  // to[i] = factor * the sum over the parts, first to last, of sums[part * step + i], for i in [0, n).
  void (*store_sum)(DType, void* to, const float* sums, int64_t parts, int64_t step, float factor, int64_t n);

  void (*exp2)(const float* x, float* y, int64_t n);  // the exponential of all paths, for its test
};

const FlashKernels& flash_kernels(Isa isa, DType dtype);  // throws Error{value} when the machine lacks it

extern const FlashKernels flash_scalar, flash_avx2, flash_avx512, flash_avx512_bf16, flash_amx;

// Place of the query t of row b among the keys.
inline int64_t place_of(const AttentionCall& call, int64_t b, int64_t t) {
  return (call.start ? int64_t(call.start[b * call.start_stride]) : call.keys - call.tokens) + t;
}

// Key range [0, end) that the query at t may see by position.
inline int64_t causal_end(const AttentionCall& call, int64_t b, int64_t t) {
  if (!call.causal) return call.keys;
  const int64_t end = place_of(call, b, t) + 1;
  return end < 0 ? 0 : end > call.keys ? call.keys : end;
}

// First key that the query at t may see by position: its window's.
inline int64_t causal_begin(const AttentionCall& call, int64_t b, int64_t t) {
  if (!call.causal || call.window == 0) return 0;
  const int64_t begin = place_of(call, b, t) - call.window + 1;
  return begin < 0 ? 0 : begin > call.keys ? call.keys : begin;
}

// Whether scores are more than scale q.k.
inline bool bends_scores(const AttentionCall& call) { return call.soft_cap != 0 || call.key_bias; }

// The i-th block of rows of a part: of every `parts` blocks one, forth and back, so that causal work, which grows with
// the row, is even. Grows with i; may lie past the last block.
inline int64_t block_of_part(int64_t i, int64_t part, int64_t parts) {
  return i * parts + (i % 2 == 0 ? part : parts - 1 - part);
}

}  // namespace hearth
