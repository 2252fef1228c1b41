// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kernels of f64, integers and complex numbers. Included by the gemm_wide_*.cc files only.
#include "ops/matmul/gemm_simd_pack.h"
#include "ops/matmul/gemm_simd_tile.h"
#include "ops/matmul/gemm_wide_vec.h"

namespace hearth {
namespace {

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
