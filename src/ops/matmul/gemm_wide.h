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

// One vector w times kM vectors x, in four sums each: enough to hide the latency of a vector's addition.
template <class V, int kM>
HEARTH_INLINE void dot_wide(const WideRows& d, int64_t row) {
  using T = typename V::element;
  using reg = typename V::reg;
  constexpr int kSums = 4;
  const T *w = static_cast<const T*>(d.w) + row * d.w_stride, *x = static_cast<const T*>(d.x);
  reg acc[kM][kSums];
  HEARTH_UNROLL for (int s = 0; s < kM; ++s) { HEARTH_UNROLL for (int u = 0; u < kSums; ++u) acc[s][u] = V::zero(); }
  int64_t k = 0;
  for (; k + kSums * V::lanes <= d.k; k += kSums * V::lanes) {
    HEARTH_UNROLL for (int u = 0; u < kSums; ++u) {
      const T* at = w + k + u * V::lanes;
      __builtin_prefetch(at + 4096 / sizeof(T));  // over the border of a page, where the processor stops
      const reg wv = V::load(at);
      HEARTH_UNROLL for (int s = 0; s < kM; ++s) {
        acc[s][u] = V::fma(wv, V::load(x + s * d.x_stride + k + u * V::lanes), acc[s][u]);
      }
    }
  }
  for (; k < d.k; k += V::lanes) {
    const int64_t n = d.k - k < V::lanes ? d.k - k : V::lanes;
    HEARTH_UNROLL for (int s = 0; s < kM; ++s) {
      acc[s][0] = V::fma(V::load_part(w + k, n), V::load_part(x + s * d.x_stride + k, n), acc[s][0]);
    }
  }
  HEARTH_UNROLL for (int s = 0; s < kM; ++s) {
    const reg sum = (acc[s][0] + acc[s][1]) + (acc[s][2] + acc[s][3]);
    T total = 0;
    for (int i = 0; i < V::lanes; ++i) total += sum[i];
    static_cast<T*>(d.out)[s * d.ld_out + row] = total;
  }
}

// Eight steps of k at a time: as many streams of w, each read once, and the sums come from L1.
template <class V, int kM>
HEARTH_INLINE void sum_wide(const WideRows& d) {
  using T = typename V::element;
  using reg = typename V::reg;
  constexpr int kSteps = 8;
  const T *w = static_cast<const T*>(d.w), *x = static_cast<const T*>(d.x);
  T* out = static_cast<T*>(d.out);
  for (int64_t k = 0; k < d.k; k += kSteps) {
    const int64_t steps = d.k - k < kSteps ? d.k - k : kSteps;
    for (int64_t r = 0; r < d.rows; r += V::lanes) {
      const int64_t n = d.rows - r < V::lanes ? d.rows - r : V::lanes;
      reg acc[kM];
      HEARTH_UNROLL for (int s = 0; s < kM; ++s) acc[s] = k ? V::load_part(out + s * d.ld_out + r, n) : V::zero();
      if (steps == kSteps && n == V::lanes) {
        HEARTH_UNROLL for (int i = 0; i < kSteps; ++i) {
          const reg wv = V::load(w + (k + i) * d.w_stride + r);
          HEARTH_UNROLL for (int s = 0; s < kM; ++s) acc[s] = V::fma(wv, V::set1(x[s * d.x_stride + k + i]), acc[s]);
        }
      } else {
        for (int64_t i = 0; i < steps; ++i) {
          const reg wv = V::load_part(w + (k + i) * d.w_stride + r, n);
          HEARTH_UNROLL for (int s = 0; s < kM; ++s) acc[s] = V::fma(wv, V::set1(x[s * d.x_stride + k + i]), acc[s]);
        }
      }
      HEARTH_UNROLL for (int s = 0; s < kM; ++s) V::store_part(out + s * d.ld_out + r, acc[s], n);
    }
  }
}

template <class V, int kM = kMostWideRows>
static void dot_wide_rows(const WideRows& d) {
  if constexpr (kM > 1) {
    if (d.m < kM) return dot_wide_rows<V, kM - 1>(d);
  }
  for (int64_t row = 0; row < d.rows; ++row) dot_wide<V, kM>(d, row);
}
template <class V, int kM = kMostWideRows>
static void sum_wide_rows(const WideRows& d) {
  if constexpr (kM > 1) {
    if (d.m < kM) return sum_wide_rows<V, kM - 1>(d);
  }
  sum_wide<V, kM>(d);
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
                   .tile = packed_rows<V, kRows>,
                   .dot_rows = dot_wide_rows<V>,
                   .sum_rows = sum_wide_rows<V>});
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
