// SPDX-License-Identifier: Apache-2.0
// exp and what is made of it, tanh and erf as straight lines of vector operations, written once for two readers: the
// tile functions of each instruction set (V: a vector) and row_code (V: a value of a recording, which becomes machine
// code). So both give the same bits, and every multiply-add is written as one: of a product that an addition reads, the
// compiler would make one by itself. Included inside a namespace, behind
// these operations on V:
//   + - * /, fma(a, b, c) = a b + c and fnma(a, b, c) = c - a b rounded once where the processor can;
//   constant(like, x), at_least(low, x), at_most(high, x) (NaN in x stays);
//   on bits: bits_and, bits_or, bits_plus, bits_minus, bits_left, bits_right, bits_right_signed;
//   less(a, b) -> mask, negative(x) -> mask, where(mask, yes, no); looked_up(table, low bits of an integer), of 8
//   numbers, and where kLongTables<V> of 16 and 32;
//   reciprocal(x), with an error below 2^-13.9 where kLongTables<V>, else 2^-11.4; scaled(x, n) = x 2^floor(n), there.

template <class V>
HEARTH_INLINE V magnitude(V x) {
  return bits_and(x, constant_bits(x, 0x7fffffffu));
}
// y >= 0 with the sign of x.
template <class V>
HEARTH_INLINE V signed_as(V y, V x) {
  return bits_or(y, bits_and(x, constant_bits(x, 0x80000000u)));
}
// p x + c, with constants.
template <class V>
HEARTH_INLINE V step(V p, V x, float c) {
  return fma(p, x, constant(x, c));
}

// 2^n of integers -126 <= n <= 127.
template <class V>
HEARTH_INLINE V power_of_two(V n) {
  return bits_left(bits_plus(n, constant_bits(n, 127)), 23);
}

// exp(x) = 2^n (1 + tail) with |ln(1 + tail)| <= ln(2) / 2; power: n as an integer. The two parts of r = x - n ln(2)
// are added last: rounding r itself would cost a quarter of an ulp. Source of the polynomial: Moshier, Cephes 2.8
// single precision (expf.c).
template <class V>
struct ExpParts {
  V power, tail;
};
template <class V>
HEARTH_INLINE ExpParts<V> exp_parts(V x) {
  const V shifted = fma(x, constant(x, kLog2e), constant(x, kRounder)), n = shifted - constant(x, kRounder);
  const V high = fnma(n, constant(x, kLn2High), x), low = n * constant(x, kLn2Low);
  const V r = fnma(n, constant(x, kLn2Low), high);
  V p = fma(constant(x, 1.9875691500e-4f), r, constant(x, 1.3981999507e-3f));  // (exp(r) - 1 - r) / r^2
  p = step(p, r, 8.3334519073e-3f);
  p = step(p, r, 4.1665795894e-2f);
  p = step(p, r, 1.6666665459e-1f);
  p = step(p, r, 5.0000001201e-1f);
  return {bits_minus(shifted, constant(x, kRounder)), fma(p, r * r, constant(x, 0.0f) - low) + high};
}

// exp(x) for -104 <= x <= 89, NaN for NaN. Below 2^-126 it rounds once more, as a subnormal; above 2^128 it becomes
// infinity. x = n ln(2) + r with n a multiple of 1/16 or 1/4, so that a table of powers of two and a short polynomial
// do. With 8 numbers it has those of two octaves, 2^(2 k + j/4), and the square of 2^k is made of two factors, as one
// of the two ends would be out of range. Measured over every 7th float: 0.80 ulp with long tables, 0.98 with short
// ones.
template <class V>
HEARTH_INLINE V exp_within(V x) {
  constexpr float kParts = kRounder / (kLongTables<V> ? 16 : 4);  // adding it leaves 16 n or 4 n in the low bits
  const V shifted = fma(x, constant(x, kLog2e), constant(x, kParts)), n = shifted - constant(x, kParts);
  const V r = fnma(n, constant(x, kLn2Low), fnma(n, constant(x, kLn2High), x));  // at most ln(2) / 32 or / 8
  if constexpr (kLongTables<V>) {
    const V tail = step(step(constant(x, 0.16666667f), r, 0.5f), r, 1.0f) * r;
    const V power = looked_up(kPowers, shifted), lost = looked_up(kPowersLost, shifted);
    return scaled(fma(power, tail, lost) + power, n);
  } else {
    const V tail = step(step(step(constant(x, 0.041641608f), r, 0.16672136f), r, 0.5000002f), r, 1.0f) * r;
    const V exponent = bits_left(shifted, 20);  // k, and j in three bits that the table takes off again
    const V power = bits_plus(looked_up(kPowersShort, shifted), exponent);
    const V other = bits_plus(bits_and(exponent, constant_bits(x, 0xff800000u)), constant(x, 1.0f));
    return fma(power, tail, power) * other;
  }
}

