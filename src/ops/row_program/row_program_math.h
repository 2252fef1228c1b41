// SPDX-License-Identifier: Apache-2.0
// Elementary functions without branches, so that loops over them become vector code. Included once per instruction set,
// in an anonymous namespace; nothing from the standard library, whose inline functions must not get that set's flags.
// Source of the polynomials unless said otherwise: Moshier, Cephes 2.8 single precision (logf.c, sinf.c).

#define HEARTH_INLINE static inline __attribute__((always_inline))
#define HEARTH_MEMBER inline __attribute__((always_inline))

HEARTH_INLINE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
HEARTH_INLINE float float_of(uint32_t x) { return __builtin_bit_cast(float, x); }
HEARTH_INLINE float magnitude_of(float x) { return float_of(bits_of(x) & 0x7fffffffu); }

constexpr float kInf = __builtin_inff();
constexpr float kLog2e = 1.44269504088896341f;
constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // the high part has 9 bits: n * high is exact
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds |x| < 2^22 to an integer, in the low bits

// Measured: 0.81 ulp.
HEARTH_INLINE float log_of(float x) {
  const bool subnormal = x < 1.17549435e-38f;
  const uint32_t u = bits_of(subnormal ? x * 8388608.0f : x);
  // Mantissa m in [sqrt(1/2), sqrt(2)), x = m 2^n.
  const uint32_t moved = u - 0x3f3504f3u;
  const int32_t n = (int32_t(moved) >> 23) - (subnormal ? 23 : 0);
  const float m = float_of((moved & 0x7fffffu) + 0x3f3504f3u) - 1.0f, z = m * m, e = float(n);
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = p * m * z;
  y += kLn2Low * e;
  y -= 0.5f * z;
  y = m + y + kLn2High * e;
  y = x == kInf ? x : y;
  y = x == 0.0f ? -kInf : y;
  return x >= 0.0f ? y : __builtin_nanf("");
}

// log(u) with u = 1 + x rounded, and the first-order correction for what the rounding lost. Measured: 1.44 ulp.
HEARTH_INLINE float log1p_of(float x) {
  const float u = 1.0f + x, y = log_of(u) + (x - (u - 1.0f)) / u;
  const bool as_is = (u == kInf) | (x == 0.0f);  // infinity, and -0.0
  return as_is ? x : x == -1.0f ? -kInf : y;
}

// sin and cos for |x| < kSineLimit: x = n pi/2 + r with r in double, whose error n * 2^-53 is below 1e-7.
// Measured: 7.5e-8 absolute.
constexpr float kSineLimit = 5e8f;

HEARTH_INLINE float sine_of(float x, int32_t quarter_turns) {
  const double shifted = double(x) * 0.63661977236758134 + 6755399441055744.0;  // 1.5 * 2^52 rounds as above
  const double n = shifted - 6755399441055744.0;
  const float r = float((double(x) - n * 1.5707963267948966) - n * 6.123233995736766e-17), z = r * r;
  float s = -1.9515295891e-4f;
  s = s * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * r + r;
  float c = 2.443315711809948e-5f;
  c = c * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  const uint32_t quadrant = uint32_t(int32_t(n)) + uint32_t(quarter_turns);
  const float y = quadrant & 1 ? c : s;
  const float signed_y = float_of(bits_of(y) ^ (quadrant & 2) << 30);
  return quarter_turns == 0 && x == 0.0f ? x : signed_y;  // sin(-0) = -0
}

// tan for |x| < kSineLimit, by the same reduction; pi/2 in three parts, of which n times the first two is exact,
// because near a pole the error of r counts relative to r.
HEARTH_INLINE float tan_of(float x) {
  const double shifted = double(x) * 0.63661977236758134 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double far_part = (double(x) - n * 0x1.921fb4p+0) - n * 0x1.4442d0p-24;
  const float r = float(far_part - n * 0x1.8469898cc5170p-48), z = r * r;
  float p = 9.38540185543e-3f;
  p = p * z + 3.11992232697e-3f;
  p = p * z + 2.44301354525e-2f;
  p = p * z + 5.34112807005e-2f;
  p = p * z + 1.33387994085e-1f;
  p = p * z + 3.33331568548e-1f;
  const float t = p * z * r + r, y = uint32_t(int32_t(n)) & 1 ? -1.0f / t : t;
  return x == 0.0f ? x : y;  // tan(-0) = -0
}

// Two steps of Halley's method in double, from the exponent divided by three. Source: Kahan & Bindel 2001, as in
// FreeBSD's cbrtf.
HEARTH_INLINE float cbrt_of(float x) {
  const float a = magnitude_of(x);
  const bool subnormal = a < 1.17549435e-38f;
  const float scaled = subnormal ? a * 16777216.0f : a;
  const double exact = double(scaled);
  double t = double(float_of(bits_of(scaled) / 3 + 709958130u)), r = t * t * t;
  t = t * (exact + exact + r) / (exact + r + r);
  r = t * t * t;
  t = t * (exact + exact + r) / (exact + r + r);
  const float y = float(subnormal ? t * 0.00390625 : t);
  const bool as_is = (x == 0.0f) | !(a < kInf);  // zeros, infinities, NaN
  return as_is ? x : float_of(bits_of(y) | (bits_of(x) & 0x80000000u));
}

