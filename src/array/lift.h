// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions on arrays from functions on values: operands in their common type, then the function. For the files of
// this folder.

#include "array/recording.h"

namespace hearth {

inline PromotedType unchanged_type(const PromotedType& type) { return type; }

// Numbers of a weak type stay weak; bool has no weak form.
inline Array lifted_result(const Value& value, bool weak) {
  return from_value(value, weak && value.dtype() != DType::boolean);
}

// f(x), x in the type that `to` makes of its own.
template <class F>
Array lift(const Array& x, F&& f, PromotedType (*to)(const PromotedType&) = unchanged_type) {
  const std::lock_guard lock(array_mutex());
  const PromotedType type = to(promoted({x}));
  return lifted_result(f(to_value(x, type.dtype)), type.weak);
}

// f(a, b), both in the type that `to` makes of their common one.
template <class F>
Array lift(const Array& a, const Array& b, F&& f, PromotedType (*to)(const PromotedType&) = unchanged_type) {
  const std::lock_guard lock(array_mutex());
  const PromotedType type = to(promoted({a, b}));
  const Values in = to_values({a, b}, type.dtype);
  return lifted_result(f(in[0], in[1]), type.weak);
}

}  // namespace hearth
