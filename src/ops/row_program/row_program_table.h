// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one instruction set gives the interpreter: a function per instruction and per memory type.

#include <stdint.h>

#include "plan/row_program.h"

namespace hearth {

// Four bytes of a register. A register element has one (f32, i32, u32), two (f64, i64, u64, complex64) or four words
// (complex128). The same memory is read as several types, hence may_alias.
using RowWord = uint32_t __attribute__((may_alias));

constexpr int words_of(int bytes) { return bytes / 4; }

// How a step reads an input: a word per element, a bf16 per element (a tensor's memory), or one word for all.
enum class RowRead : uint8_t { words, bf16, one, count };
// How it writes its result: a word per element, a bf16 per element, or a word that holds the f32 rounded to bf16.
enum class RowWrite : uint8_t { words, bf16, rounded, count };

// dst[i] = op(a[i], b[i], c[i]) for i < n. dst may be an input that has elements of the result's size.
using RowTileFn = void (*)(void* dst, const void* a, const void* b, const void* c, int64_t n);
// dst[r] = dst[r] combined with all of a[r * width ...], for r < rows; a * b in place of a for sums of products.
using RowReduceFn = void (*)(void* dst, const void* a, const void* b, int64_t rows, int64_t width);

// A block of memory: `repeat` times `outer` runs of `inner` elements, strides in elements. Registers hold it densely.
struct RowBlock {
  int64_t outer, inner, outer_stride, inner_stride;
  int64_t repeat = 1, repeat_stride = 0;
};
using RowLoadFn = void (*)(void* dst, const void* src, const RowBlock& block);
using RowStoreFn = void (*)(void* dst, const void* src, const RowBlock& block);

// Instructions that convert what they read and write on the way, so that bf16 tensors, numbers per row and constants
// need no steps and no registers of their own.
// Not the functions of exp: their chains of operations already fill the processor's window, and converting in the
// middle of them takes four times as long as in a step of its own (Zen 5, AVX-512).
constexpr int folded_number(RowOp op) {
  switch (op) {
    case RowOp::add_f32: return 0;
    case RowOp::sub_f32: return 1;
    case RowOp::mul_f32: return 2;
    case RowOp::div_f32: return 3;
    case RowOp::copy: return 4;
    default: return -1;
  }
}
inline constexpr int kFolded = 5, kRowReads = int(RowRead::count), kRowWrites = int(RowWrite::count);

struct RowTable {
  int vector_bytes;
  RowTileFn tile[int(RowOp::count)];                            // words in, words out
  RowTileFn folded[kFolded][kRowReads][kRowReads][kRowWrites];  // by the ways of reading a and b, and of writing
  RowReduceFn reduce[int(RowOp::count)];
  RowReduceFn reduce_lines[int(RowOp::count)];  // of interleaved rows: dst[r] with all a[i * rows + r], for i < width
  void (*finish[int(RowOp::count)])(void* dst, const void* vectors);  // dst[0] with 4 vectors; null: see row_code.h
  RowReduceFn sum_of_products[2][2];                                  // by RowRead: words, bf16
  RowLoadFn load[kDTypes];                                            // by dtype
  RowStoreFn store[kDTypes];
  void (*fill)(void* dst, uint64_t value, int64_t n, int words);  // of 16 bytes, the upper 8 become 0
  void (*spread)(void* dst, const void* per_row, int64_t rows, int64_t width, int words);
  void (*iota)(RowOp op, void* dst, int64_t position, const RowBlock& block);
};

// Null where this program was not compiled for that instruction set.
const RowTable* row_table_scalar();
const RowTable* row_table_avx2();
const RowTable* row_table_avx512();

}  // namespace hearth
