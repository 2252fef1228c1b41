// SPDX-License-Identifier: Apache-2.0
#pragma once
// Element-wise operations, StableHLO semantics: operands of one shape and dtype give a result of that shape.
// The functions here broadcast like NumPy first (shapes aligned at the right, 1 stretches), and take plain numbers.
// Throw Error{shape} when shapes do not broadcast, Error{dtype} when dtypes differ or the operation has no meaning
// there.

#include "ir/graph.h"

namespace hearth {

Value constant(Graph& graph, double value, DType dtype = DType::f32, const Dims& dims = {});  // every element the same
Value constant_list(Graph& graph, const std::vector<double>& values, DType dtype, const Dims& dims);
Value iota(Graph& graph, DType dtype, const Dims& dims, int64_t axis);  // element = its index along axis
Value scalar_like(const Value& x, double value);                        // constant of x's dtype and shape

Value unary(const char* op, const Value& x);
Value binary(const char* op, const Value& a, const Value& b);

Value convert(const Value& x, DType dtype);  // x itself when it already is of that dtype
Value select(const Value& pred, const Value& on_true, const Value& on_false);
Value compare(const char* direction, const Value& a,
              const Value& b);  // "EQ" "NE" "LT" "LE" "GT" "GE"; false for NaN but NE

inline Value exp(const Value& x) { return unary("exponential", x); }
inline Value log(const Value& x) { return unary("log", x); }
inline Value sqrt(const Value& x) { return unary("sqrt", x); }
inline Value rsqrt(const Value& x) { return unary("rsqrt", x); }
inline Value logistic(const Value& x) { return unary("logistic", x); }
inline Value tanh(const Value& x) { return unary("tanh", x); }
inline Value sin(const Value& x) { return unary("sine", x); }
inline Value cos(const Value& x) { return unary("cosine", x); }
inline Value operator-(const Value& x) { return unary("negate", x); }
inline Value maximum(const Value& a, const Value& b) { return binary("maximum", a, b); }
inline Value minimum(const Value& a, const Value& b) { return binary("minimum", a, b); }

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
