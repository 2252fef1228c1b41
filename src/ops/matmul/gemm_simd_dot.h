// SPDX-License-Identifier: Apache-2.0
#pragma once
// Dot products of rows of w where they lie with a few vectors x, as templates over V (gemm_simd.h).

#include "ops/matmul/gemm_simd.h"

namespace hearth {

constexpr int64_t kRowsAhead = 1024, kStreamAhead = 4096;  // bytes, for several rows of w at a time and for one

// kW rows of w times kM rows of x; kU independent sums per pair hide the latency when there are few pairs.
template <class V, class Source, class XSource, int kW, int kM, int kU>
HEARTH_INLINE void dot_block(const DotRows& d, int64_t row, int64_t m) {
  using reg = typename V::reg;
  constexpr int64_t kLane = V::lanes * Source::k_step;  // elements in one register
  constexpr int64_t x_bytes = 4 / Source::k_step;
  const char* w = static_cast<const char*>(d.w) + row * d.w_stride * Source::bytes;
  const char* x = static_cast<const char*>(d.x) + m * d.x_stride * x_bytes;
  reg acc[kW][kM][kU];
  HEARTH_UNROLL for (int i = 0; i < kW; ++i) {
    HEARTH_UNROLL for (int j = 0; j < kM; ++j) { HEARTH_UNROLL for (int u = 0; u < kU; ++u) acc[i][j][u] = V::zero(); }
  }
  // Up to the first line of w that starts on 64 bytes, so that no load of the long loop touches two lines. Both sides
  // are cut: a 0 of w must not meet an infinity of x.
  const int64_t misaligned = static_cast<int64_t>((0 - reinterpret_cast<uintptr_t>(w)) % 64) / Source::bytes % kLane;
  int64_t k = misaligned < d.k ? misaligned : 0;
  if (k > 0) {
    reg xv[kM];
    HEARTH_UNROLL for (int j = 0; j < kM; ++j) xv[j] = XSource::along_k_part(x + j * d.x_stride * x_bytes, k);
    HEARTH_UNROLL for (int i = 0; i < kW; ++i) {
      const reg wv = Source::along_k_part(w + i * d.w_stride * Source::bytes, k);
      HEARTH_UNROLL for (int j = 0; j < kM; ++j) acc[i][j][0] = V::fma(wv, xv[j], acc[i][j][0]);
    }
  }
  for (; k + kU * kLane <= d.k; k += kU * kLane) {
    HEARTH_UNROLL for (int u = 0; u < kU; ++u) {
      const int64_t at = k + u * kLane;
      reg xv[kM];
      HEARTH_UNROLL for (int j = 0; j < kM; ++j) {
        xv[j] = V::load(reinterpret_cast<const float*>(x + (j * d.x_stride + at) * x_bytes));
      }
      HEARTH_UNROLL for (int i = 0; i < kW; ++i) {
        const char* p = w + (i * d.w_stride + at) * Source::bytes;
        __builtin_prefetch(p + (kW > 1 ? kRowsAhead : kStreamAhead));
        const reg wv = Source::along_k(p);
        HEARTH_UNROLL for (int j = 0; j < kM; ++j) acc[i][j][u] = V::fma(wv, xv[j], acc[i][j][u]);
      }
    }
  }
  for (; k < d.k; k += kLane) {
    HEARTH_UNROLL for (int i = 0; i < kW; ++i) {
      const char* p = w + (i * d.w_stride + k) * Source::bytes;
      const reg wv = d.k - k >= kLane ? Source::along_k(p) : Source::along_k_part(p, d.k - k);
      HEARTH_UNROLL for (int j = 0; j < kM; ++j) {
        const reg xv = V::load(reinterpret_cast<const float*>(x + (j * d.x_stride + k) * x_bytes));
        acc[i][j][0] = V::fma(wv, xv, acc[i][j][0]);
      }
    }
  }
  HEARTH_UNROLL for (int i = 0; i < kW; ++i) {
    HEARTH_UNROLL for (int j = 0; j < kM; ++j) {
      reg sum = acc[i][j][0];
      HEARTH_UNROLL for (int u = 1; u < kU; ++u) sum = V::add(sum, acc[i][j][u]);
      d.out[(m + j) * d.ld_out + row + i] += d.alpha * V::sum(sum);
    }
  }
}

template <class V, class Source, class XSource, int kW, int kM>
static void dot_row_group(const DotRows& d, int64_t row) {
  int64_t m = 0;
  for (; m + kM <= d.m; m += kM) dot_block<V, Source, XSource, kW, kM, kW * kM >= 8 ? 1 : 2>(d, row, m);
  if (kM > 2 && m + 2 <= d.m) {
    dot_block<V, Source, XSource, kW, 2, 8 / (kW * 2)>(d, row, m);
    m += 2;
  }
  for (; m < d.m; ++m) dot_block<V, Source, XSource, kW, 1, 4 / kW>(d, row, m);
}

// One or two x: row by row, so that w is one sequential stream; asking for a line one page ahead carries it over page
// borders, where the processor's own prefetching stops. More x: four rows at a time, for the x then come from L2 and
// cost more than the broken stream. Measured: Zen 5, two threads, one decoding step of 2.07 GB of mapped bf16 weights,
// 2026-11-23: without prefetch 37.6 ms, 512 bytes ahead 43.1, 4096 bytes 32.4, 16384 bytes 34.1.
template <class V, class Source, class XSource, int kM>
static void dot_rows_typed(const DotRows& d) {
  int64_t row = 0;
  if (d.m > 2) {
    for (; row + 4 <= d.rows; row += 4) dot_row_group<V, Source, XSource, 4, kM>(d, row);
  }
  for (; row < d.rows; ++row) {
    if (d.m == 1)
      dot_block<V, Source, XSource, 1, 1, 4>(d, row, 0);
    else
      dot_row_group<V, Source, XSource, 1, kM>(d, row);
  }
}

template <class V, int kM>
static void dot_rows(const DotRows& d) {
  if (d.w_dtype == DType::f32)
    dot_rows_typed<V, Widen<V, DType::f32>, Widen<V, DType::f32>, kM>(d);
  else if (d.w_dtype == DType::bf16)
    dot_rows_typed<V, Widen<V, DType::bf16>, Widen<V, DType::f32>, kM>(d);
  else
    dot_rows_typed<V, Widen<V, DType::f16>, Widen<V, DType::f32>, kM>(d);
}

}  // namespace hearth
