// SPDX-License-Identifier: Apache-2.0
#pragma once
// Operations on complex numbers as formulas of their real and imaginary parts, for devices that compute with real
// numbers only.

#include "ir/op.h"

namespace hearth {

// OpInfo::expand of operations that take complex numbers: no values where none of the node's are complex.
std::vector<Value> expand_complex(Graph& graph, const Node& node, const std::vector<Value>& in);
// The same for operations that move elements or add them up: each part by itself.
std::vector<Value> expand_by_parts(Graph& graph, const Node& node, const std::vector<Value>& in);
// Of "reduce" (sum, product) and "dot_general" (four real ones).
std::vector<Value> expand_complex_reduce(Graph& graph, const Node& node, const std::vector<Value>& in);
std::vector<Value> expand_complex_dot_general(Graph& graph, const Node& node, const std::vector<Value>& in);

struct Parts {
  Value re, im;
};
Parts parts_of(const Value& z);  // of a real number: itself and zeros
Value joined(const Parts& z);

Parts operator+(const Parts& a, const Parts& b);
Parts operator-(const Parts& a, const Parts& b);
Parts operator-(const Parts& a);
Parts operator*(const Parts& a, const Parts& b);
Parts operator/(const Parts& a, const Parts& b);  // neither overflows nor loses digits on the way
Parts plus(const Parts& a, double real);
Parts times_i(const Parts& a);

Value magnitude(const Parts& z);  // neither overflows nor underflows on the way
// log |z|, precise near |z| = 1 too.
Value log_magnitude(const Parts& z);
Parts parts_of_sqrt(const Parts& z);
Parts parts_of_log(const Parts& z);
Parts parts_of_exp(const Parts& z);

// Real functions that the formulas share; they overflow only where the result does.
Value real_sinh(const Value& x);
Value real_cosh(const Value& x);
// x with the sign of sign, the sign of -0 included.
Value with_sign_of(const Value& x, const Value& sign);

}  // namespace hearth
