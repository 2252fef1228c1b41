// SPDX-License-Identifier: Apache-2.0
// exp and what is made of it, on vectors: the functions that most of a model's row programs spend their time in.
// Included once per instruction set by row_program_impl.h, inside its namespace. Source of the polynomials: Moshier,
// Cephes 2.8 single precision (expf.c, tanhf.c).

#if defined(__AVX512F__)
constexpr __mmask16 kAll = 0xffff;  // the forms without a mask make GCC 12 warn of values that are not set
#endif

// The larger and the smaller; NaN in x stays.
#if defined(__AVX512F__)
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return _mm512_maskz_max_ps(kAll, _mm512_set1_ps(low), x); }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return _mm512_maskz_min_ps(kAll, _mm512_set1_ps(high), x); }
#elif defined(__AVX2__)
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return _mm256_max_ps(_mm256_set1_ps(low), x); }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return _mm256_min_ps(_mm256_set1_ps(high), x); }
#else
HEARTH_INLINE VectorF at_least(float low, VectorF x) { return x < low ? low - VectorF{} : x; }
HEARTH_INLINE VectorF at_most(float high, VectorF x) { return x > high ? high - VectorF{} : x; }
#endif

HEARTH_INLINE VectorF magnitude_of(VectorF x) { return (VectorF)((VectorU)x & 0x7fffffffu); }
HEARTH_INLINE VectorF negative_magnitude_of(VectorF x) { return (VectorF)((VectorU)x | 0x80000000u); }
HEARTH_INLINE VectorF with_sign(VectorF magnitude, VectorF sign) {
  return (VectorF)(((VectorU)magnitude & 0x7fffffffu) | ((VectorU)sign & 0x80000000u));
}

// 2^n for -126 <= n <= 127.
HEARTH_INLINE VectorF power_of_two(VectorI n) { return (VectorF)((n + 127) << 23); }

// exp(x) = 2^n (1 + tail) with |ln(1 + tail)| <= ln(2) / 2. The two parts of r = x - n ln(2) are added last: rounding r
// itself would cost a quarter of an ulp.
struct ExpParts {
  VectorF n, tail;
  HEARTH_MEMBER VectorI power() const { return (VectorI)(n + kRounder) - int32_t(bits_of(kRounder)); }
};
HEARTH_INLINE ExpParts exp_parts(VectorF x) {
  const VectorF n = (x * kLog2e + kRounder) - kRounder;
  const VectorF high = x - n * kLn2High, low = n * kLn2Low, r = high - low;
  VectorF p = 1.9875691500e-4f * r + 1.3981999507e-3f;  // (exp(r) - 1 - r) / r^2
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {n, (p * (r * r) - low) + high};
}

// exp(x) for -104 <= x <= 89, NaN for NaN. Below 2^-126 it rounds once more, as a subnormal; above 2^128 it becomes
// infinity.
#if defined(__AVX512F__)
// x = n ln(2) + r with n a multiple of 1/16, so that a table of 2^(i/16) and a short polynomial do: half the time.
// Measured over every 7th float: 0.80 ulp.
HEARTH_INLINE VectorF exp_within(VectorF x) {
  alignas(64) static constexpr float kPowers[kLanes] = {
      1.0f,        1.04427373f, 1.09050775f, 1.13878858f, 1.18920708f, 1.24185777f, 1.29683959f, 1.35425556f,
      1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f, 1.68179286f, 1.75625217f, 1.8340081f,  1.91520655f};
  alignas(64) static constexpr float kPowersLost[kLanes] = {// what rounding them lost
                                                            0.0f,
                                                            4.83347016e-08f,
                                                            -1.30775399e-08f,
                                                            5.38622231e-08f,
                                                            3.79763527e-08f,
                                                            4.4968381e-08f,
                                                            -4.01899953e-08f,
                                                            -1.01233493e-08f,
                                                            2.4203235e-08f,
                                                            -4.50089885e-08f,
                                                            8.07090483e-09f,
                                                            9.83621717e-09f,
                                                            -2.47553267e-08f,
                                                            -9.23577037e-09f,
                                                            -1.1239278e-08f,
                                                            9.84532811e-09f};
  constexpr float kSixteenths = kRounder / 16;  // adding it leaves 16 n in the low bits
  const VectorF shifted = x * kLog2e + kSixteenths, n = shifted - kSixteenths;
  const VectorF r = (x - n * kLn2High) - n * kLn2Low;  // at most ln(2) / 32
  const VectorF power = _mm512_maskz_permutexvar_ps(kAll, (__m512i)shifted, _mm512_load_ps(kPowers));
  const VectorF lost = _mm512_maskz_permutexvar_ps(kAll, (__m512i)shifted, _mm512_load_ps(kPowersLost));
  const VectorF tail = ((r * 0.16666667f + 0.5f) * r + 1.0f) * r;
  return _mm512_maskz_scalef_ps(kAll, (power * tail + lost) + power, n);  // 2^floor(n)
}
#else
// Measured: 0.89 ulp.
HEARTH_INLINE VectorF exp_within(VectorF x) {
  const ExpParts e = exp_parts(x);
  const VectorI n = e.power(), half = n >> 1;  // in two halves, each a power of two that there is
  return (1.0f + e.tail) * power_of_two(half) * power_of_two(n - half);
}
#endif

