// SPDX-License-Identifier: Apache-2.0
#include "array/dtypes.h"

#include <cmath>

#include "array/promote.h"
#include "array/recording.h"
#include "base/error.h"

namespace hearth {
namespace {

// Bits of the significand (integers: of the magnitude) and of the exponent, from which "every value is kept" follows.
struct Width {
  int significand, exponent;
};

Width width(DType t) {
  switch (real_part(t)) {
    case DType::f16: return {11, 5};
    case DType::bf16: return {8, 8};
    case DType::f32: return {24, 8};
    case DType::f64: return {64, 11};  // 53 bits; NumPy calls 64-bit integers to f64 safe all the same
    default: return {t == DType::boolean ? 1 : int(8 * size_bytes(t)) - int(is_signed_int(t)), 0};
  }
}

}  // namespace

Array astype(const Array& x, DType dtype) { return x.astype(dtype); }

bool can_cast(DType from, DType to) {
  if (from == to || from == DType::boolean) return true;
  if (to == DType::boolean || (is_inexact(from) && is_int(to)) || (is_complex(from) && !is_complex(to))) return false;
  if (is_signed_int(from) && is_unsigned_int(to)) return false;
  const Width a = width(from), b = width(to);
  return a.significand <= b.significand && (is_int(to) || a.exponent <= b.exponent);
}
bool can_cast(const Array& from, DType to) { return can_cast(from.dtype(), to); }

DType result_type(const Arrays& arrays) {
  HEARTH_CHECK(!arrays.empty(), value, "result_type: needs at least one array");
  return promoted(arrays).dtype;
}

DType result_type(std::initializer_list<DType> dtypes) {
  HEARTH_CHECK(dtypes.size() > 0, value, "result_type: needs at least one dtype");
  PromotedType all{*dtypes.begin()};
  for (const DType t : dtypes) all = promote(all, {t});
  return all.dtype;
}

bool isdtype(DType dtype, std::string_view kind) {
  if (kind == "bool") return dtype == DType::boolean;
  if (kind == "signed integer") return is_signed_int(dtype);
  if (kind == "unsigned integer") return is_unsigned_int(dtype);
  if (kind == "integral") return is_int(dtype);
  if (kind == "real floating") return is_float(dtype);
  if (kind == "complex floating") return is_complex(dtype);
  HEARTH_CHECK(
      kind == "numeric", value, "isdtype: there is no kind '", kind,
      "'; there are bool, signed integer, unsigned integer, integral, real floating, complex floating, numeric");
  return dtype != DType::boolean;
}

FloatInfo finfo(DType dtype) {
  HEARTH_CHECK(is_inexact(dtype), dtype, "finfo: ", dtype, " is no floating-point type\n  hint: iinfo");
  const DType t = real_part(dtype);
  const Width w = width(t);
  const int digits = t == DType::f64 ? 53 : w.significand, top = 1 << (w.exponent - 1);  // max < 2^top
  FloatInfo info{};
  info.dtype = t;
  info.bits = int(8 * size_bytes(t));
  info.eps = std::ldexp(1.0, 1 - digits);
  info.max = std::ldexp(1 - std::ldexp(1.0, -digits), top);
  info.min = -info.max;
  info.smallest_normal = std::ldexp(1.0, 2 - top);
  info.smallest_subnormal = std::ldexp(info.smallest_normal, 1 - digits);
  info.precision = int(std::floor((digits - 1) * std::log10(2.0)));
  return info;
}

IntInfo iinfo(DType dtype) {
  HEARTH_CHECK(is_int(dtype), dtype, "iinfo: ", dtype, " is no integer type\n  hint: finfo");
  const int bits = int(8 * size_bytes(dtype)), magnitude = bits - int(is_signed_int(dtype));
  return {.dtype = dtype,
          .bits = bits,
          .min = is_signed_int(dtype) ? int64_t(uint64_t(-1) << magnitude) : 0,
          .max = uint64_t(-1) >> (64 - magnitude)};
}

}  // namespace hearth
