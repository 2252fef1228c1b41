// SPDX-License-Identifier: Apache-2.0
#pragma once
// Special functions, as composites: a name, a decomposition into element-wise primitives, a derivative. Inputs of any
// shape, result of the same; two inputs broadcast like NumPy. f16 and bf16 are computed in f32 and rounded once.
// Meaning at the ends of the range: that of StableHLO's CHLO dialect, NumPy and C. Throw Error{dtype} for other dtypes
// than named, Error{shape} when shapes do not broadcast. Errors measured in special_accuracy_test.cc.

#include "ops/elementwise/elementwise.h"

namespace hearth {

// --- floats ---------------------------------------------------------------------------------------------------------

Value erf(const Value& x);      // 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x; one row instruction in f32
Value erfc(const Value& x);     // 1 - erf(x), with all digits where it is small
Value erf_inv(const Value& x);  // -1 and 1: -infinity and infinity; outside: NaN
Value lgamma(const Value& x);   // log |gamma(x)|; infinity at 0, -1, -2 ...
Value digamma(const Value& x);  // lgamma'(x); NaN at 0, -1, -2 ...
Value sinc(const Value& x);     // sin(pi x) / (pi x), 1 at 0
Value logaddexp(const Value& a, const Value& b);  // log(exp(a) + exp(b)) without overflow
Value hypot(const Value& a, const Value& b);      // sqrt(a^2 + b^2) without overflow; infinity even beside NaN

// --- floats and complex numbers -------------------------------------------------------------------------------------

// Branch cuts of complex numbers as in C99. Source of their formulas: Kahan 1987, "Branch cuts for complex elementary
// functions". Real numbers outside the domain give NaN.
Value asin(const Value& x);
Value acos(const Value& x);
Value atan(const Value& x);
Value sinh(const Value& x);
Value cosh(const Value& x);
Value asinh(const Value& x);
Value acosh(const Value& x);
Value atanh(const Value& x);
Value log2(const Value& x);
Value log10(const Value& x);
Value exp2(const Value& x);

// --- what NumPy has on top, any number unless said otherwise
// ----------------------------------------------------------

Value square(const Value& x);
Value reciprocal(const Value& x);                    // 1 / x; integers truncate, 1 / 0 = -1
Value trunc(const Value& x);                         // towards 0; integers as they are
Value floor_divide(const Value& a, const Value& b);  // rounds down; integers: a / 0 = 0; not complex
Value mod(const Value& a, const Value& b);           // sign of b, as in Python; integers: a mod 0 = 0; not complex
Value fmod(const Value& a, const Value& b);          // sign of a, as in C; integers: fmod(a, 0) = 0; not complex
Value signbit(const Value& x);                       // bool: below 0 or -0 or -NaN; not complex
Value copysign(const Value& magnitude, const Value& sign);  // floats
Value nextafter(const Value& from, const Value& to);        // floats; derivative 0
Value is_nan(const Value& x);                               // to bool; complex: either part
Value is_inf(const Value& x);
Value is_finite_number(const Value& x);             // of any dtype: integers always; complex: both parts
Value logical_and(const Value& a, const Value& b);  // to bool, of x != 0; NaN is true
Value logical_or(const Value& a, const Value& b);
Value logical_xor(const Value& a, const Value& b);
Value logical_not(const Value& x);

}  // namespace hearth
