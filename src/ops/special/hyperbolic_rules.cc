// SPDX-License-Identifier: Apache-2.0
// Hyperbolic functions and the inverse ones. Complex formulas: Kahan 1987, "Branch cuts for complex elementary
// functions", section 7.
#include <cmath>

#include "ops/special/special.h"
#include "ops/special/special_rules.h"

namespace hearth {

static const double kLog2 = std::log(2.0), kPi = std::acos(-1.0);

// --- real -----------------------------------------------------------------------------------------------------------

static Value asin_value(const Value& x) { return atan2(x, sqrt((1.0 - x) * (x + 1.0))); }
static Value acos_value(const Value& x) { return 2.0 * atan2(sqrt(1.0 - x), sqrt(x + 1.0)); }
static Value atan_value(const Value& x) { return atan2(x, scalar_like(x, 1)); }

// From here on x^2 + 1 and x^2 are the same number.
static double large_limit(const Value& x) { return is_f64(x) ? 1e9 : 1e5; }

// log(a + sqrt(a^2 + 1)) as log1p of what is small when a is.
static Value asinh_value(const Value& x) {
  const Value a = abs(x), far = above(a, large_limit(x)), inside = select(far, scalar_like(a, 1), a);
  const Value z = inside * inside, near = log1p(inside + z / (sqrt(z + 1.0) + 1.0));
  return with_sign_of(select(far, log(a) + kLog2, near), x);
}

static Value acosh_value(const Value& x) {
  const Value far = above(x, large_limit(x)), inside = select(far, scalar_like(x, 2), x), t = inside - 1.0;
  const Value y = select(far, log(x) + kLog2, log1p(t + sqrt(t * (t + 2.0))));
  return select(below(x, 1), scalar_like(x, std::nan("")), y);
}

static Value atanh_value(const Value& x) {
  const Value a = abs(x);
  return with_sign_of(0.5 * log1p(2.0 * a / (1.0 - a)), x);
}

static Value sinc_value(const Value& x) {
  const Value zero = equals(x, 0), z = kPi * select(zero, scalar_like(x, 1), x);
  return select(zero, scalar_like(x, 1), sin(z) / z);
}
// (cos(pi x) - sinc(x)) / x; near 0, where that cancels, its series.
static Value sinc_slope(const Value& x, const Value& y) {
  const double s = kPi * kPi;
  const Value near = below(abs(x), 0.02), inside = select(near, scalar_like(x, 1), x), z = x * x;
  const Value series = -s / 3 * x * (1.0 - s / 10 * z * (1.0 - s / 28 * z));
  return select(near, series, (cos(kPi * inside) - y) / inside);
}

// --- complex --------------------------------------------------------------------------------------------------------

static Parts conjugate(const Parts& z) { return {z.re, -z.im}; }
static Parts minus_i_times(const Parts& z) { return {z.im, -z.re}; }

struct Roots {
  Parts minus, plus;  // sqrt(1 - z), sqrt(1 + z)
};
static Roots roots_of(const Parts& z) { return {parts_of_sqrt(plus(-z, 1)), parts_of_sqrt(plus(z, 1))}; }

static Parts asin_parts(const Parts& z) {
  const Roots r = roots_of(z);
  return {atan2(z.re, (r.minus * r.plus).re), asinh_value((conjugate(r.minus) * r.plus).im)};
}
static Parts acos_parts(const Parts& z) {
  const Roots r = roots_of(z);
  return {2.0 * atan2(r.minus.re, r.plus.re), asinh_value((conjugate(r.plus) * r.minus).im)};
}
static Parts acosh_parts(const Parts& z) {
  const Parts minus = parts_of_sqrt(plus(z, -1)), plus_one = parts_of_sqrt(plus(z, 1));
  return {asinh_value((conjugate(minus) * plus_one).re), 2.0 * atan2(minus.im, plus_one.re)};
}
static Parts asinh_parts(const Parts& z) { return minus_i_times(asin_parts(times_i(z))); }

// log((1 + z) / (1 - z)) / 2
static Parts atanh_parts(const Parts& z) {
  const Value a = abs(z.re), near = 1.0 - a, square = z.im * z.im;
  const Value re = 0.25 * log1p(4.0 * a / (near * near + square));
  return {with_sign_of(re, z.re), 0.5 * atan2(2.0 * z.im, (1.0 - z.re) * (z.re + 1.0) - square)};
}
static Parts atan_parts(const Parts& z) { return minus_i_times(atanh_parts(times_i(z))); }

// a b, and 0 where b is 0 even if a is infinite.
static Value times_exactly_zero(const Value& a, const Value& b) { return select(equals(b, 0), b, a * b); }
static Value sine(const Value& y) { return select(equals(y, 0), y, sin(y)); }

static Parts sinh_parts(const Parts& z) {
  return {times_exactly_zero(cos(z.im), real_sinh(z.re)), times_exactly_zero(real_cosh(z.re), sine(z.im))};
}
static Parts cosh_parts(const Parts& z) {
  return {times_exactly_zero(cos(z.im), real_cosh(z.re)), times_exactly_zero(real_sinh(z.re), sine(z.im))};
}

// --- the functions --------------------------------------------------------------------------------------------------

// 1 / sqrt((x - 1)(x + 1)) or with 1 - x; the complex roots one by one, because of their branch cuts.
static Value inverse_roots(const Value& first, const Value& second) {
  return is_complex(first.dtype()) ? 1.0 / (sqrt(first) * sqrt(second)) : rsqrt(first * second);
}

std::vector<SpecialFunction> hyperbolic_functions() {
  using V = const Value&;
  return {{"sinc", "sin(pi x) / (pi x)", sinc_value, nullptr, sinc_slope},
          {"asin", "inverse sine", asin_value, asin_parts, [](V x, V) { return inverse_roots(1.0 - x, x + 1.0); }},
          {"acos", "inverse cosine", acos_value, acos_parts, [](V x, V) { return -inverse_roots(1.0 - x, x + 1.0); }},
          {"atan", "inverse tangent", atan_value, atan_parts, [](V x, V) { return 1.0 / (x * x + 1.0); }},
          {"sinh", "hyperbolic sine", real_sinh, sinh_parts, [](V x, V) { return cosh(x); }},
          {"cosh", "hyperbolic cosine", real_cosh, cosh_parts, [](V x, V) { return sinh(x); }},
          {"asinh", "inverse hyperbolic sine", asinh_value, asinh_parts, [](V x, V) { return rsqrt(x * x + 1.0); }},
          {"acosh", "inverse hyperbolic cosine", acosh_value, acosh_parts,
           [](V x, V) { return inverse_roots(x - 1.0, x + 1.0); }},
          {"atanh", "inverse hyperbolic tangent", atanh_value, atanh_parts,
           [](V x, V) { return 1.0 / ((1.0 - x) * (x + 1.0)); }}};
}

}  // namespace hearth