// The angle of (x, y): atan(t) / t as a polynomial in t^2 for t in 0..1 (a Chebyshev interpolation), the rest by
// reflection at the diagonals, pi in two parts.
HEARTH_INLINE float atan2_of(float y, float x) {
  const float a = magnitude_of(y), b = magnitude_of(x), high = a > b ? a : b, low = a > b ? b : a;
  const float ratio = low == high ? 1.0f : low / high, t = high == 0.0f ? 0.0f : ratio, z = t * t;
  float p = -1.701170064e-3f;
  p = p * z + 1.048764925e-2f;
  p = p * z - 3.035186479e-2f;
  p = p * z + 5.708955593e-2f;
  p = p * z - 8.349724968e-2f;
  p = p * z + 1.09323415e-1f;
  p = p * z - 1.426001608e-1f;
  p = p * z + 1.999807528e-1f;
  p = p * z - 3.333327629e-1f;
  const float octant = p * z * t + t, steep = (1.57079637f - octant) - 4.37113883e-8f;
  const float quarter = a > b ? steep : octant, left = (3.14159274f - quarter) - 8.74227766e-8f;
  const float angle = bits_of(x) >> 31 ? left : quarter;
  const float number = float_of(bits_of(angle) | (bits_of(y) & 0x80000000u));
  return (x != x) | (y != y) ? x + y : number;
}

// The number below 1/2 keeps 0.49999997 from being lifted to 1.
HEARTH_INLINE float round_away_of(float x) {
  return __builtin_truncf(x + float_of(bits_of(0.49999997f) | (bits_of(x) & 0x80000000u)));
}

HEARTH_INLINE uint32_t popcnt_of(uint32_t x) {
  x -= (x >> 1) & 0x55555555u;
  x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
  return (((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u) >> 24;
}
HEARTH_INLINE uint32_t leading_zeros_of(uint32_t x) {
  x |= x >> 1;
  x |= x >> 2;
  x |= x >> 4;
  x |= x >> 8;
  x |= x >> 16;
  return 32 - popcnt_of(x);
}

// bf16 and f16 values nearest to x, ties to even; NaN stays NaN.
HEARTH_INLINE uint32_t bf16_bits(float x) {
  const uint32_t u = bits_of(x), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40 : rounded;
}

HEARTH_INLINE uint32_t f16_bits(float x) {
  const uint32_t u = bits_of(x), a = u & 0x7fffffffu, sign = (u >> 16) & 0x8000;
  const uint32_t normal = (a + 0xfff + ((a >> 13) & 1) - 0x38000000u) >> 13;
  // Adding 0.5 leaves a multiple of 2^-24, f16's smallest subnormal, in the low bits, rounded to even by the addition.
  const uint32_t small = bits_of(float_of(a) + 0.5f) - 0x3f000000u;
  const uint32_t nan = 0x7e00 | ((a >> 13) & 0x3ff);
  uint32_t y = a < 0x38800000u ? small : normal;
  y = a >= 0x47800000u ? 0x7c00 : y;
  y = a > 0x7f800000u ? nan : y;
  return sign | y;
}
HEARTH_INLINE float f16_value(uint32_t h) {
  const uint32_t a = h & 0x7fff, sign = (h & 0x8000) << 16;
  const uint32_t normal = (a << 13) + 0x38000000u, huge = (a << 13) + 0x70000000u;
  const uint32_t small = bits_of(float(int32_t(a)) * 0x1p-24f);
  const uint32_t y = a < 0x400 ? small : a < 0x7c00 ? normal : huge;
  return float_of(sign | y);
}

// Values outside the target's range saturate, NaN gives 0.
HEARTH_INLINE int32_t to_i32(float x) {
  const bool fits = (x >= -2147483648.0f) & (x < 2147483648.0f);
  const int32_t y = int32_t(fits ? x : 0.0f);
  const int32_t outside = x > 0.0f ? 2147483647 : x < 0.0f ? -2147483647 - 1 : 0;
  return fits ? y : outside;
}
HEARTH_INLINE uint32_t to_u32(float x) {
  const bool high = x >= 2147483648.0f, fits = (x >= 0.0f) & (x < 4294967296.0f);
  const float low = high ? x - 2147483648.0f : x;
  const uint32_t y = uint32_t(int32_t(fits ? low : 0.0f)) + (high ? 0x80000000u : 0u);
  return fits ? y : x > 0.0f ? 0xffffffffu : 0u;
}
// Both halves are exact in f32, so the sum rounds once.
HEARTH_INLINE float from_u32(uint32_t x) { return float(int32_t(x >> 16)) * 65536.0f + float(int32_t(x & 0xffff)); }

// IEEE 754-2019 maximum and minimum: NaN wins, and +0 is above -0.
HEARTH_INLINE float max_of(float a, float b) {
  const float tie = float_of(bits_of(a) & bits_of(b));
  return a != a ? a : a == b ? tie : a > b ? a : b;
}
HEARTH_INLINE float min_of(float a, float b) {
  const float tie = float_of(bits_of(a) | bits_of(b));
  return a != a ? a : a == b ? tie : a < b ? a : b;
}
