// SPDX-License-Identifier: Apache-2.0
// The operations on vectors that row_program_functions.h is written in. Included once per instruction set by
// row_program_impl.h, inside its namespace.

#if defined(__AVX512F__)
constexpr __mmask16 kAll = 0xffff;  // the forms without a mask make GCC 12 warn of values that are not set
#endif

// The larger and the smaller; NaN in x stays.
#if defined(__AVX512F__)
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return _mm512_maskz_max_ps(kAll, _mm512_set1_ps(low), x); }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return _mm512_maskz_min_ps(kAll, _mm512_set1_ps(high), x); }
HEARTH_INLINE VectorF fma(VectorF a, VectorF b, VectorF c) { return _mm512_fmadd_ps(a, b, c); }
HEARTH_INLINE VectorF fnma(VectorF a, VectorF b, VectorF c) { return _mm512_fnmadd_ps(a, b, c); }
#elif defined(__AVX2__)
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return _mm256_max_ps(_mm256_set1_ps(low), x); }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return _mm256_min_ps(_mm256_set1_ps(high), x); }
HEARTH_INLINE VectorF fma(VectorF a, VectorF b, VectorF c) { return _mm256_fmadd_ps(a, b, c); }
HEARTH_INLINE VectorF fnma(VectorF a, VectorF b, VectorF c) { return _mm256_fnmadd_ps(a, b, c); }
#else
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return x < low ? low - VectorF{} : x; }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return x > high ? high - VectorF{} : x; }
HEARTH_INLINE VectorF fma(VectorF a, VectorF b, VectorF c) { return a * b + c; }
HEARTH_INLINE VectorF fnma(VectorF a, VectorF b, VectorF c) { return c - a * b; }
#endif

HEARTH_INLINE VectorF constant(VectorF, float x) { return splat(x); }
HEARTH_INLINE VectorF constant_bits(VectorF, uint32_t x) { return splat(float_of(x)); }
HEARTH_INLINE VectorF bits_and(VectorF a, VectorF b) { return (VectorF)((VectorU)a & (VectorU)b); }
HEARTH_INLINE VectorF bits_or(VectorF a, VectorF b) { return (VectorF)((VectorU)a | (VectorU)b); }
HEARTH_INLINE VectorF bits_plus(VectorF a, VectorF b) { return (VectorF)((VectorU)a + (VectorU)b); }
HEARTH_INLINE VectorF bits_minus(VectorF a, VectorF b) { return (VectorF)((VectorU)a - (VectorU)b); }
HEARTH_INLINE VectorF bits_left(VectorF a, int by) { return (VectorF)((VectorU)a << by); }
HEARTH_INLINE VectorF bits_right(VectorF a, int by) { return (VectorF)((VectorU)a >> by); }
HEARTH_INLINE VectorF bits_right_signed(VectorF a, int by) { return (VectorF)((VectorI)a >> by); }
HEARTH_INLINE VectorF less(VectorF a, VectorF b) { return (VectorF)(a < b); }
HEARTH_INLINE VectorF negative(VectorF a) { return (VectorF)((VectorI)a < 0); }
HEARTH_INLINE VectorF where(VectorF mask, VectorF yes, VectorF no) { return (VectorI)mask ? yes : no; }

// IEEE 754-2019 maximum and minimum, as max_of and min_of: NaN wins, and +0 is above -0. The sum of a NaN and anything
// is NaN.
#if defined(__AVX512F__)
HEARTH_INLINE VectorF maximum(VectorF a, VectorF b) {
  const VectorF larger = _mm512_maskz_range_ps(kAll, a, b, 5);
  return _mm512_mask_add_ps(larger, _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q), a, b);
}
HEARTH_INLINE VectorF minimum(VectorF a, VectorF b) {
  const VectorF smaller = _mm512_maskz_range_ps(kAll, a, b, 4);
  return _mm512_mask_add_ps(smaller, _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q), a, b);
}
#elif defined(__AVX2__)
HEARTH_INLINE VectorF nan_or(VectorF a, VectorF b, VectorF no) {
  return _mm256_blendv_ps(no, a + b, _mm256_cmp_ps(a, b, _CMP_UNORD_Q));
}
HEARTH_INLINE VectorF maximum(VectorF a, VectorF b) {
  return nan_or(a, b, _mm256_and_ps(_mm256_max_ps(a, b), _mm256_max_ps(b, a)));
}
HEARTH_INLINE VectorF minimum(VectorF a, VectorF b) {
  return nan_or(a, b, _mm256_or_ps(_mm256_min_ps(a, b), _mm256_min_ps(b, a)));
}
#else
HEARTH_INLINE VectorF maximum(VectorF a, VectorF b) {
  return (a > b) | (a != a) | ((a == b) & ((VectorI)b < 0)) ? a : b;
}
HEARTH_INLINE VectorF minimum(VectorF a, VectorF b) {
  return (a < b) | (a != a) | ((a == b) & ((VectorI)a < 0)) ? a : b;
}
#endif

template <class V>
constexpr bool kLongTables = sizeof(V) == 64;
#if defined(__AVX512F__)
HEARTH_INLINE VectorF reciprocal(VectorF x) { return _mm512_maskz_rcp14_ps(kAll, x); }
HEARTH_INLINE VectorF scaled(VectorF x, VectorF n) { return _mm512_maskz_scalef_ps(kAll, x, n); }
HEARTH_INLINE VectorF looked_up(const float (&table)[16], VectorF integer) {
  return _mm512_maskz_permutexvar_ps(kAll, (__m512i)integer, _mm512_load_ps(table));
}
HEARTH_INLINE VectorF looked_up(const float (&table)[32], VectorF integer) {
  return _mm512_permutex2var_ps(_mm512_load_ps(table), (__m512i)integer, _mm512_load_ps(table + 16));
}
#elif defined(__AVX2__)
HEARTH_INLINE VectorF reciprocal(VectorF x) { return _mm256_rcp_ps(x); }
HEARTH_INLINE VectorF looked_up(const float (&table)[8], VectorF integer) {
  return _mm256_permutevar8x32_ps(_mm256_load_ps(table), (__m256i)integer);
}
#else
HEARTH_INLINE VectorF reciprocal(VectorF x) { return 1.0f / x; }
HEARTH_INLINE VectorF looked_up(const float (&table)[8], VectorF integer) {
  const VectorU i = (VectorU)integer & 7;
  return VectorF{table[i[0]], table[i[1]], table[i[2]], table[i[3]]};
}
#endif
