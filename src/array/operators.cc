// SPDX-License-Identifier: Apache-2.0
// The operators of Array.

#include "array/array.h"
#include "array/recording.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/special/special.h"

namespace hearth {
namespace {

PromotedType as_is(const PromotedType& type) { return type; }

// Both operands in their common type, then the operation.
template <class F>
Array binary(const Array& a, const Array& b, F&& f, PromotedType (*result)(const PromotedType&) = as_is) {
  const std::lock_guard lock(array_mutex());
  const PromotedType type = result(promoted(a, b));
  const Value x = to_value(a, type.dtype), y = to_value(b, type.dtype);
  return from_value(f(x, y), type.weak);
}

Array compare_arrays(const char* direction, const Array& a, const Array& b) {
  const std::lock_guard lock(array_mutex());
  const DType dtype = promoted(a, b).dtype;
  const Value x = to_value(a, dtype), y = to_value(b, dtype);
  return from_value(compare(direction, x, y));
}

Array named(const char* op, const Array& a, const Array& b) {
  return binary(a, b, [op](const Value& x, const Value& y) { return hearth::binary(op, x, y); });
}

}  // namespace

Array operator+(const Array& a, const Array& b) { return named("add", a, b); }
Array operator*(const Array& a, const Array& b) { return named("multiply", a, b); }
Array operator&(const Array& a, const Array& b) { return named("and", a, b); }
Array operator|(const Array& a, const Array& b) { return named("or", a, b); }
Array operator^(const Array& a, const Array& b) { return named("xor", a, b); }
Array operator<<(const Array& a, const Array& b) { return named("shift_left", a, b); }

Array operator-(const Array& a, const Array& b) {
  HEARTH_CHECK(promoted(a, b).dtype != DType::boolean, dtype, "subtract: has no meaning for bool\n  a is ", a.type(),
               "\n  b is ", b.type(), "\n  hint: a ^ b is true where they differ");
  return named("subtract", a, b);
}

Array operator/(const Array& a, const Array& b) {
  return binary(
      a, b, [](const Value& x, const Value& y) { return x / y; }, promote_to_inexact);
}

Array operator%(const Array& a, const Array& b) { return binary(a, b, mod); }

Array operator>>(const Array& a, const Array& b) {
  const bool is_signed = is_signed_int(promoted(a, b).dtype);
  return named(is_signed ? "shift_right_arithmetic" : "shift_right_logical", a, b);
}

Array operator-(const Array& x) {
  const std::lock_guard lock(array_mutex());
  return from_value(-to_value(x), x.weak());
}
Array operator+(const Array& x) { return x; }
Array operator~(const Array& x) {
  return record([](const Value& v) { return unary("not", v); }, x);
}

Array operator==(const Array& a, const Array& b) { return compare_arrays("EQ", a, b); }
Array operator!=(const Array& a, const Array& b) { return compare_arrays("NE", a, b); }
Array operator<(const Array& a, const Array& b) { return compare_arrays("LT", a, b); }
Array operator<=(const Array& a, const Array& b) { return compare_arrays("LE", a, b); }
Array operator>(const Array& a, const Array& b) { return compare_arrays("GT", a, b); }
Array operator>=(const Array& a, const Array& b) { return compare_arrays("GE", a, b); }

}  // namespace hearth
