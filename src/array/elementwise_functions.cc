// SPDX-License-Identifier: Apache-2.0
#include "array/elementwise_functions.h"

#include <cmath>
#include <numbers>

#include "array/axes.h"
#include "array/lift.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

using OfOne = Value (*)(const Value&);
using OfTwo = Value (*)(const Value&, const Value&);

Array inexact(const Array& x, OfOne f) { return lift(x, f, promote_to_inexact); }
Array inexact(const Array& a, const Array& b, OfTwo f) { return lift(a, b, f, promote_to_inexact); }
Array as_is(const Array& x, OfOne f) { return lift(x, f); }
Array as_is(const Array& a, const Array& b, OfTwo f) { return lift(a, b, f); }

void check_bits(const char* function, const Arrays& operands) {
  for (const Array& x : operands)
    HEARTH_CHECK(!is_inexact(x.dtype()), dtype, function, ": needs integers or bool; an operand is ", x.type());
}

void check_real(const char* function, const Arrays& operands) {
  for (const Array& x : operands)
    HEARTH_CHECK(!is_complex(x.dtype()), dtype, function, ": needs real numbers; an operand is ", x.type());
}

// Integers are round already.
Array rounded(const Array& x, OfOne f) {
  if (!is_inexact(x.dtype())) return x;
  return lift(x, f);
}

}  // namespace

Array floor_divide(const Array& a, const Array& b) { return as_is(a, b, hearth::floor_divide); }
Array remainder(const Array& a, const Array& b) { return as_is(a, b, hearth::mod); }
Array fmod(const Array& a, const Array& b) { return as_is(a, b, hearth::fmod); }
Arrays divmod(const Array& a, const Array& b) { return {floor_divide(a, b), remainder(a, b)}; }
Array pow(const Array& a, const Array& b) { return as_is(a, b, hearth::power); }
Array square(const Array& x) { return as_is(x, hearth::square); }
Array reciprocal(const Array& x) { return inexact(x, hearth::reciprocal); }
Array maximum(const Array& a, const Array& b) { return as_is(a, b, hearth::maximum); }
Array minimum(const Array& a, const Array& b) { return as_is(a, b, hearth::minimum); }
Array hypot(const Array& a, const Array& b) {
  check_real("hypot", {a, b});
  return inexact(a, b, hearth::hypot);
}
Array copysign(const Array& a, const Array& b) {
  check_real("copysign", {a, b});
  return inexact(a, b, hearth::copysign);
}
Array nextafter(const Array& a, const Array& b) {
  check_real("nextafter", {a, b});
  return inexact(a, b, hearth::nextafter);
}

Array abs(const Array& x) {
  if (x.dtype() == DType::boolean || is_unsigned_int(x.dtype())) return x;
  return as_is(x, hearth::abs);
}

Array sign(const Array& x) {
  if (is_unsigned_int(x.dtype())) return minimum(x, 1);
  return as_is(x, hearth::sign);
}

Array fmax(const Array& a, const Array& b) { return where((a >= b) | isnan(b), a, b); }
Array fmin(const Array& a, const Array& b) { return where((a <= b) | isnan(b), a, b); }

Array clip(const Array& x, const std::optional<Array>& low, const std::optional<Array>& high) {
  broadcast_of("clip", {x.shape(), low ? low->shape() : Dims{}, high ? high->shape() : Dims{}});
  Array y = x;
  if (low) y = maximum(y, *low);
  if (high) y = minimum(y, *high);
  return y;
}

Array heaviside(const Array& x, const Array& at_zero) {
  return lift(
      x, at_zero,
      [](const Value& v, const Value& middle) {
        const Value zero = scalar_like(v, 0);
        const Value side = select(compare("GT", v, zero), scalar_like(v, 1), zero);
        return select(is_nan(v), v, select(compare("EQ", v, zero), middle, side));
      },
      promote_to_inexact);
}

// In three steps, so that powers of 2 stay finite where the product is; 16-bit floats in f32, whose range holds them.
Array ldexp(const Array& x, const Array& exponent) {
  check_bits("ldexp", {exponent});
  const Array y = inexact(x, [](const Value& v) { return v; });
  const DType wide = size_bytes(y.dtype()) == 2 ? DType::f32 : y.dtype();
  const Array e = exponent.astype(DType::i32), third = floor_divide(e, 3);
  const Array power = exp2(third.astype(wide)), last = exp2((e - 2 * third).astype(wide));
  return (y.astype(wide) * power * power * last).astype(y.dtype());
}

Array ceil(const Array& x) { return rounded(x, hearth::ceil); }
Array floor(const Array& x) { return rounded(x, hearth::floor); }
Array trunc(const Array& x) { return rounded(x, hearth::trunc); }

Array round(const Array& x, int64_t decimals) {
  if (is_complex(x.dtype())) {
    return lift(round(real(x), decimals), round(imag(x), decimals),
                [](const Value& re, const Value& im) { return complex(re, im); });
  }
  HEARTH_CHECK(decimals >= -300 && decimals <= 300, value, "round: cannot keep ", decimals, " decimals");
  if (decimals == 0) return rounded(x, hearth::round_nearest_even);
  if (!is_inexact(x.dtype())) {
    if (decimals > 0) return x;
    return round(x.astype(DType::f64), decimals).astype(x.dtype());
  }
  const double factor = std::pow(10.0, double(std::abs(decimals)));
  return decimals > 0 ? round(x * factor) / factor : round(x / factor) * factor;
}

