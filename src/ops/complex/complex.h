// SPDX-License-Identifier: Apache-2.0
#pragma once
// Complex numbers: complex64 is two f32 (real part, imaginary part), complex128 two f64. Element-wise operations that
// have a meaning for them take them as they are (ops/elementwise/elementwise.h); a device without kernels for complex
// numbers gets them as formulas of real ones (complex_parts.h). Derivatives follow JAX: the cotangent of z is paired
// with its tangent without conjugation, so that of a holomorphic f is ct * f'(z).

#include "ir/graph.h"

namespace hearth {

// re + i im, element by element; both f32 or both f64, shapes broadcast. Throws Error{dtype}, Error{shape}.
Value complex(const Value& re, const Value& im);
// Of a real dtype: x itself, and zeros.
Value real(const Value& x);
Value imag(const Value& x);
Value conj(const Value& x);
Value angle(const Value& x);  // atan2(imag, real), of inexact dtypes; real numbers: 0 or pi

}  // namespace hearth
