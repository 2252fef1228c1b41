// SPDX-License-Identifier: Apache-2.0
// Instructions on registers of 8 and 16 bytes: plain loops. Arithmetic, comparisons and conversions become vector code;
// the transcendental functions of f64 are the C library's, one by one. Included once per instruction set by
// row_program_impl.h, inside its namespace.

using D = double __attribute__((may_alias));
using L = int64_t __attribute__((may_alias));
using UL = uint64_t __attribute__((may_alias));

#define HEARTH_WIDE_UNARY(ROW)                                                          \
  ROW(neg_f64, D, D, -a)                                                                \
  ROW(abs_f64, D, D, __builtin_fabs(a))                                                 \
  ROW(sign_f64, D, D, a > 0 ? 1.0 : a < 0 ? -1.0 : a)                                   \
  ROW(exp_f64, D, D, __builtin_exp(a))                                                  \
  ROW(log_f64, D, D, __builtin_log(a))                                                  \
  ROW(sqrt_f64, D, D, __builtin_sqrt(a))                                                \
  ROW(rsqrt_f64, D, D, 1.0 / __builtin_sqrt(a))                                         \
  ROW(logistic_f64, D, D, 1.0 / (1.0 + __builtin_exp(-a)))                              \
  ROW(tanh_f64, D, D, __builtin_tanh(a))                                                \
  ROW(sin_f64, D, D, __builtin_sin(a))                                                  \
  ROW(cos_f64, D, D, __builtin_cos(a))                                                  \
  ROW(floor_f64, D, D, __builtin_floor(a))                                              \
  ROW(ceil_f64, D, D, __builtin_ceil(a))                                                \
  ROW(expm1_f64, D, D, __builtin_expm1(a))                                              \
  ROW(log1p_f64, D, D, __builtin_log1p(a))                                              \
  ROW(is_finite_f64, UL, U, (a & 0x7ff0000000000000u) != 0x7ff0000000000000u ? 1u : 0u) \
  ROW(neg_i64, UL, UL, uint64_t(0) - a)                                                 \
  ROW(abs_i64, UL, UL, int64_t(a) < 0 ? uint64_t(0) - a : a)                            \
  ROW(sign_i64, L, L, (a > 0 ? 1 : 0) - (a < 0 ? 1 : 0))                                \
  ROW(sign_u64, UL, UL, a != 0 ? 1u : 0u)                                               \
  ROW(cbrt_f64, D, D, __builtin_cbrt(a))                                                \
  ROW(tan_f64, D, D, __builtin_tan(a))                                                  \
  ROW(erf_f64, D, D, __builtin_erf(a))                                                  \
  ROW(round_even_f64, D, D, __builtin_rint(a))                                          \
  ROW(round_away_f64, D, D, __builtin_round(a))                                         \
  ROW(popcnt_u64, UL, UL, uint64_t(__builtin_popcountll(a)))                            \
  ROW(clz_u64, UL, UL, uint64_t(a == 0 ? 64 : __builtin_clzll(a)))                      \
  ROW(not_u64, UL, UL, ~a)                                                              \
  ROW(f32_to_f64, F, D, double(a))                                                      \
  ROW(i32_to_f64, I, D, double(a))                                                      \
  ROW(u32_to_f64, U, D, double(a))                                                      \
  ROW(f32_to_i64, F, L, to_i64(double(a)))                                              \
  ROW(f32_to_u64, F, UL, to_u64(double(a)))                                             \
  ROW(i32_to_i64, I, L, int64_t(a))                                                     \
  ROW(u32_to_u64, U, UL, uint64_t(a))                                                   \
  ROW(f64_to_f32, D, F, float(a))                                                       \
  ROW(f64_to_f32_odd, D, F, odd_f32(a))                                                 \
  ROW(f64_to_i32, D, I, to_i32(a))                                                      \
  ROW(f64_to_u32, D, U, to_u32(a))                                                      \
  ROW(f64_to_bool, D, U, a != 0 ? 1u : 0u)                                              \
  ROW(f64_to_i64, D, L, to_i64(a))                                                      \
  ROW(f64_to_u64, D, UL, to_u64(a))                                                     \
  ROW(i64_to_i32, UL, U, uint32_t(a))                                                   \
  ROW(i64_to_f32, L, F, float(a))                                                       \
  ROW(u64_to_f32, UL, F, float(a))                                                      \
  ROW(i64_to_f32_odd, L, F, odd_f32(int64_t(a)))                                        \
  ROW(u64_to_f32_odd, UL, F, odd_f32(uint64_t(a)))                                      \
  ROW(i64_to_f64, L, D, double(a))                                                      \
  ROW(u64_to_f64, UL, D, double(a))                                                     \
  ROW(i64_to_bool, UL, U, a != 0 ? 1u : 0u)