HEARTH_INLINE VectorF exp_of(VectorF x) { return exp_within(at_least(-104.0f, at_most(89.0f, x))); }

// Measured: 1.37 ulp.
HEARTH_INLINE VectorF expm1_of(VectorF x) {
  const ExpParts e = exp_parts(at_least(-18.0f, at_most(89.0f, x)));
  const VectorF half = power_of_two(e.power() - 1);  // n = 128 must not overflow before its time
  const VectorF y = (e.tail * half + (half - 0.5f)) * 2.0f;
  return magnitude_of(x) < 1e-8f ? x : y;  // keeps -0.0
}

// Measured: 1.34 ulp.
HEARTH_INLINE VectorF tanh_of(VectorF x) {
  const VectorF a = magnitude_of(x), z = a * a;
  VectorF p = -5.70498872745e-3f * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const VectorF near = p * z * a + a;
  const VectorF far = 1.0f - 2.0f / (exp_of(a + a) + 1.0f);
  return with_sign(a < 0.625f ? near : far, x);
}

// With e = exp(-|x|), which never overflows: 1 / (1 + e) for x >= 0, e / (1 + e) below, so that the relative error of
// far negative arguments stays small. Rounding d = 1 + e alone costs an ulp when the quotient lies below a power of
// two: what it lost is taken off again.
HEARTH_INLINE VectorF logistic_of(VectorF x) {
  const VectorF e = exp_within(at_least(-104.0f, negative_magnitude_of(x))), d = 1.0f + e;
#if defined(__AVX512F__)
  // One step of Newton from the processor's 14 bits. 1 - y is exact, so the step sees 1 + e unrounded. Division would
  // take longer than all the rest. Measured: 1.95 ulp.
  const VectorF y = _mm512_maskz_rcp14_ps(kAll, d), inverse = y + y * ((1.0f - y) - e * y);
  return _mm512_mask_mul_ps(inverse, _mm512_movepi32_mask((__m512i)x), inverse, e);
#else
  // Measured: 1.94 ulp.
  const VectorI negative = (VectorI)x < 0;
  const VectorF lost = e - (d - 1.0f), quotient = (negative ? e : splat(1.0f)) / d;
  const VectorF inverse = negative ? 1.0f - quotient : quotient;  // 1 / d
  return quotient - quotient * (lost * inverse);
#endif
}

// x P(x^2) near 0, 1 - exp(L(|x|)) beyond, where 1 - erf is small and so is its error. P and L are Chebyshev
// interpolations of erf(x) / x and log(1 - erf(x)). Measured: 1.5 ulp.
HEARTH_INLINE VectorF erf_of(VectorF x) {
  const VectorF a = at_most(4.0f, magnitude_of(x)), z = a * a;
  VectorF p = -5.954904e-4f * z + 4.9864773e-3f;
  p = p * z - 2.6762350e-2f;
  p = p * z + 1.12817093e-1f;
  p = p * z - 3.76124849e-1f;
  p = p * z + 1.28379149e-1f;  // P - 1
  VectorF l = 1.64306366e-6f * a - 4.61638586e-5f;
  l = l * a + 5.97585770e-4f;
  l = l * a - 4.76262583e-3f;
  l = l * a + 2.64276372e-2f;
  l = l * a - 1.10087166e-1f;
  l = l * a - 6.31823916e-1f;
  l = l * a - 1.13023106f;
  l = l * a + 3.18539662e-4f;
  return with_sign(a < 0.9f ? p * a + a : 1.0f - exp_within(l), x);
}
