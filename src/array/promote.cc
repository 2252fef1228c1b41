// SPDX-License-Identifier: Apache-2.0
#include "array/promote.h"

#include <algorithm>

namespace hearth {
namespace {

enum class Category { boolean, integer, real, complex };

Category category(DType t) {
  if (t == DType::boolean) return Category::boolean;
  if (is_int(t)) return Category::integer;
  return is_float(t) ? Category::real : Category::complex;
}

DType signed_of_size(int64_t bytes) {
  return bytes <= 1 ? DType::i8 : bytes == 2 ? DType::i16 : bytes == 4 ? DType::i32 : DType::i64;
}

// A signed type holds an unsigned one of half its size; nothing integer holds both u64 and a signed type.
PromotedType join_integers(DType a, DType b) {
  if (is_signed_int(a) == is_signed_int(b)) return {size_bytes(a) >= size_bytes(b) ? a : b};
  const DType u = is_signed_int(a) ? b : a, s = is_signed_int(a) ? a : b;
  if (u == DType::u64) return {DType::f32, true};
  return {signed_of_size(std::max(2 * size_bytes(u), size_bytes(s)))};
}

DType join_reals(DType a, DType b) {
  if (a == b) return a;
  if (size_bytes(a) == 2 && size_bytes(b) == 2) return DType::f32;  // f16 and bf16
  return size_bytes(a) > size_bytes(b) ? a : b;
}

PromotedType join_same(DType a, DType b, Category c) {
  switch (c) {
    case Category::boolean: return {DType::boolean};
    case Category::integer: return join_integers(a, b);
    case Category::real: return {join_reals(a, b)};
    case Category::complex: break;
  }
  return {std::max(a, b)};
}

// `high` is of the higher category.
PromotedType join_different(const PromotedType& high, const PromotedType& low) {
  const bool widens = is_complex(high.dtype) && is_float(low.dtype) && !low.weak;
  if (!widens) return high;
  if (low.dtype == DType::f64) return {DType::complex128};
  return {high.dtype};  // strong: it met a strong float
}

}  // namespace

PromotedType promote(const PromotedType& a, const PromotedType& b) {
  const Category ca = category(a.dtype), cb = category(b.dtype);
  if (ca > cb) return join_different(a, b);
  if (cb > ca) return join_different(b, a);
  if (a.weak != b.weak) return a.weak ? b : a;
  PromotedType joined = join_same(a.dtype, b.dtype, ca);
  joined.weak = joined.weak || (a.weak && b.weak);
  return joined;
}

DType promote_types(DType a, DType b) { return promote({a}, {b}).dtype; }

PromotedType promote_to_inexact(const PromotedType& a) {
  return is_inexact(a.dtype) ? a : PromotedType{DType::f32, a.weak};
}

}  // namespace hearth
