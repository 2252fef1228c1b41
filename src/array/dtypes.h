// SPDX-License-Identifier: Apache-2.0
#pragma once
// Questions about element types, and conversion: the Array API standard's data type functions.

#include <initializer_list>
#include <string_view>

#include "array/array.h"

namespace hearth {

Array astype(const Array& x, DType dtype);  // as Array::astype

// Whether every value of `from` is kept in `to`, as NumPy's "safe" casting; like there, 64-bit integers to f64 and
// complex128 count as safe.
bool can_cast(DType from, DType to);
bool can_cast(const Array& from, DType to);

// The type that a result of all has; Error{value} when there are none.
DType result_type(const Arrays& arrays);
DType result_type(std::initializer_list<DType> dtypes);

// kind: "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating" or "numeric";
// Error{value} for others.
bool isdtype(DType dtype, std::string_view kind);

// Of a float, or of the parts of a complex number; Error{dtype} for others.
struct FloatInfo {
  DType dtype;
  int bits;
  double eps, max, min, smallest_normal, smallest_subnormal;  // min is -max
  int precision;                                              // decimal digits that are always kept
};
FloatInfo finfo(DType dtype);

// Of an integer type; Error{dtype} for others.
struct IntInfo {
  DType dtype;
  int bits;
  int64_t min;
  uint64_t max;
};
IntInfo iinfo(DType dtype);

}  // namespace hearth
