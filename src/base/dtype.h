// SPDX-License-Identifier: Apache-2.0
#pragma once
// Element types, and the 16-bit floats. A complex number is its real part followed by its imaginary part.

#include <bit>
#include <complex>
#include <cstdint>
#include <cstring>
#include <ostream>
#include <string_view>

namespace hearth {

enum class DType : uint8_t {
  boolean,
  i8,
  i16,
  i32,
  i64,
  u8,
  u16,
  u32,
  u64,
  f16,
  bf16,
  f32,
  f64,
  complex64,
  complex128
};
inline constexpr int kDTypes = 15;

constexpr int64_t size_bytes(DType t) {
  constexpr int64_t sizes[kDTypes] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 8, 16};
  return sizes[static_cast<int>(t)];
}
constexpr const char* name(DType t) {
  constexpr const char* names[kDTypes] = {"bool", "i8",  "i16",  "i32", "i64", "u8",        "u16",       "u32",
                                          "u64",  "f16", "bf16", "f32", "f64", "complex64", "complex128"};
  return names[static_cast<int>(t)];
}
constexpr bool is_float(DType t) { return t >= DType::f16 && t <= DType::f64; }
constexpr bool is_complex(DType t) { return t >= DType::complex64; }
constexpr bool is_inexact(DType t) { return t >= DType::f16; }  // what derivatives are taken of
// Dtype of the parts of a complex number; a real dtype is its own.
constexpr DType real_part(DType t) {
  return t == DType::complex64 ? DType::f32 : t == DType::complex128 ? DType::f64 : t;
}
constexpr bool is_signed_int(DType t) { return t >= DType::i8 && t <= DType::i64; }
constexpr bool is_unsigned_int(DType t) { return t >= DType::u8 && t <= DType::u64; }
constexpr bool is_int(DType t) { return t >= DType::i8 && t <= DType::u64; }
bool parse_dtype(std::string_view text, DType* out);
inline std::ostream& operator<<(std::ostream& out, DType t) { return out << name(t); }

// bfloat16: the upper half of an f32. Rounds to nearest even; NaN stays NaN.
struct bf16 {
  uint16_t bits = 0;
  bf16() = default;
  explicit bf16(float x) {
    const uint32_t u = std::bit_cast<uint32_t>(x);
    bits =
        (u & 0x7fffffffu) > 0x7f800000u ? uint16_t((u >> 16) | 0x40) : uint16_t((u + 0x7fff + ((u >> 16) & 1)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(uint32_t(bits) << 16); }
};

// IEEE binary16.
float f16_to_f32(uint16_t bits);
uint16_t f32_to_f16(float x);
struct f16 {
  uint16_t bits = 0;
  f16() = default;
  explicit f16(float x) : bits(f32_to_f16(x)) {}
  explicit operator float() const { return f16_to_f32(bits); }
};
static_assert(sizeof(bf16) == 2 && sizeof(f16) == 2);

// The dtype of a C++ type: dtype_of<float> is DType::f32.
template <class T>
inline constexpr DType dtype_of = DType::f32;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;
template <>
inline constexpr DType dtype_of<int8_t> = DType::i8;
template <>
inline constexpr DType dtype_of<int16_t> = DType::i16;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<uint8_t> = DType::u8;
template <>
inline constexpr DType dtype_of<uint16_t> = DType::u16;
template <>
inline constexpr DType dtype_of<uint32_t> = DType::u32;
template <>
inline constexpr DType dtype_of<uint64_t> = DType::u64;
template <>
inline constexpr DType dtype_of<f16> = DType::f16;
template <>
inline constexpr DType dtype_of<bf16> = DType::bf16;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<std::complex<float>> = DType::complex64;
template <>
inline constexpr DType dtype_of<std::complex<double>> = DType::complex128;

}  // namespace hearth