Array exp(const Array& x) { return inexact(x, hearth::exp); }
Array expm1(const Array& x) { return inexact(x, hearth::expm1); }
Array exp2(const Array& x) { return inexact(x, hearth::exp2); }
Array log(const Array& x) { return inexact(x, hearth::log); }
Array log1p(const Array& x) { return inexact(x, hearth::log1p); }
Array log2(const Array& x) { return inexact(x, hearth::log2); }
Array log10(const Array& x) { return inexact(x, hearth::log10); }
Array logaddexp(const Array& a, const Array& b) { return inexact(a, b, hearth::logaddexp); }
Array logaddexp2(const Array& a, const Array& b) {
  constexpr double ln2 = std::numbers::ln2;
  return inexact(a, b, [](const Value& x, const Value& y) { return logaddexp(x * ln2, y * ln2) / ln2; });
}
Array sqrt(const Array& x) { return inexact(x, hearth::sqrt); }
Array cbrt(const Array& x) { return inexact(x, hearth::cbrt); }
Array rsqrt(const Array& x) { return inexact(x, hearth::rsqrt); }

Array sin(const Array& x) { return inexact(x, hearth::sin); }
Array cos(const Array& x) { return inexact(x, hearth::cos); }
Array tan(const Array& x) { return inexact(x, hearth::tan); }
Array asin(const Array& x) { return inexact(x, hearth::asin); }
Array acos(const Array& x) { return inexact(x, hearth::acos); }
Array atan(const Array& x) { return inexact(x, hearth::atan); }
Array atan2(const Array& y, const Array& x) {
  check_real("atan2", {y, x});
  return inexact(y, x, hearth::atan2);
}
Array sinh(const Array& x) { return inexact(x, hearth::sinh); }
Array cosh(const Array& x) { return inexact(x, hearth::cosh); }
Array tanh(const Array& x) { return inexact(x, hearth::tanh); }
Array asinh(const Array& x) { return inexact(x, hearth::asinh); }
Array acosh(const Array& x) { return inexact(x, hearth::acosh); }
Array atanh(const Array& x) { return inexact(x, hearth::atanh); }
Array deg2rad(const Array& x) { return x * (std::numbers::pi / 180); }
Array rad2deg(const Array& x) { return x * (180 / std::numbers::pi); }
Array sinc(const Array& x) { return inexact(x, hearth::sinc); }

Array real(const Array& x) { return is_complex(x.dtype()) ? as_is(x, hearth::real) : x; }
Array imag(const Array& x) { return as_is(x, hearth::imag); }
Array conj(const Array& x) { return is_complex(x.dtype()) ? as_is(x, hearth::conj) : x; }
Array angle(const Array& x) { return inexact(x, hearth::angle); }

Array isfinite(const Array& x) { return as_is(x, hearth::is_finite_number); }
Array isinf(const Array& x) { return as_is(x, hearth::is_inf); }
Array isnan(const Array& x) { return as_is(x, hearth::is_nan); }
Array signbit(const Array& x) { return as_is(x, hearth::signbit); }
Array logical_and(const Array& a, const Array& b) { return as_is(a, b, hearth::logical_and); }
Array logical_or(const Array& a, const Array& b) { return as_is(a, b, hearth::logical_or); }
Array logical_xor(const Array& a, const Array& b) { return as_is(a, b, hearth::logical_xor); }
Array logical_not(const Array& x) { return as_is(x, hearth::logical_not); }

Array bitwise_and(const Array& a, const Array& b) { return check_bits("bitwise_and", {a, b}), a & b; }
Array bitwise_or(const Array& a, const Array& b) { return check_bits("bitwise_or", {a, b}), a | b; }
Array bitwise_xor(const Array& a, const Array& b) { return check_bits("bitwise_xor", {a, b}), a ^ b; }
Array bitwise_invert(const Array& x) { return check_bits("bitwise_invert", {x}), ~x; }
Array bitwise_left_shift(const Array& a, const Array& b) { return check_bits("bitwise_left_shift", {a, b}), a << b; }
Array bitwise_right_shift(const Array& a, const Array& b) { return check_bits("bitwise_right_shift", {a, b}), a >> b; }
Array bitwise_count(const Array& x) {
  check_bits("bitwise_count", {x});
  if (x.dtype() == DType::boolean) return x.astype(DType::u8);
  return lift(abs(x), hearth::popcnt).astype(DType::u8);
}

Array where(const Array& condition, const Array& a, const Array& b) {
  const std::lock_guard lock(array_mutex());
  broadcast_of("where", {condition.shape(), a.shape(), b.shape()});
  const PromotedType type = promoted({a, b});
  const Values in = to_values({a, b}, type.dtype);
  const Value pred = to_value(condition);
  const Value holds = pred.dtype() == DType::boolean ? pred : convert(pred, DType::boolean);
  return from_value(select(holds, in[0], in[1]), type.weak);
}

}  // namespace hearth
