// SPDX-License-Identifier: Apache-2.0
#pragma once
// Type promotion as in JAX: plain C++ numbers are weakly typed and adapt to the arrays they meet.
// Source: JAX's type promotion lattice (jax.readthedocs.io, "Type promotion semantics"), 64-bit types enabled.

#include "base/dtype.h"

namespace hearth {

struct PromotedType {
  DType dtype = DType::f32;
  bool weak = false;
  friend bool operator==(const PromotedType&, const PromotedType&) = default;
};

// The type that a result of both has. Symmetric and associative over strong types.
PromotedType promote(const PromotedType& a, const PromotedType& b);
DType promote_types(DType a, DType b);
// Integers and bool become f32 (weak stays weak); floats and complex numbers stay: the type of a quotient or a sine.
PromotedType promote_to_inexact(const PromotedType& a);

}  // namespace hearth