#define HEARTH_WIDE_BINARY(ROW)                                   \
  ROW(add_f64, D, D, a + b)                                       \
  ROW(sub_f64, D, D, a - b)                                       \
  ROW(mul_f64, D, D, a* b)                                        \
  ROW(div_f64, D, D, a / b)                                       \
  ROW(max_f64, D, D, max_of(a, b))                                \
  ROW(min_f64, D, D, min_of(a, b))                                \
  ROW(pow_f64, D, D, __builtin_pow(a, b))                         \
  ROW(rem_f64, D, D, __builtin_fmod(a, b))                        \
  ROW(atan2_f64, D, D, __builtin_atan2(a, b))                     \
  ROW(add_i64, UL, UL, a + b)                                     \
  ROW(sub_i64, UL, UL, a - b)                                     \
  ROW(mul_i64, UL, UL, a* b)                                      \
  ROW(div_i64, L, L, quotient(int64_t(a), int64_t(b)))            \
  ROW(div_u64, UL, UL, quotient(uint64_t(a), uint64_t(b)))        \
  ROW(rem_i64, L, L, rest(int64_t(a), int64_t(b)))                \
  ROW(rem_u64, UL, UL, rest(uint64_t(a), uint64_t(b)))            \
  ROW(pow_i64, L, L, integer_power(int64_t(a), int64_t(b)))       \
  ROW(pow_u64, UL, UL, integer_power(uint64_t(a), uint64_t(b)))   \
  ROW(max_i64, L, L, a > b ? a : b)                               \
  ROW(min_i64, L, L, a < b ? a : b)                               \
  ROW(max_u64, UL, UL, a > b ? a : b)                             \
  ROW(min_u64, UL, UL, a < b ? a : b)                             \
  ROW(and_u64, UL, UL, a& b)                                      \
  ROW(or_u64, UL, UL, a | b)                                      \
  ROW(xor_u64, UL, UL, a ^ b)                                     \
  ROW(shl_u64, UL, UL, b > 63 ? 0u : a << (b & 63))               \
  ROW(shr_u64, UL, UL, b > 63 ? 0u : a >> (b & 63))               \
  ROW(shr_i64, UL, UL, uint64_t(int64_t(a) >> (b > 63 ? 63 : b))) \
  ROW(eq_f64, D, U, a == b ? 1u : 0u)                             \
  ROW(ne_f64, D, U, a != b ? 1u : 0u)                             \
  ROW(lt_f64, D, U, a < b ? 1u : 0u)                              \
  ROW(le_f64, D, U, a <= b ? 1u : 0u)                             \
  ROW(gt_f64, D, U, a > b ? 1u : 0u)                              \
  ROW(ge_f64, D, U, a >= b ? 1u : 0u)                             \
  ROW(eq_i64, L, U, a == b ? 1u : 0u)                             \
  ROW(ne_i64, L, U, a != b ? 1u : 0u)                             \
  ROW(lt_i64, L, U, a < b ? 1u : 0u)                              \
  ROW(le_i64, L, U, a <= b ? 1u : 0u)                             \
  ROW(gt_i64, L, U, a > b ? 1u : 0u)                              \
  ROW(ge_i64, L, U, a >= b ? 1u : 0u)                             \
  ROW(lt_u64, UL, U, a < b ? 1u : 0u)                             \
  ROW(le_u64, UL, U, a <= b ? 1u : 0u)                            \
  ROW(gt_u64, UL, U, a > b ? 1u : 0u)                             \
  ROW(ge_u64, UL, U, a >= b ? 1u : 0u)

// ivdep: dst is an input of elements of its own size, or apart from all.
#define HEARTH_ROW(op, From, To, value)                                     \
  void op(void* dst, const void* pa, const void*, const void*, int64_t n) { \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                  \
      const From a = static_cast<const From*>(pa)[i];                       \
      static_cast<To*>(dst)[i] = value;                                     \
    }                                                                       \
  }
HEARTH_WIDE_UNARY(HEARTH_ROW)
#undef HEARTH_ROW

#define HEARTH_ROW(op, From, To, value)                                                    \
  void op(void* dst, const void* pa, const void* pb, const void*, int64_t n) {             \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; ++i) {                                 \
      const From a = static_cast<const From*>(pa)[i], b = static_cast<const From*>(pb)[i]; \
      static_cast<To*>(dst)[i] = value;                                                    \
    }                                                                                      \
  }
HEARTH_WIDE_BINARY(HEARTH_ROW)
#undef HEARTH_ROW

template <class T>
void select_wide(void* dst, const void* pa, const void* pb, const void* pc, int64_t n) {
  using Alias __attribute__((may_alias)) = T;
  Alias* y = static_cast<Alias*>(dst);
  const U* a = static_cast<const U*>(pa);
  const Alias *b = static_cast<const Alias*>(pb), *c = static_cast<const Alias*>(pc);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] != 0 ? b[i] : c[i];
}

template <class T>
void copy_wide(void* dst, const void* pa, const void*, const void*, int64_t n) {
  __builtin_memmove(dst, pa, size_t(n) * sizeof(T));
}