template <class V>
HEARTH_INLINE V exp_of(V x) {
  return exp_within(at_least(-104.0f, at_most(89.0f, x)));
}

// Measured: 1.37 ulp.
template <class V>
HEARTH_INLINE V expm1_of(V x) {
  const ExpParts<V> e = exp_parts(at_least(-18.0f, at_most(89.0f, x)));
  // n = 128 must not overflow before its time.
  const V half = power_of_two(bits_minus(e.power, constant_bits(x, 1)));
  const V y = fma(e.tail, half, half - constant(x, 0.5f)) * constant(x, 2.0f);
  return where(less(magnitude(x), constant(x, 1e-8f)), x, y);  // keeps -0.0
}

// A polynomial around the middle of the piece that |x| lies in, around 0 without constant term, so that the relative
// error stays small: 32 quarter octaves of |x|, or 8 half octaves of 1 + 1.66 |x|. Measured: 1.40 ulp, with short
// tables 1.01.
template <class V>
HEARTH_INLINE V tanh_of(V x) {
  if constexpr (kLongTables<V>) {
    const V a = at_most(9.1f, magnitude(x));  // beyond it is 1
    const V piece = bits_right(at_least(0.109375f, a), 21);
    const V r = a - looked_up(kTanhCentres, piece);
    V p = looked_up(kTanh[5], piece);
    for (int k = 4; k >= 0; --k) p = fma(p, r, looked_up(kTanh[k], piece));
    return signed_as(p, x);
  } else {
    const V a = at_most(9.02f, magnitude(x));
    const V piece = bits_right(fma(a, constant(x, 1.6629709f), constant(x, 1.0f)), 22);
    const V r = a - looked_up(kTanhCentresShort, piece);
    V p = looked_up(kTanhShort[7], piece);
    for (int k = 6; k >= 0; --k) p = fma(p, r, looked_up(kTanhShort[k], piece));
    return signed_as(p, x);
  }
}

// With e = exp(-|x|), which never overflows: 1 / (1 + e) for x >= 0, e / (1 + e) below, so that the relative error of
// far negative arguments stays small. The last of Newton's steps is of the quotient q: e - q and 1 - q are exact, so
// that it sees 1 + e unrounded. Division would take longer than all the rest. Measured: 1.87 ulp, with long
// tables 1.58.
template <class V>
HEARTH_INLINE V logistic_of(V x) {
  const V one = constant(x, 1.0f), e = exp_within(at_least(-104.0f, bits_or(x, constant_bits(x, 0x80000000u))));
  const V d = one + e, upper = where(negative(x), e, one);
  V inverse = reciprocal(d);
  if constexpr (!kLongTables<V>) inverse = fma(inverse, fnma(d, inverse, one), inverse);
  const V q = upper * inverse;
  return fma(inverse, fnma(q, e, upper - q), q);
}

// |x| + P(|x|) around the nearest multiple of 1/8, P a polynomial, around 0 without constant term; or, with short
// tables, of one of 8 quarter octaves of 1.25 + 0.94 |x|. There the constant term and r are added first, as P is near
// -1 where erf is flat; the centres lie to the right in their pieces, so that this sum stays below 1, where rounding it
// costs least. Measured: 1.5 ulp both.
template <class V>
HEARTH_INLINE V erf_of(V x) {
  if constexpr (kLongTables<V>) {
    constexpr float kEighths = kRounder / 8;
    const V a = at_most(3.92f, magnitude(x));  // beyond it is 1
    const V piece = a + constant(x, kEighths), r = a - (piece - constant(x, kEighths));
    V p = looked_up(kErf[5], piece);
    for (int k = 4; k >= 0; --k) p = fma(p, r, looked_up(kErf[k], piece));
    return signed_as(p + r, x);
  } else {
    const V a = at_most(3.99f, magnitude(x));
    const V piece = bits_right(fma(a, constant(x, 0.93984944f), constant(x, 1.25f)), 21);
    const V r = a - looked_up(kErfCentresShort, piece);
    V p = looked_up(kErfShort[6], piece);
    for (int k = 5; k >= 1; --k) p = fma(p, r, looked_up(kErfShort[k], piece));
    return signed_as(fma(p, r, looked_up(kErfShort[0], piece) + r), x);
  }
}
