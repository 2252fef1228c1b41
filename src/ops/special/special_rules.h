// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the files of this folder share.

#include <initializer_list>

#include "ir/op.h"
#include "ops/complex/complex_parts.h"

namespace hearth {

// A function of one number: its value for f32 and f64, and (null: none) for complex numbers; dy/dx from x and y (null:
// by the decomposition).
struct SpecialFunction {
  const char* name;
  const char* doc;
  Value (*value)(const Value& x);
  Parts (*complex_value)(const Parts& z);
  Value (*derivative)(const Value& x, const Value& y);
};
std::vector<SpecialFunction> erf_functions();
std::vector<SpecialFunction> gamma_functions();
std::vector<SpecialFunction> hyperbolic_functions();
std::vector<OpInfo> pair_ops();  // logaddexp, hypot

// Horner's rule; the coefficient of the highest power first.
Value polynomial(const Value& x, std::initializer_list<double> coefficients);
inline bool is_f64(const Value& x) { return x.dtype() == DType::f64; }
// x compared with a number, to bool.
Value above(const Value& x, double limit);
Value below(const Value& x, double limit);
Value equals(const Value& x, double value);
Value wide(const Value& x);  // f16 and bf16 as f32

}  // namespace hearth
