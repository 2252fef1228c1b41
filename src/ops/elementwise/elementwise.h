// SPDX-License-Identifier: Apache-2.0
#pragma once
// Element-wise operations, StableHLO semantics: operands of one shape and dtype give a result of that shape.
// The functions here broadcast like NumPy first (shapes aligned at the right, 1 stretches), and take plain numbers.
// Throw Error{shape} when shapes do not broadcast, Error{dtype} when dtypes differ or the operation has no meaning
// there. "Inexact" are floats and complex numbers. Special functions: ops/special/special.h.

#include <complex>

#include "ir/graph.h"
#include "ops/complex/complex.h"

namespace hearth {

// --- made from nothing ----------------------------------------------------------------------------------------------

Value constant(Graph& graph, double value, DType dtype = DType::f32, const Dims& dims = {});   // every element the same
Value constant(Graph& graph, std::complex<double> value, DType dtype, const Dims& dims = {});  // complex dtypes
// Row-major; of complex dtypes real part, imaginary part, real part ...
Value constant_list(Graph& graph, const std::vector<double>& values, DType dtype, const Dims& dims);
Value iota(Graph& graph, DType dtype, const Dims& dims, int64_t axis);  // element = its index along axis
Value scalar_like(const Value& x, double value);                        // constant of x's dtype and shape

Value unary(const char* op, const Value& x);
Value binary(const char* op, const Value& a, const Value& b);
Dims broadcast_dims(const char* op, const Value& a, const Value& b);  // NumPy's rule; Error{shape} names op

// --- conversion and choice ------------------------------------------------------------------------------------------

// x itself when it already is of that dtype. Floats to integers truncate and saturate, NaN gives 0; complex numbers
// lose their imaginary part; to bool: x != 0.
Value convert(const Value& x, DType dtype);
// The same bits. To a narrower dtype the result gets a last axis of width(x) / width(dtype), to a wider one it loses
// that axis (Error{shape} unless it is width(dtype) / width(x)). Neither to nor from bool; complex to complex only.
Value bitcast_convert(const Value& x, DType dtype);
// Rounded to a float with so many bits (ties to even) and back; too large becomes infinite, below the smallest normal
// number becomes 0 of that sign. Needs exponent_bits >= 1, mantissa_bits >= 0: Error{value}.
Value reduce_precision(const Value& x, int64_t exponent_bits, int64_t mantissa_bits);
Value select(const Value& pred, const Value& on_true,
             const Value& on_false);  // pred bool, of any shape that broadcasts
// "EQ" "NE" "LT" "LE" "GT" "GE", to bool. Comparisons with NaN are false but NE; in total order -NaN is the smallest
// and NaN the largest number, and -0 lies below 0. Complex numbers: "EQ" and "NE".
Value compare(const char* direction, const Value& a, const Value& b, bool total_order = false);
Value clamp(const Value& low, const Value& x, const Value& high);         // minimum(maximum(x, low), high); NaN stays
inline Value is_finite(const Value& x) { return unary("is_finite", x); }  // floats, to bool

// --- of one number, inexact -----------------------------------------------------------------------------------------

inline Value exp(const Value& x) { return unary("exponential", x); }
inline Value expm1(const Value& x) { return unary("exponential_minus_one", x); }  // exp(x) - 1, precise near 0
inline Value log(const Value& x) { return unary("log", x); }
inline Value log1p(const Value& x) { return unary("log_plus_one", x); }  // log(1 + x), precise near 0
inline Value sqrt(const Value& x) { return unary("sqrt", x); }
inline Value rsqrt(const Value& x) { return unary("rsqrt", x); }
inline Value cbrt(const Value& x) { return unary("cbrt", x); }
inline Value logistic(const Value& x) { return unary("logistic", x); }
inline Value tanh(const Value& x) { return unary("tanh", x); }
inline Value sin(const Value& x) { return unary("sine", x); }
inline Value cos(const Value& x) { return unary("cosine", x); }
inline Value tan(const Value& x) { return unary("tan", x); }

// --- of one number, signed or not -----------------------------------------------------------------------------------

Value abs(const Value& x);  // of complex numbers real; x itself if it has no sign
inline Value operator-(const Value& x) { return unary("negate", x); }
inline Value sign(const Value& x) { return unary("sign", x); }  // -1, 0, 1; keeps -0 and NaN; complex: x / |x|
inline Value floor(const Value& x) { return unary("floor", x); }
inline Value ceil(const Value& x) { return unary("ceil", x); }
inline Value round_nearest_afz(const Value& x) { return unary("round_nearest_afz", x); }  // ties away from zero
inline Value round_nearest_even(const Value& x) { return unary("round_nearest_even", x); }

// --- integers and bool ----------------------------------------------------------------------------------------------

inline Value operator~(const Value& x) { return unary("not", x); }
inline Value popcnt(const Value& x) { return unary("popcnt", x); }  // bits that are set
inline Value count_leading_zeros(const Value& x) { return unary("count_leading_zeros", x); }
inline Value operator&(const Value& a, const Value& b) { return binary("and", a, b); }
inline Value operator|(const Value& a, const Value& b) { return binary("or", a, b); }
inline Value operator^(const Value& a, const Value& b) { return binary("xor", a, b); }
// Shifting by the width or more gives 0; arithmetic to the right: the sign.
inline Value shift_left(const Value& a, const Value& b) { return binary("shift_left", a, b); }
inline Value shift_right_logical(const Value& a, const Value& b) { return binary("shift_right_logical", a, b); }
inline Value shift_right_arithmetic(const Value& a, const Value& b) { return binary("shift_right_arithmetic", a, b); }

// --- of two numbers -------------------------------------------------------------------------------------------------

inline Value maximum(const Value& a, const Value& b) { return binary("maximum", a, b); }  // NaN if one is; +0 above -0
inline Value minimum(const Value& a, const Value& b) { return binary("minimum", a, b); }
inline Value power(const Value& a, const Value& b) { return binary("power", a, b); }  // integers: 1 / a^n truncated
inline Value remainder(const Value& a, const Value& b) { return binary("remainder", a, b); }  // sign of a, as C's fmod
inline Value atan2(const Value& a, const Value& b) { return binary("atan2", a, b); }          // angle of (b, a)

// Integers wrap around; x / 0 = -1 (all bits), the smallest integer / -1 is itself. add of bool: or; multiply: and.
inline Value operator+(const Value& a, const Value& b) { return binary("add", a, b); }
inline Value operator-(const Value& a, const Value& b) { return binary("subtract", a, b); }
inline Value operator*(const Value& a, const Value& b) { return binary("multiply", a, b); }
inline Value operator/(const Value& a, const Value& b) { return binary("divide", a, b); }
inline Value operator+(const Value& a, double b) { return a + constant(*a.graph, b, a.dtype()); }
inline Value operator-(const Value& a, double b) { return a - constant(*a.graph, b, a.dtype()); }
inline Value operator*(const Value& a, double b) { return a * constant(*a.graph, b, a.dtype()); }
inline Value operator/(const Value& a, double b) { return a / constant(*a.graph, b, a.dtype()); }
inline Value operator*(double a, const Value& b) { return b * a; }
inline Value operator+(double a, const Value& b) { return b + a; }
inline Value operator-(double a, const Value& b) { return constant(*b.graph, a, b.dtype()) - b; }
inline Value operator/(double a, const Value& b) { return constant(*b.graph, a, b.dtype()) / b; }

inline Value silu(const Value& x) { return x * logistic(x); }

}  // namespace hearth
