// SPDX-License-Identifier: Apache-2.0
// The kernels of one instruction set: plain loops, which the including file's compiler flags make vector code of, and
// for the commonest instructions vectors (row_program_arithmetic.h). Everything here is local to that file. Bound by L1
// bandwidth but for the transcendental functions.

#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "ops/row_program/row_program_table.h"
#include "ops/row_program/row_program_tables.h"

namespace hearth {
namespace {

#include "ops/row_program/row_program_math.h"
#include "ops/row_program/row_program_numbers.h"
#include "ops/row_program/row_program_vector.h"
#include "ops/row_program/row_program_vector_math.h"
// clang-format off: in terms of those
#include "ops/row_program/row_program_functions.h"
// clang-format on

using F = float __attribute__((may_alias));
using I = int32_t __attribute__((may_alias));
using U = RowWord;

//   instruction    register type  result type  value
#define HEARTH_TILE_UNARY(ROW)                                         \
  ROW(neg_f32, F, F, -a)                                               \
  ROW(abs_f32, F, F, magnitude_of(a))                                  \
  ROW(sign_f32, F, F, a > 0 ? 1.0f : a < 0 ? -1.0f : a)                \
  ROW(log_f32, F, F, log_of(a))                                        \
  ROW(sqrt_f32, F, F, __builtin_sqrtf(a))                              \
  ROW(rsqrt_f32, F, F, 1.0f / __builtin_sqrtf(a))                      \
  ROW(floor_f32, F, F, __builtin_floorf(a))                            \
  ROW(ceil_f32, F, F, __builtin_ceilf(a))                              \
  ROW(log1p_f32, F, F, log1p_of(a))                                    \
  ROW(cbrt_f32, F, F, cbrt_of(a))                                      \
  ROW(round_even_f32, F, F, __builtin_rintf(a))                        \
  ROW(round_away_f32, F, F, round_away_of(a))                          \
  ROW(is_finite_f32, U, U, (a & 0x7f800000u) != 0x7f800000u ? 1u : 0u) \
  ROW(round_f16, F, F, f16_value(f16_bits(a)))                         \
  ROW(neg_i32, U, U, 0u - a)                                           \
  ROW(abs_i32, U, U, int32_t(a) < 0 ? 0u - a : a)                      \
  ROW(sign_i32, I, I, (a > 0 ? 1 : 0) - (a < 0 ? 1 : 0))               \
  ROW(sign_u32, U, U, a != 0 ? 1u : 0u)                                \
  ROW(not_u32, U, U, ~a)                                               \
  ROW(not_bool, U, U, a == 0 ? 1u : 0u)                                \
  ROW(popcnt_u32, U, U, popcnt_of(a))                                  \
  ROW(clz_u32, U, U, leading_zeros_of(a))                              \
  ROW(clz_u16, U, U, leading_zeros_of(a & 0xffffu) - 16u)              \
  ROW(clz_u8, U, U, leading_zeros_of(a & 0xffu) - 24u)                 \
  ROW(f32_to_i32, F, I, to_i32(a))                                     \
  ROW(i32_to_f32, I, F, float(a))                                      \
  ROW(u32_to_f32, U, F, from_u32(a))                                   \
  ROW(f32_to_u32, F, U, to_u32(a))                                     \
  ROW(f32_to_bool, F, U, a != 0 ? 1u : 0u)                             \
  ROW(i32_to_bool, U, U, a != 0 ? 1u : 0u)                             \
  ROW(i32_to_f32_odd, I, F, odd_f32(double(a)))                        \
  ROW(u32_to_f32_odd, U, F, odd_f32(double(a)))                        \
  ROW(wrap_i8, U, I, int32_t(int8_t(a)))                               \
  ROW(wrap_i16, U, I, int32_t(int16_t(a)))                             \
  ROW(wrap_u8, U, U, a & 0xffu)                                        \
  ROW(wrap_u16, U, U, a & 0xffffu)                                     \
  ROW(clamp_i8, I, I, a<-128 ? -128 : a> 127 ? 127 : a)                \
  ROW(clamp_i16, I, I, a<-32768 ? -32768 : a> 32767 ? 32767 : a)       \
  ROW(clamp_u8, I, I, a<0 ? 0 : a> 255 ? 255 : a)                      \
  ROW(clamp_u16, I, I, a<0 ? 0 : a> 65535 ? 65535 : a)

#define HEARTH_TILE_BINARY(ROW)                                 \
  ROW(max_f32, F, F, max_of(a, b))                              \
  ROW(min_f32, F, F, min_of(a, b))                              \
  ROW(pow_f32, F, F, __builtin_powf(a, b))                      \
  ROW(rem_f32, F, F, __builtin_fmodf(a, b))                     \
  ROW(atan2_f32, F, F, atan2_of(a, b))                          \
  ROW(add_i32, U, U, a + b)                                     \
  ROW(sub_i32, U, U, a - b)                                     \
  ROW(mul_i32, U, U, a* b)                                      \
  ROW(div_i32, I, I, quotient(a, b))                            \
  ROW(div_u32, U, U, quotient(a, b))                            \
  ROW(rem_i32, I, I, rest(a, b))                                \
  ROW(rem_u32, U, U, rest(a, b))                                \
  ROW(pow_i32, I, I, integer_power(a, b))                       \
  ROW(pow_u32, U, U, integer_power(a, b))                       \
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

// ivdep: dst is one of the sources or apart from them.
#define HEARTH_ROW(op, From, To, value)                                     \
  void op(void* dst, const void* pa, const void*, const void*, int64_t n) { \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                  \
      const From a = static_cast<const From*>(pa)[i];                       \
      static_cast<To*>(dst)[i] = value;                                     \
    }                                                                       \
  }
HEARTH_TILE_UNARY(HEARTH_ROW)
#undef HEARTH_ROW

#define HEARTH_ROW(op, From, To, value)                                                    \
  void op(void* dst, const void* pa, const void* pb, const void*, int64_t n) {             \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                                 \
      const From a = static_cast<const From*>(pa)[i], b = static_cast<const From*>(pb)[i]; \
      static_cast<To*>(dst)[i] = value;                                                    \
    }                                                                                      \
  }
