// SPDX-License-Identifier: Apache-2.0
// Integer division and powers, and numbers between the dtypes. Included once per instruction set by
// row_program_impl.h, inside its namespace.

// StableHLO: a quotient by zero has all bits set, the smallest number divided by -1 wraps around to itself.
// A division takes as long as it takes: there is no vector instruction for it.
HEARTH_INLINE int32_t quotient(int32_t a, int32_t b) {
  return b == 0 ? -1 : b == -1 ? int32_t(0u - uint32_t(a)) : a / b;
}
HEARTH_INLINE int64_t quotient(int64_t a, int64_t b) {
  return b == 0 ? -1 : b == -1 ? int64_t(uint64_t(0) - uint64_t(a)) : a / b;
}
HEARTH_INLINE uint32_t quotient(uint32_t a, uint32_t b) { return b == 0 ? ~0u : a / b; }
HEARTH_INLINE uint64_t quotient(uint64_t a, uint64_t b) { return b == 0 ? ~uint64_t(0) : a / b; }
// The remainder has the sign of the dividend; by zero it is the dividend.
HEARTH_INLINE int32_t rest(int32_t a, int32_t b) { return b == 0 ? a : b == -1 ? 0 : a % b; }
HEARTH_INLINE int64_t rest(int64_t a, int64_t b) { return b == 0 ? a : b == -1 ? 0 : a % b; }
HEARTH_INLINE uint32_t rest(uint32_t a, uint32_t b) { return b == 0 ? a : a % b; }
HEARTH_INLINE uint64_t rest(uint64_t a, uint64_t b) { return b == 0 ? a : a % b; }

// By squaring, wrapping around. A negative exponent gives the fraction cut off: 0 but for 1 and -1.
template <class T>
HEARTH_INLINE T wrapped_power(T base, T exponent) {
  T result = 1;
  for (; exponent; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}
HEARTH_INLINE uint32_t integer_power(uint32_t a, uint32_t b) { return wrapped_power(a, b); }
HEARTH_INLINE uint64_t integer_power(uint64_t a, uint64_t b) { return wrapped_power(a, b); }
HEARTH_INLINE int64_t integer_power(int64_t a, int64_t b) {
  if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
  return int64_t(wrapped_power(uint64_t(a), uint64_t(b)));
}
HEARTH_INLINE int32_t integer_power(int32_t a, int32_t b) { return int32_t(integer_power(int64_t(a), int64_t(b))); }

// Rounded to odd: what is not an f32 becomes the neighbour whose last bit is set. Rounding that again to fewer bits
// then gives what rounding x at once would have given. Source: Boldo & Melquiond 2005, "When double rounding is odd".
HEARTH_INLINE float odd_f32(double x) {
  const float nearest = float(x);
  const double back = double(nearest), magnitude = __builtin_fabs(x);
  const uint32_t away = __builtin_fabs(back) > magnitude ? 1u : 0u, inexact = back != x ? 1u : 0u;
  return float_of((bits_of(nearest) - away) | inexact);
}
// The same from 64 bits: the 11 bits that an f64 has no place for leave a trace of themselves in the one above them.
HEARTH_INLINE double sticky_f64(uint64_t x) {
  const uint64_t traced = (x & ~uint64_t(0x7ff)) | ((x & 0x7ff) ? 0x800u : 0u);
  return double(x >> 53 ? traced : x);
}
HEARTH_INLINE float odd_f32(uint64_t x) { return odd_f32(sticky_f64(x)); }
HEARTH_INLINE float odd_f32(int64_t x) {
  const double magnitude = sticky_f64(x < 0 ? uint64_t(0) - uint64_t(x) : uint64_t(x));
  return odd_f32(x < 0 ? -magnitude : magnitude);
}

// Values outside the target's range saturate, NaN gives 0.
HEARTH_INLINE int64_t to_i64(double x) {
  const bool fits = (x >= -0x1p63) & (x < 0x1p63);
  const int64_t y = int64_t(fits ? x : 0.0);
  const int64_t outside = x > 0 ? INT64_MAX : x < 0 ? INT64_MIN : 0;
  return fits ? y : outside;
}
HEARTH_INLINE uint64_t to_u64(double x) {
  const bool high = x >= 0x1p63, fits = (x >= 0) & (x < 0x1p64);
  const double low = high ? x - 0x1p63 : x;
  const uint64_t y = uint64_t(int64_t(fits ? low : 0.0)) + (high ? uint64_t(1) << 63 : 0);
  return fits ? y : x > 0 ? ~uint64_t(0) : 0;
}
HEARTH_INLINE int32_t to_i32(double x) {
  const double low = x > -2147483648.0 ? x : -2147483648.0, within = low < 2147483647.0 ? low : 2147483647.0;
  return x == x ? int32_t(within) : 0;
}
HEARTH_INLINE uint32_t to_u32(double x) {
  const double low = x > 0 ? x : 0, within = low < 4294967295.0 ? low : 4294967295.0;
  return uint32_t(int64_t(within));
}

HEARTH_INLINE double max_of(double a, double b) {
  const double tie = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, a) & __builtin_bit_cast(uint64_t, b));
  return a != a ? a : a == b ? tie : a > b ? a : b;
}
HEARTH_INLINE double min_of(double a, double b) {
  const double tie = __builtin_bit_cast(double, __builtin_bit_cast(uint64_t, a) | __builtin_bit_cast(uint64_t, b));
  return a != a ? a : a == b ? tie : a < b ? a : b;
}
