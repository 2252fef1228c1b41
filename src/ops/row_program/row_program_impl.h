// SPDX-License-Identifier: Apache-2.0
// The kernels of one instruction set, from plain loops: the including file's compiler flags decide what they become.
// Everything here is local to that file. Bound by L1 bandwidth but for the transcendental functions.

#include <stdint.h>

#include "ops/row_program/row_program_table.h"

namespace hearth {
namespace {

#include "ops/row_program/row_program_math.h"

using F = float __attribute__((may_alias));
using I = int32_t __attribute__((may_alias));
using U = RowWord;

//   instruction    register type  result type  value
#define HEARTH_TILE_UNARY(ROW)                                         \
  ROW(neg_f32, F, F, -a)                                               \
  ROW(abs_f32, F, F, magnitude_of(a))                                  \
  ROW(sign_f32, F, F, a > 0 ? 1.0f : a < 0 ? -1.0f : a)                \
  ROW(exp_f32, F, F, exp_of(a))                                        \
  ROW(log_f32, F, F, log_of(a))                                        \
  ROW(sqrt_f32, F, F, __builtin_sqrtf(a))                              \
  ROW(rsqrt_f32, F, F, 1.0f / __builtin_sqrtf(a))                      \
  ROW(logistic_f32, F, F, logistic_of(a))                              \
  ROW(tanh_f32, F, F, tanh_of(a))                                      \
  ROW(floor_f32, F, F, __builtin_floorf(a))                            \
  ROW(ceil_f32, F, F, __builtin_ceilf(a))                              \
  ROW(expm1_f32, F, F, expm1_of(a))                                    \
  ROW(log1p_f32, F, F, log1p_of(a))                                    \
  ROW(is_finite_f32, U, U, (a & 0x7f800000u) != 0x7f800000u ? 1u : 0u) \
  ROW(round_bf16, F, F, round_bf16_of(a))                              \
  ROW(round_f16, F, F, f16_value(f16_bits(a)))                         \
  ROW(neg_i32, U, U, 0u - a)                                           \
  ROW(abs_i32, U, U, int32_t(a) < 0 ? 0u - a : a)                      \
  ROW(sign_i32, I, I, (a > 0 ? 1 : 0) - (a < 0 ? 1 : 0))               \
  ROW(not_u32, U, U, ~a)                                               \
  ROW(not_bool, U, U, a == 0 ? 1u : 0u)                                \
  ROW(f32_to_i32, F, I, to_i32(a))                                     \
  ROW(i32_to_f32, I, F, float(a))                                      \
  ROW(u32_to_f32, U, F, from_u32(a))                                   \
  ROW(f32_to_u32, F, U, to_u32(a))                                     \
  ROW(f32_to_bool, F, U, a != 0 ? 1u : 0u)                             \
  ROW(copy, U, U, a)

#define HEARTH_TILE_BINARY(ROW)                                 \
  ROW(add_f32, F, F, a + b)                                     \
  ROW(sub_f32, F, F, a - b)                                     \
  ROW(mul_f32, F, F, a* b)                                      \
  ROW(div_f32, F, F, a / b)                                     \
  ROW(max_f32, F, F, max_of(a, b))                              \
  ROW(min_f32, F, F, min_of(a, b))                              \
  ROW(pow_f32, F, F, __builtin_powf(a, b))                      \
  ROW(rem_f32, F, F, __builtin_fmodf(a, b))                     \
  ROW(atan2_f32, F, F, __builtin_atan2f(a, b))                  \
  ROW(add_i32, U, U, a + b)                                     \
  ROW(sub_i32, U, U, a - b)                                     \
  ROW(mul_i32, U, U, a* b)                                      \
  ROW(max_i32, I, I, a > b ? a : b)                             \
  ROW(min_i32, I, I, a < b ? a : b)                             \
  ROW(max_u32, U, U, a > b ? a : b)                             \
  ROW(min_u32, U, U, a < b ? a : b)                             \
  ROW(and_u32, U, U, a& b)                                      \
  ROW(or_u32, U, U, a | b)                                      \
  ROW(xor_u32, U, U, a ^ b)                                     \
  ROW(shl_u32, U, U, b > 31 ? 0u : a << (b & 31))               \
  ROW(shr_u32, U, U, b > 31 ? 0u : a >> (b & 31))               \
  ROW(shr_i32, U, U, uint32_t(int32_t(a) >> (b > 31 ? 31 : b))) \
  ROW(eq_f32, F, U, a == b ? 1u : 0u)                           \
  ROW(ne_f32, F, U, a != b ? 1u : 0u)                           \
  ROW(lt_f32, F, U, a < b ? 1u : 0u)                            \
  ROW(le_f32, F, U, a <= b ? 1u : 0u)                           \
  ROW(gt_f32, F, U, a > b ? 1u : 0u)                            \
  ROW(ge_f32, F, U, a >= b ? 1u : 0u)                           \
  ROW(eq_i32, I, U, a == b ? 1u : 0u)                           \
  ROW(ne_i32, I, U, a != b ? 1u : 0u)                           \
  ROW(lt_i32, I, U, a < b ? 1u : 0u)                            \
  ROW(le_i32, I, U, a <= b ? 1u : 0u)                           \
  ROW(gt_i32, I, U, a > b ? 1u : 0u)                            \
  ROW(ge_i32, I, U, a >= b ? 1u : 0u)                           \
  ROW(lt_u32, U, U, a < b ? 1u : 0u)                            \
  ROW(le_u32, U, U, a <= b ? 1u : 0u)                           \
  ROW(gt_u32, U, U, a > b ? 1u : 0u)                            \
  ROW(ge_u32, U, U, a >= b ? 1u : 0u)

// ivdep: dst is one of the sources or apart from them. The mask tells the compiler that no remainder loop is needed.
#define HEARTH_ROW(op, From, To, value)                                                 \
  void op(RowWord* dst, const RowWord* pa, const RowWord*, const RowWord*, int64_t n) { \
    n &= ~(kRowLanes - 1);                                                              \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                              \
      const From a = reinterpret_cast<const From*>(pa)[i];                              \
      reinterpret_cast<To*>(dst)[i] = value;                                            \
    }                                                                                   \
  }
HEARTH_TILE_UNARY(HEARTH_ROW)
#undef HEARTH_ROW

#define HEARTH_ROW(op, From, To, value)                                                              \
  void op(RowWord* dst, const RowWord* pa, const RowWord* pb, const RowWord*, int64_t n) {           \
    n &= ~(kRowLanes - 1);                                                                           \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                                           \
      const From a = reinterpret_cast<const From*>(pa)[i], b = reinterpret_cast<const From*>(pb)[i]; \
      reinterpret_cast<To*>(dst)[i] = value;                                                         \
    }                                                                                                \
  }