HEARTH_TILE_BINARY(HEARTH_ROW)
#undef HEARTH_ROW

void select(void* dst, const void* pa, const void* pb, const void* pc, int64_t n) {
  U* y = static_cast<U*>(dst);
  const U *a = static_cast<const U*>(pa), *b = static_cast<const U*>(pb), *c = static_cast<const U*>(pc);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] != 0 ? b[i] : c[i];
}

// Arguments past the range reduction, infinities and NaN go to the C library, one by one; they are rare.
template <class Function>
void by_quarter_turns(void* dst, const void* pa, const void*, const void*, int64_t n) {
  constexpr int64_t kBlock = 16;
  for (int64_t block = 0; block < n; block += kBlock) {
    const int64_t count = n - block < kBlock ? n - block : kBlock;
    float x[kBlock] = {}, y[kBlock];
    __builtin_memcpy(x, static_cast<const F*>(pa) + block, size_t(count) * 4);
    uint32_t far = 0;
    for (int64_t i = 0; i < kBlock; ++i) {
      const bool near = magnitude_of(x[i]) < kSineLimit;
      y[i] = Function::near(near ? x[i] : 0.0f);
      far |= near ? 0u : 1u;
    }
    for (int64_t i = 0; far && i < kBlock; ++i) {
      if (!(magnitude_of(x[i]) < kSineLimit)) y[i] = Function::far(x[i]);
    }
    __builtin_memcpy(static_cast<F*>(dst) + block, y, size_t(count) * 4);
  }
}
struct Sine {
  HEARTH_INLINE float near(float x) { return sine_of(x, 0); }
  HEARTH_INLINE float far(float x) { return __builtin_sinf(x); }
};
struct Cosine {
  HEARTH_INLINE float near(float x) { return sine_of(x, 1); }
  HEARTH_INLINE float far(float x) { return __builtin_cosf(x); }
};
struct Tangent {
  HEARTH_INLINE float near(float x) { return tan_of(x); }
  HEARTH_INLINE float far(float x) { return __builtin_tanf(x); }
};

#include "ops/row_program/row_program_arithmetic.h"
#include "ops/row_program/row_program_memory.h"
#include "ops/row_program/row_program_reduce.h"
#include "ops/row_program/row_program_wide.h"

constexpr RowTable make_table() {
  RowTable table{};
  table.vector_bytes = kVectorBytes;
#define HEARTH_ROW(op, From, To, value) table.tile[int(RowOp::op)] = op;
  HEARTH_TILE_UNARY(HEARTH_ROW)
  HEARTH_TILE_BINARY(HEARTH_ROW)
  HEARTH_WIDE_UNARY(HEARTH_ROW)
  HEARTH_WIDE_BINARY(HEARTH_ROW)
#undef HEARTH_ROW
  table.tile[int(RowOp::select_64)] = select_wide<uint64_t>;
  table.tile[int(RowOp::select_128)] = select_wide<Quad>;
  table.tile[int(RowOp::copy_64)] = copy_wide<uint64_t>;
  table.tile[int(RowOp::copy_128)] = copy_wide<Quad>;
  table.tile[int(RowOp::select)] = select;
  table.tile[int(RowOp::sin_f32)] = by_quarter_turns<Sine>;
  table.tile[int(RowOp::cos_f32)] = by_quarter_turns<Cosine>;
  table.tile[int(RowOp::tan_f32)] = by_quarter_turns<Tangent>;
  table.fill = fill;
  table.spread = spread;
  table.iota = iota;
  add_vectors(table);
  add_memory(table);
  add_reductions(table);
  return table;
}
constexpr RowTable kTable = make_table();

}  // namespace
}  // namespace hearth
