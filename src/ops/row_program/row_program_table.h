// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one instruction set gives the interpreter: a function per instruction and per memory type.

#include <stdint.h>

#include "plan/row_program.h"

namespace hearth {

// Four bytes of a register: f32, i32 or u32. The same memory is read as several types, hence may_alias.
using RowWord = uint32_t __attribute__((may_alias));

inline constexpr int64_t kRowLanes = 16;  // element counts of RowTileFn are multiples of this
inline constexpr int kRowDTypes = 13;

// dst[i] = op(a[i], b[i], c[i]) for i < n, a multiple of kRowLanes. dst may be a, b or c.
using RowTileFn = void (*)(RowWord* dst, const RowWord* a, const RowWord* b, const RowWord* c, int64_t n);
// dst[r] = dst[r] combined with all of a[r * width ...], for r < rows.
using RowReduceFn = void (*)(RowWord* dst, const RowWord* a, int64_t rows, int64_t width);

// A block of memory of `outer` runs of `inner` elements, strides in elements. Registers hold the block densely.
struct RowBlock {
  int64_t outer, inner, outer_stride, inner_stride;
};
using RowLoadFn = void (*)(RowWord* dst, const void* src, const RowBlock& block);
using RowStoreFn = void (*)(void* dst, const RowWord* src, const RowBlock& block);

struct RowTable {
  RowTileFn tile[int(RowOp::count)];
  RowReduceFn reduce[int(RowOp::count)];
  RowLoadFn load[kRowDTypes];  // by dtype; null for those of 8 bytes
  RowStoreFn store[kRowDTypes];
  void (*fill)(RowWord* dst, RowWord value, int64_t n);
  void (*spread)(RowWord* dst, const RowWord* per_row, int64_t rows, int64_t width);
  void (*iota)(RowWord* dst, int64_t position, const RowBlock& block, bool as_float);
};

// Null where this program was not compiled for that instruction set.
const RowTable* row_table_scalar();
const RowTable* row_table_avx2();
const RowTable* row_table_avx512();

}  // namespace hearth
