// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kernels of gemm_kernels.h (packing: gemm_simd_pack.h, tiles: gemm_simd_tile.h, dot products: gemm_simd_dot.h) are
// templates over a vector type V that each instruction-set file defines in its anonymous namespace: so every instance
// is local to that file, and no function compiled for a newer processor can be linked into code for an older one. For
// the same reason nothing there calls std.
//
// V: reg, element, dtype (of an element), lanes, k_step (elements of k in one 32-bit lane), zero, set1, load,
// load_part,
//    store, store_part, fma, sum, transpose (lanes x lanes, in place), load_as<DType>, load_as_part<DType>,
//    store_as<DType>(to, x, count).

#include "ops/matmul/gemm_kernels.h"

#if defined(__clang__)
#define HEARTH_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HEARTH_UNROLL _Pragma("GCC unroll 32")
#endif
#define HEARTH_INLINE inline __attribute__((always_inline))

namespace hearth {

// Reads a stored matrix and widens it to f32: one element of k per lane.
template <class V, DType kType>
struct Widen {
  using reg = typename V::reg;
  static constexpr int k_step = 1, bytes = static_cast<int>(size_bytes(kType));
  static HEARTH_INLINE reg along_k(const char* p) { return V::template load_as<kType>(p); }
  static HEARTH_INLINE reg along_k_part(const char* p, int64_t elements) {
    return V::template load_as_part<kType>(p, elements);
  }
  static HEARTH_INLINE reg along_i(const char* p, int64_t, int64_t, int64_t lanes) {
    return lanes == V::lanes ? V::template load_as<kType>(p) : V::template load_as_part<kType>(p, lanes);
  }
};

// One element, of any alignment, in all lanes.
template <class V>
HEARTH_INLINE typename V::reg repeat(const void* p) {
  typename V::element x;
  __builtin_memcpy(&x, p, sizeof x);
  return V::set1(x);
}

template <class V, DType kType>
HEARTH_INLINE void widen_typed(const void* from, int64_t count, float* to) {
  constexpr int bytes = kType == DType::f32 ? 4 : 2;
  const char* p = static_cast<const char*>(from);
  int64_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) V::store(to + i, V::template load_as<kType>(p + i * bytes));
  if (i < count) V::store_part(to + i, V::template load_as_part<kType>(p + i * bytes, count - i), count - i);
}

template <class V>
static void widen(const void* from, DType dtype, int64_t count, float* to) {
  if (dtype == DType::f32)
    widen_typed<V, DType::f32>(from, count, to);
  else if (dtype == DType::bf16)
    widen_typed<V, DType::bf16>(from, count, to);
  else
    widen_typed<V, DType::f16>(from, count, to);
}

template <class V, DType kType>
HEARTH_INLINE void narrow_typed(const float* from, int64_t count, void* to) {
  constexpr int bytes = kType == DType::f32 ? 4 : 2;
  char* p = static_cast<char*>(to);
  int64_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) V::template store_as<kType>(p + i * bytes, V::load(from + i), V::lanes);
  if (i < count) V::template store_as<kType>(p + i * bytes, V::load_part(from + i, count - i), count - i);
}

template <class V>
static void narrow(const float* from, int64_t count, DType dtype, void* to) {
  if (dtype == DType::f32)
    narrow_typed<V, DType::f32>(from, count, to);
  else if (dtype == DType::bf16)
    narrow_typed<V, DType::bf16>(from, count, to);
  else
    narrow_typed<V, DType::f16>(from, count, to);
}

}  // namespace hearth
