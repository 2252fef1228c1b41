// SPDX-License-Identifier: Apache-2.0
#pragma once
// Vectors of 64-bit floats and of integers, through the compiler's own vector types, and the packing of complex
// matrices. Included by the gemm_wide_*.cc files only.
#include <utility>

#include "ops/matmul/gemm_simd_pack.h"
#include "ops/matmul/gemm_simd_tile.h"

namespace hearth {
namespace {

template <class T, int kBytes>
struct WideVec {
  typedef T reg __attribute__((vector_size(kBytes)));
  using element = T;
  static constexpr DType dtype = dtype_of<T>;
  static constexpr int lanes = kBytes / int(sizeof(T)), k_step = 1;

  static HEARTH_INLINE reg zero() { return reg{}; }
  static HEARTH_INLINE reg set1(T x) { return reg{} + x; }
  static HEARTH_INLINE reg load(const T* p) { return load_as<dtype>(p); }
  static HEARTH_INLINE reg load_part(const T* p, int64_t n) { return load_as_part<dtype>(p, n); }
  static HEARTH_INLINE void store(T* p, reg x) { __builtin_memcpy(p, &x, sizeof x); }
  static HEARTH_INLINE void store_part(T* p, reg x, int64_t n) { store_as<dtype>(p, x, n); }
  static HEARTH_INLINE reg fma(reg a, reg b, reg c) { return a * b + c; }
  static HEARTH_INLINE reg add_scaled(reg init, reg alpha, reg x) { return init + alpha * x; }

  // Narrower integers are widened without a sign: only their low bits get into the low bits of a sum.
  template <DType kType>
  struct Stored {
    using type = T;
  };
  template <DType kType>
  requires(size_bytes(kType) == 1) struct Stored<kType> {
    using type = uint8_t;
  };
  template <DType kType>
  requires(size_bytes(kType) == 2) struct Stored<kType> {
    using type = uint16_t;
  };
  template <DType kType>
  static HEARTH_INLINE reg load_as(const void* p) {
    typedef typename Stored<kType>::type stored __attribute__((vector_size(lanes * size_bytes(kType))));
    stored x;
    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, reg);
  }
  template <DType kType>
  static HEARTH_INLINE reg load_as_part(const void* p, int64_t n) {
    typename Stored<kType>::type x[lanes] = {};
    __builtin_memcpy(x, p, static_cast<unsigned long>(n) * sizeof x[0]);
    return load_as<kType>(x);
  }
  template <DType kType>
  static HEARTH_INLINE void store_as(void* p, reg x, int64_t n) {
    typedef typename Stored<kType>::type stored __attribute__((vector_size(lanes * size_bytes(kType))));
    const stored y = __builtin_convertvector(x, stored);
    if (n == lanes)
      __builtin_memcpy(p, &y, sizeof y);
    else
      __builtin_memcpy(p, &y, static_cast<unsigned long>(n * size_bytes(kType)));
  }

  // Lane i of low(a, b, s): where bit s of i is clear a's lane i, else b's lane i - s; high: a's lane i + s, b's i.
  template <int s, int... i>
  static HEARTH_INLINE void exchange(reg& a, reg& b, std::integer_sequence<int, i...>) {
    const reg low = __builtin_shufflevector(a, b, (i & s ? lanes + i - s : i)...);
    const reg high = __builtin_shufflevector(a, b, (i & s ? lanes + i : i + s)...);
    a = low;
    b = high;
  }
  template <int s>
  static HEARTH_INLINE void exchange_all(reg (&x)[lanes]) {
    HEARTH_UNROLL for (int i = 0; i < lanes; ++i) {
      if ((i & s) == 0) exchange<s>(x[i], x[i + s], std::make_integer_sequence<int, lanes>());
    }
  }
  static HEARTH_INLINE void transpose(reg (&x)[lanes]) {
    exchange_all<1>(x);
    if constexpr (lanes > 2) exchange_all<2>(x);
    if constexpr (lanes > 4) exchange_all<4>(x);
    if constexpr (lanes > 8) exchange_all<8>(x);
  }
};

template <class V, int kWidth>
static void pack_wide(const PanelSource& s, void* panel) {
  auto* out = static_cast<typename V::element*>(panel);
  if (sizeof(typename V::element) == 4 && size_bytes(s.dtype) == 1)
    pack_panel<V, Widen<V, DType::u8>>(s, kWidth, s.k, out);
  else if (sizeof(typename V::element) == 4 && size_bytes(s.dtype) == 2)
    pack_panel<V, Widen<V, DType::u16>>(s, kWidth, s.k, out);
  else
    pack_panel<V, Widen<V, V::dtype>>(s, kWidth, s.k, out);
}

// A complex A by parts: columns re and im of each element.
template <class V, int kWidth>
static void pack_complex_a(const PanelSource& s, void* panel) {
  using T = typename V::element;
  auto* out = static_cast<T*>(panel);
  if (s.stride_k == 1) return pack_panel_transposed<V, Widen<V, V::dtype>>(s, kWidth, s.k, out);
  for (int64_t k = 0; k < s.k; k += 2, out += 2 * kWidth) {
    const T* from = static_cast<const T*>(s.data) + k * s.stride_k;
    for (int64_t i = 0; i < kWidth; ++i, from += s.stride_i) {
      out[i] = i < s.count ? from[0] : T{};
      out[kWidth + i] = i < s.count ? from[1] : T{};
    }
  }
}

// A complex B as rows re im and -im re.
template <class V, int kWidth>
static void pack_complex_b(const PanelSource& s, void* panel) {
  using T = typename V::element;
  auto* out = static_cast<T*>(panel);
  for (int64_t k = 0; k < s.k; k += 2, out += 2 * kWidth) {
    const T* from = static_cast<const T*>(s.data) + k * s.stride_k;
    const auto turn = [&](int64_t i, T re, T im) {
      out[i] = re;
      out[i + 1] = im;
      out[kWidth + i] = -im;
      out[kWidth + i + 1] = re;
    };
    if (s.stride_i == 1 && s.count >= kWidth) {
      for (int64_t i = 0; i < kWidth; i += 2) turn(i, from[i], from[i + 1]);
      continue;
    }
    for (int64_t i = 0; i < kWidth; i += 2) {
      const bool valid = i < s.count;
      turn(i, valid ? from[i * s.stride_i] : T{}, valid ? from[i * s.stride_i + 1] : T{});
    }
  }
}

template <class V>
constexpr GemmKernel sized(GemmKernel kernel) {
  kernel.element_bytes = kernel.sum_bytes = sizeof(typename V::element);
  return kernel;
}

// kRows x 2 registers of C, of real numbers or integers.
template <class V, int kRows>
constexpr GemmKernel wide_kernel() {
  constexpr int nr = 2 * V::lanes;
  return sized<V>({.mr = kRows,
                   .nr = nr,
                   .pack_a = pack_wide<V, kRows>,
                   .pack_b = pack_wide<V, nr>,
                   .tile = packed_rows<V, kRows>});
}

template <class V, int kRows>
constexpr GemmKernel complex_kernel() {
  constexpr int nr = 2 * V::lanes;
  return sized<V>({.mr = kRows,
                   .nr = nr,
                   .pack_a = pack_complex_a<V, kRows>,
                   .pack_b = pack_complex_b<V, nr>,
                   .tile = packed_rows<V, kRows>,
                   .any_strides = true});
}

}  // namespace
}  // namespace hearth
