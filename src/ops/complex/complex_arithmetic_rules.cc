// SPDX-License-Identifier: Apache-2.0
// Arithmetic, magnitude, square root of complex numbers as real formulas.
#include <limits>

#include "ops/complex/complex_parts.h"
#include "ops/elementwise/elementwise.h"

namespace hearth {

Parts parts_of(const Value& z) { return {real(z), imag(z)}; }
Value joined(const Parts& z) { return complex(z.re, z.im); }

Parts operator+(const Parts& a, const Parts& b) { return {a.re + b.re, a.im + b.im}; }
Parts operator-(const Parts& a, const Parts& b) { return {a.re - b.re, a.im - b.im}; }
Parts operator-(const Parts& a) { return {-a.re, -a.im}; }
Parts operator*(const Parts& a, const Parts& b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
Parts plus(const Parts& a, double real) { return {a.re + real, a.im}; }
Parts times_i(const Parts& a) { return {-a.im, a.re}; }

static Value is(const Value& x, double value) { return compare("EQ", x, scalar_like(x, value)); }
static Value below(const Value& x, double value) { return compare("LT", x, scalar_like(x, value)); }
static Value not_number(const Value& x) { return compare("NE", x, x); }

Value with_sign_of(const Value& x, const Value& sign) {
  const DType bits = x.dtype() == DType::f64 ? DType::u64 : DType::u32;
  const Value one = constant(*x.graph, 1.0, bits), width = constant(*x.graph, double(size_bytes(bits) * 8 - 1), bits);
  const Value top = shift_left(one, width), rest = top - one;
  return bitcast_convert((bitcast_convert(x, bits) & rest) | (bitcast_convert(sign, bits) & top), x.dtype());
}

struct Limits {
  double max, smallest_normal, epsilon, infinity = std::numeric_limits<double>::infinity();
};
static Limits limits_of(const Value& x) {
  if (x.dtype() == DType::f64) return {std::numeric_limits<double>::max(), 0x1p-1022, 0x1p-52};
  return {double(std::numeric_limits<float>::max()), 0x1p-126, 0x1p-23};
}

// --- division -------------------------------------------------------------------------------------------------------

// What both parts are multiplied with first, so that no product of the division overflows or becomes subnormal.
static Value scale_for_division(const Parts& z) {
  const Limits limits = limits_of(z.re);
  const Value size = maximum(abs(z.re), abs(z.im));
  const Value large = compare("GE", size, scalar_like(size, limits.max / 2));
  const Value small = compare("LE", size, scalar_like(size, 2 * limits.smallest_normal / limits.epsilon));
  return select(large, scalar_like(size, 0.5),
                select(small, scalar_like(size, 2 / (limits.epsilon * limits.epsilon)), scalar_like(size, 1)));
}

// (a + i b) / (c + i d) for |c| >= |d|. Where d / c underflows, b (d / c) is taken as d (b / c).
static Parts divided_by_larger_real(const Value& a, const Value& b, const Value& c, const Value& d) {
  const Value r = d / c, t = c + d * r, lost = is(r, 0);
  return {(a + select(lost, d * (b / c), b * r)) / t, (b - select(lost, d * (a / c), a * r)) / t};
}

// 1 with x's sign where x is infinite, else 0 with x's sign; NaN gives 0.
static Value unit_of_infinity(const Value& x) {
  const Value infinite = is(abs(x), limits_of(x).infinity);
  return with_sign_of(select(infinite, scalar_like(x, 1), scalar_like(x, 0)), x);
}

// What a quotient of NaN and NaN should have been: x / 0 and infinite / finite are infinite, finite / infinite is 0.
static Parts recovered_quotient(const Parts& q, const Parts& x, const Parts& y) {
  const double infinity = limits_of(q.re).infinity;
  const auto finite = [](const Parts& z) { return is_finite(z.re) & is_finite(z.im); };
  const auto infinite = [&](const Parts& z) { return is(abs(z.re), infinity) | is(abs(z.im), infinity); };
  const Value lost = not_number(q.re) & not_number(q.im);
  const Value by_zero = lost & is(y.re, 0) & is(y.im, 0);
  const Value to_infinity = lost & infinite(x) & finite(y), to_zero = lost & finite(x) & infinite(y);
  const Value pole = with_sign_of(scalar_like(y.re, infinity), y.re);
  const Value a = unit_of_infinity(x.re), b = unit_of_infinity(x.im);
  const Value c = unit_of_infinity(y.re), d = unit_of_infinity(y.im);
  const auto choose = [&](const Value& usual, const Value& zero, const Value& above, const Value& below) {
    return select(by_zero, pole * zero, select(to_infinity, infinity * above, select(to_zero, 0.0 * below, usual)));
  };
  return {choose(q.re, x.re, a * y.re + b * y.im, x.re * c + x.im * d),
          choose(q.im, x.im, b * y.re - a * y.im, x.im * c - x.re * d)};
}

// Source: Smith 1962, as made safe by Baudin & Smith 2012, arXiv:1210.4539; NaN as in C99, annex G.
Parts operator/(const Parts& x, const Parts& y) {
  const Value sx = scale_for_division(x), sy = scale_for_division(y);
  const Value a = x.re * sx, b = x.im * sx, c = y.re * sy, d = y.im * sy;
  const Value turned = compare("LT", abs(c), abs(d));  // then (a + i b) / (c + i d) = (b - i a) / (d - i c)
  const Parts q =
      divided_by_larger_real(select(turned, b, a), select(turned, -a, b), select(turned, d, c), select(turned, -c, d));
  return recovered_quotient({q.re * sy / sx, q.im * sy / sx}, x, y);
}

// --- magnitude, square root -----------------------------------------------------------------------------------------

Value magnitude(const Parts& z) {
  const double infinity = limits_of(z.re).infinity;
  const Value a = abs(z.re), b = abs(z.im), large = maximum(a, b), ratio = minimum(a, b) / large;
  const Value usual = select(is(large, 0), large, large * sqrt(ratio * ratio + 1.0));
  return select(is(a, infinity) | is(b, infinity), scalar_like(a, infinity), usual);  // even when the other is NaN
}

Value log_magnitude(const Parts& z) {
  const double infinity = limits_of(z.re).infinity;
  const Value a = abs(z.re), b = abs(z.im), large = maximum(a, b), small = minimum(a, b), ratio = small / large;
  const Value far =
      select(is(ratio, 0) | is(large, 0) | is(small, infinity), log(large), log(large) + 0.5 * log1p(ratio * ratio));
  const Value close = 0.5 * log1p((large - 1.0) * (large + 1.0) + small * small);
  const Value usual = select(below(large, 2) & compare("GT", large, scalar_like(large, 0.5)), close, far);
  return select(is(a, infinity) | is(b, infinity), scalar_like(a, infinity), usual);
}

// With t = sqrt((|x| + |z|) / 2): t + i y / 2t for x >= 0, |y| / 2t + i sign(y) t below. |x| + |z| is m (r + h) with m
// the larger part, so that nothing overflows.
Parts parts_of_sqrt(const Parts& z) {
  const double infinity = limits_of(z.re).infinity;
  const Value a = abs(z.re), b = abs(z.im), m = maximum(a, b), ratio = minimum(a, b) / m;
  const Value t = sqrt(m) * sqrt(0.5 * (a / m + sqrt(ratio * ratio + 1.0))), other = b / (2.0 * t);
  const Value left = below(z.re, 0), zero = is(m, 0), far = is(b, infinity);
  const Value real_far = is(a, infinity), nothing = scalar_like(a, 0), all = scalar_like(a, infinity);
  const Value re_usual = select(real_far, select(left, select(not_number(b), b, nothing), all), select(left, other, t));
  const Value im_usual = select(real_far, select(left, all, select(not_number(b), b, nothing)), select(left, t, other));
  return {select(far, all, select(zero, nothing, re_usual)),
          with_sign_of(select(far, all, select(zero, nothing, im_usual)), z.im)};
}

}  // namespace hearth
