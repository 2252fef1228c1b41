// SPDX-License-Identifier: Apache-2.0
// Elementary functions without branches, so that loops over them become vector code. Included once per instruction set,
// in an anonymous namespace; nothing from the standard library, whose inline functions must not get that set's flags.
// Source of the polynomials unless said otherwise: Moshier, Cephes 2.8 single precision (expf.c, logf.c, tanhf.c,
// sinf.c).

#define HEARTH_INLINE static inline __attribute__((always_inline))

HEARTH_INLINE uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
HEARTH_INLINE float float_of(uint32_t x) { return __builtin_bit_cast(float, x); }
HEARTH_INLINE float magnitude_of(float x) { return float_of(bits_of(x) & 0x7fffffffu); }
HEARTH_INLINE float with_sign(float magnitude, float sign) {
  return float_of((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

constexpr float kInf = __builtin_inff();
constexpr float kLog2e = 1.44269504088896341f;
constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;  // the high part has 9 bits: n * high is exact
constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds |x| < 2^22 to an integer, in the low bits

// 2^n for -126 <= n <= 127.
HEARTH_INLINE float power_of_two(int32_t n) { return float_of(uint32_t(n + 127) << 23); }

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2.
HEARTH_INLINE float exp_tail(float r) {
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  return p * r + 5.0000001201e-1f;
}

// exp(x) = 2^n (1 + tail) with |ln(1 + tail)| <= ln(2) / 2. The two parts of r = x - n ln(2) are added last: rounding r
// itself would cost a quarter of an ulp.
struct ExpParts {
  int32_t n;
  float tail;
};
HEARTH_INLINE ExpParts exp_parts(float x) {
  const float shifted = x * kLog2e + kRounder, n = shifted - kRounder;
  const float high = x - n * kLn2High, low = n * kLn2Low, r = high - low;
  return {int32_t(bits_of(shifted) - bits_of(kRounder)), (exp_tail(r) * (r * r) - low) + high};
}

// The power of two is applied in two halves: results below 2^-126 round once, as subnormals; above 2^128 become
// infinity. Measured over every 7th float: 0.89 ulp.
HEARTH_INLINE float exp_of(float x) {
  x = x > 89.0f ? 89.0f : x;  // NaN stays
  x = x < -104.0f ? -104.0f : x;
  const ExpParts e = exp_parts(x);
  const int32_t half = e.n >> 1;
  return (1.0f + e.tail) * power_of_two(half) * power_of_two(e.n - half);
}

// Measured: 1.37 ulp.
HEARTH_INLINE float expm1_of(float x) {
  const float kept = x;
  x = x > 89.0f ? 89.0f : x;
  x = x < -18.0f ? -18.0f : x;
  const ExpParts e = exp_parts(x);
  const float half = power_of_two(e.n - 1);  // n = 128 must not overflow before its time
  const float y = (e.tail * half + (half - 0.5f)) * 2.0f;
  return magnitude_of(kept) < 1e-8f ? kept : y;  // keeps -0.0
}

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

// Measured: 1.30 ulp.
HEARTH_INLINE float tanh_of(float x) {
  const float a = magnitude_of(x), z = a * a;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = p * z * a + a;
  const float far = 1.0f - 2.0f / (exp_of(a + a) + 1.0f);
  return with_sign(a < 0.625f ? near : far, x);
}

// exp(-|x|) never overflows, and the numerator keeps the relative error of far negative arguments small. Rounding
// d = 1 + e alone costs an ulp when the quotient lies below a power of two: what it lost, over d, is taken off again;
// 1 / d is 0.75 +- 0.25. Measured: 1.69 ulp.
HEARTH_INLINE float logistic_of(float x) {
  const float e = exp_of(-magnitude_of(x)), d = 1.0f + e, lost = e - (d - 1.0f);
  const float quotient = (x < 0.0f ? e : 1.0f) / d;
  return quotient - quotient * (lost * 0.75f);
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

// bf16 and f16 values nearest to x, ties to even; NaN stays NaN.
HEARTH_INLINE uint32_t bf16_bits(float x) {
  const uint32_t u = bits_of(x), rounded = (u + 0x7fff + ((u >> 16) & 1)) >> 16;
  return (u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40 : rounded;
}
HEARTH_INLINE float round_bf16_of(float x) { return float_of(bf16_bits(x) << 16); }

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