HEARTH_TILE_BINARY(HEARTH_ROW)
#undef HEARTH_ROW

void select(RowWord* dst, const RowWord* a, const RowWord* b, const RowWord* c, int64_t n) {
  n &= ~(kRowLanes - 1);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) dst[i] = a[i] != 0 ? b[i] : c[i];
}

// Arguments past the range reduction, infinities and NaN go to the C library, one by one; they are rare.
template <int quarter_turns>
void sine(RowWord* dst, const RowWord* pa, int64_t n) {
  n &= ~(kRowLanes - 1);
  const F* a = reinterpret_cast<const F*>(pa);
  F* y = reinterpret_cast<F*>(dst);
  for (int64_t block = 0; block < n; block += kRowLanes) {
    F kept[kRowLanes];
    uint32_t far = 0;
    for (int64_t i = 0; i < kRowLanes; ++i) {
      kept[i] = a[block + i];
      far |= magnitude_of(kept[i]) < kSineLimit ? 0u : 1u;
    }
    for (int64_t i = 0; i < kRowLanes; ++i)
      y[block + i] = sine_of(magnitude_of(kept[i]) < kSineLimit ? kept[i] : 0.0f, quarter_turns);
    if (!far) continue;
    for (int64_t i = 0; i < kRowLanes; ++i) {
      if (magnitude_of(kept[i]) < kSineLimit) continue;
      y[block + i] = quarter_turns ? __builtin_cosf(kept[i]) : __builtin_sinf(kept[i]);
    }
  }
}
void sin_f32(RowWord* dst, const RowWord* a, const RowWord*, const RowWord*, int64_t n) { sine<0>(dst, a, n); }
void cos_f32(RowWord* dst, const RowWord* a, const RowWord*, const RowWord*, int64_t n) { sine<1>(dst, a, n); }

#include "ops/row_program/row_program_memory.h"
#include "ops/row_program/row_program_reduce.h"

constexpr RowTable make_table() {
  RowTable table{};
#define HEARTH_ROW(op, From, To, value) table.tile[int(RowOp::op)] = op;
  HEARTH_TILE_UNARY(HEARTH_ROW)
  HEARTH_TILE_BINARY(HEARTH_ROW)
#undef HEARTH_ROW
  table.tile[int(RowOp::select)] = select;
  table.tile[int(RowOp::sin_f32)] = sin_f32;
  table.tile[int(RowOp::cos_f32)] = cos_f32;
  table.fill = fill;
  table.spread = spread;
  table.iota = iota;
  add_memory(table);
  add_reductions(table);
  return table;
}
constexpr RowTable kTable = make_table();

}  // namespace
}  // namespace hearth
