// SPDX-License-Identifier: Apache-2.0
#pragma once
// Element-wise functions on arrays: the Array API standard's, and NumPy's beside them. Results have the shape to which
// the operands broadcast (Error{shape} when they do not) and the type to which they promote (array/promote.h).
// "Inexact": bool and integers become f32 first. Where a function has no meaning for a dtype: Error{dtype}.
// Compositions of these for neural networks and comparisons of whole arrays: array/elementwise_extras.h.

#include <optional>

#include "array/array.h"

namespace hearth {

// --- arithmetic -----------------------------------------------------------------------------------------------------

inline Array add(const Array& a, const Array& b) { return a + b; }
inline Array subtract(const Array& a, const Array& b) { return a - b; }
inline Array multiply(const Array& a, const Array& b) { return a * b; }
inline Array divide(const Array& a, const Array& b) { return a / b; }  // inexact
Array floor_divide(const Array& a, const Array& b);                    // rounds down; integers: a / 0 = 0
Array remainder(const Array& a, const Array& b);                       // sign of b; integers: a mod 0 = 0
inline Array mod(const Array& a, const Array& b) { return remainder(a, b); }
Array fmod(const Array& a, const Array& b);     // sign of a, as in C; integers: 0 for b = 0
Arrays divmod(const Array& a, const Array& b);  // floor_divide and remainder
Array pow(const Array& a, const Array& b);      // of integers an integer, wraps around
inline Array power(const Array& a, const Array& b) { return pow(a, b); }
inline Array positive(const Array& x) { return +x; }
inline Array negative(const Array& x) { return -x; }
Array abs(const Array& x);   // of complex numbers real
Array sign(const Array& x);  // -1, 0, 1; complex: x / |x|; unsigned: 0, 1
Array square(const Array& x);
Array reciprocal(const Array& x);               // inexact
Array maximum(const Array& a, const Array& b);  // NaN if one is
Array minimum(const Array& a, const Array& b);
Array fmax(const Array& a, const Array& b);  // the other one if one is NaN
Array fmin(const Array& a, const Array& b);
// minimum(maximum(x, low), high); a bound left out does not bind. The result has the type to which all promote.
Array clip(const Array& x, const std::optional<Array>& low = {}, const std::optional<Array>& high = {});
Array hypot(const Array& a, const Array& b);            // inexact; without overflow
Array copysign(const Array& a, const Array& b);         // inexact: |a| with the sign of b
Array nextafter(const Array& a, const Array& b);        // inexact: the next number after a towards b
Array heaviside(const Array& x, const Array& at_zero);  // inexact: 0 below zero, 1 above; NaN stays
Array ldexp(const Array& x, const Array& exponent);     // inexact: x 2^exponent, exponent an integer

// --- rounding: integers as they are ---------------------------------------------------------------------------------

Array ceil(const Array& x);
Array floor(const Array& x);
Array trunc(const Array& x);
Array round(const Array& x, int64_t decimals = 0);  // ties to even; complex numbers part by part

// --- exponentials and logarithms, inexact ---------------------------------------------------------------------------

Array exp(const Array& x);
Array expm1(const Array& x);
Array exp2(const Array& x);
Array log(const Array& x);
Array log1p(const Array& x);
Array log2(const Array& x);
Array log10(const Array& x);
Array logaddexp(const Array& a, const Array& b);   // log(exp(a) + exp(b)) without overflow
Array logaddexp2(const Array& a, const Array& b);  // log2(2^a + 2^b)
Array sqrt(const Array& x);
Array cbrt(const Array& x);
Array rsqrt(const Array& x);

// --- angles, inexact ------------------------------------------------------------------------------------------------

Array sin(const Array& x);
Array cos(const Array& x);
Array tan(const Array& x);
Array asin(const Array& x);
Array acos(const Array& x);
Array atan(const Array& x);
Array atan2(const Array& y, const Array& x);
Array sinh(const Array& x);
Array cosh(const Array& x);
Array tanh(const Array& x);
Array asinh(const Array& x);
Array acosh(const Array& x);
Array atanh(const Array& x);
Array deg2rad(const Array& x);
Array rad2deg(const Array& x);
Array sinc(const Array& x);  // sin(pi x) / (pi x)

// --- complex numbers ------------------------------------------------------------------------------------------------

Array real(const Array& x);  // real numbers: x itself
Array imag(const Array& x);  // real numbers: zeros
Array conj(const Array& x);
Array angle(const Array& x);  // inexact; radians

// --- comparisons, to bool -------------------------------------------------------------------------------------------

inline Array equal(const Array& a, const Array& b) { return a == b; }
inline Array not_equal(const Array& a, const Array& b) { return a != b; }
inline Array less(const Array& a, const Array& b) { return a < b; }
inline Array less_equal(const Array& a, const Array& b) { return a <= b; }
inline Array greater(const Array& a, const Array& b) { return a > b; }
inline Array greater_equal(const Array& a, const Array& b) { return a >= b; }
Array isfinite(const Array& x);
Array isinf(const Array& x);
Array isnan(const Array& x);
Array signbit(const Array& x);
Array logical_and(const Array& a, const Array& b);  // of x != 0; NaN is true
Array logical_or(const Array& a, const Array& b);
Array logical_xor(const Array& a, const Array& b);
Array logical_not(const Array& x);

// --- bits of integers and bool --------------------------------------------------------------------------------------

Array bitwise_and(const Array& a, const Array& b);
Array bitwise_or(const Array& a, const Array& b);
Array bitwise_xor(const Array& a, const Array& b);
Array bitwise_invert(const Array& x);
Array bitwise_left_shift(const Array& a, const Array& b);   // by the width or more: 0
Array bitwise_right_shift(const Array& a, const Array& b);  // of signed integers arithmetic
Array bitwise_count(const Array& x);                        // bits that are set in |x|, as u8

// --- choice ---------------------------------------------------------------------------------------------------------

// a where the condition holds (is not 0), b elsewhere. The derivative of the branch not taken is 0, even where NaN.
Array where(const Array& condition, const Array& a, const Array& b);

}  // namespace hearth
