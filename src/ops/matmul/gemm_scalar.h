// SPDX-License-Identifier: Apache-2.0
#pragma once
// The four-lane vector type of the portable kernels. Included by those files only.
#include "ops/matmul/gemm_simd.h"

namespace hearth {
namespace {

struct Vec4 {
  typedef float reg __attribute__((vector_size(16)));
  using element = float;
  static constexpr DType dtype = DType::f32;
  static constexpr int lanes = 4, k_step = 1;

  static HEARTH_INLINE reg zero() { return reg{}; }
  static HEARTH_INLINE reg set1(float x) { return reg{x, x, x, x}; }
  static HEARTH_INLINE reg load(const float* p) { return load_as<DType::f32>(p); }
  static HEARTH_INLINE reg load_part(const float* p, int64_t n) { return load_as_part<DType::f32>(p, n); }
  static HEARTH_INLINE void store(float* p, reg x) { std::memcpy(p, &x, sizeof x); }
  static HEARTH_INLINE void store_part(float* p, reg x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) p[i] = x[i];
  }
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return a * b + c; }
  static HEARTH_INLINE reg add_scaled(reg init, reg alpha, reg x) { return init + alpha * x; }
  static HEARTH_INLINE reg add(reg a, reg b) { return a + b; }
  static HEARTH_INLINE float sum(reg x) { return (x[0] + x[2]) + (x[1] + x[3]); }

  template <DType kType>
  static HEARTH_INLINE float stored(const char* p, int64_t i) {
    if constexpr (kType == DType::f32) {
      float x;
      std::memcpy(&x, p + i * 4, 4);
      return x;
    } else {
      uint16_t bits;
      std::memcpy(&bits, p + i * 2, 2);
      if constexpr (kType == DType::f16) return f16_to_f32(bits);
      return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
    }
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as(const void* from) {
    const char* p = static_cast<const char*>(from);
    return reg{stored<kType>(p, 0), stored<kType>(p, 1), stored<kType>(p, 2), stored<kType>(p, 3)};
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as_part(const void* from, int64_t n) {
    reg x{};
    for (int64_t i = 0; i < n; ++i) x[i] = stored<kType>(static_cast<const char*>(from), i);
    return x;
  }
  template <DType kType>
  static HEARTH_INLINE void store_as(void* to, reg x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      if constexpr (kType == DType::f32)
        static_cast<float*>(to)[i] = x[i];
      else
        static_cast<uint16_t*>(to)[i] = kType == DType::bf16 ? bf16(x[i]).bits : f32_to_f16(x[i]);
    }
  }
  static HEARTH_INLINE void transpose(reg (&x)[4]) {
    const reg a = x[0], b = x[1], c = x[2], d = x[3];
    HEARTH_UNROLL for (int i = 0; i < 4; ++i) x[i] = reg{a[i], b[i], c[i], d[i]};
  }
};

}  // namespace
}  // namespace hearth
