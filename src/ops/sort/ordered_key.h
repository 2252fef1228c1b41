// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as unsigned integers of the same order: a < b exactly when encode(a) < encode(b). -0 equals +0, and every NaN
// is the largest number. Runtime side.

#include "base/dtype.h"
#include "base/error.h"

namespace hearth {

template <class U>
struct UnsignedKey {
  using Bits = U;
  static constexpr bool kExact = true;  // equal keys mean equal bits
  static Bits encode(Bits x) { return x; }
  static Bits decode(Bits key) { return key; }
};

template <class U>
struct SignedKey {
  using Bits = U;
  static constexpr bool kExact = true;
  static constexpr Bits kSign = Bits(Bits{1} << (8 * sizeof(Bits) - 1));
  static Bits encode(Bits x) { return Bits(x ^ kSign); }
  static Bits decode(Bits key) { return Bits(key ^ kSign); }
};

// Negative floats order backwards: their complement orders forwards.
template <class U, U kInfinity>
struct FloatKey {
  using Bits = U;
  static constexpr bool kExact = false;
  static constexpr Bits kSign = Bits(Bits{1} << (8 * sizeof(Bits) - 1)), kMagnitude = Bits(~kSign),
                        kNan = Bits(~Bits{});
  static constexpr Bits kZero = kSign;
  // Arithmetic with comparisons' results instead of choices: loops over it become vectors.
  static Bits encode(Bits x) {
    const Bits flip = Bits(Bits(0 - Bits(x >> (8 * sizeof(Bits) - 1))) | kSign);
    const Bits nan = Bits(0 - Bits(Bits(x & kMagnitude) > kInfinity));  // all bits, or none
    return Bits(Bits(Bits(x ^ flip) + Bits(x == kSign)) | nan);         // -0 is one below +0
  }
  static Bits decode(Bits key) { return Bits(key & kSign) ? Bits(key ^ kSign) : Bits(~key); }
};

// Calls body with the key type of a real dtype.
template <class Body>
auto with_key(DType dtype, Body body) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8: return body(UnsignedKey<uint8_t>{});
    case DType::u16: return body(UnsignedKey<uint16_t>{});
    case DType::u32: return body(UnsignedKey<uint32_t>{});
    case DType::u64: return body(UnsignedKey<uint64_t>{});
    case DType::i8: return body(SignedKey<uint8_t>{});
    case DType::i16: return body(SignedKey<uint16_t>{});
    case DType::i32: return body(SignedKey<uint32_t>{});
    case DType::i64: return body(SignedKey<uint64_t>{});
    case DType::f16: return body(FloatKey<uint16_t, 0x7c00>{});
    case DType::bf16: return body(FloatKey<uint16_t, 0x7f80>{});
    case DType::f32: return body(FloatKey<uint32_t, 0x7f800000>{});
    case DType::f64: return body(FloatKey<uint64_t, 0x7ff0000000000000>{});
    case DType::complex64:
    case DType::complex128: break;
  }
  HEARTH_FAIL(bug, "no single key orders ", dtype);
}

}  // namespace hearth
