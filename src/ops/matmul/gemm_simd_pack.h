// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packing of panels (gemm_kernels.h), as templates over V (gemm_simd.h).

#include "ops/matmul/gemm_simd.h"

namespace hearth {

// As many streams as lanes: more than the processor follows by itself. Measured: Zen 5, M 32, K 2048, N 5632 bf16, one
// thread: none 232 GFLOP/s, 256 bytes ahead 259, 1024 243.
constexpr int64_t kPackAhead = 256;

// Packs one panel of `width` (at most 4 * lanes), padding with zeros to width and to padded_steps.
template <class V, class Source>
HEARTH_INLINE void pack_panel_transposed(const PanelSource& s, int width, int64_t padded_steps, float* out) {
  constexpr int L = V::lanes, step = Source::k_step;
  const char* data = static_cast<const char*>(s.data);
  const int64_t total = padded_steps * width;
  for (int group = 0; group < width; group += L) {
    const int64_t valid = s.count - group, group_width = width - group < L ? width - group : L;
    for (int64_t k = 0; k < padded_steps; k += L) {
      const int64_t elements = s.k - k * step;
      typename V::reg x[L];
      HEARTH_UNROLL for (int r = 0; r < L; ++r) {
        const char* p = data + ((group + r) * s.stride_i + k * step) * Source::bytes;
        __builtin_prefetch(p + kPackAhead);
        x[r] = r >= valid || elements <= 0 ? V::zero()
               : elements >= L * step      ? Source::along_k(p)
                                           : Source::along_k_part(p, elements);
      }
      V::transpose(x);
      HEARTH_UNROLL for (int q = 0; q < L; ++q) {
        const int64_t at = (k + q) * width + group;
        if (k + q >= padded_steps) continue;
        // A full store may run over the start of the next step, which is written after it.
        if (group_width == L || (width < L && at + L <= total))
          V::store(out + at, x[q]);
        else
          V::store_part(out + at, x[q], group_width);
      }
    }
  }
}

template <class V, class Source>
HEARTH_INLINE void pack_panel_rows(const PanelSource& s, int width, int64_t padded_steps, float* out) {
  constexpr int L = V::lanes, step = Source::k_step;
  const char* data = static_cast<const char*>(s.data);
  const int64_t total = padded_steps * width, next_k = s.stride_k * Source::bytes;
  for (int64_t k = 0; k < padded_steps; ++k) {
    const int64_t elements = s.k - k * step;
    for (int group = 0; group < width; group += L) {
      const int64_t group_width = width - group < L ? width - group : L, at = k * width + group;
      int64_t valid = s.count - group;
      if (valid > group_width) valid = group_width;
      const typename V::reg x =
          elements <= 0 || valid <= 0
              ? V::zero()
              : Source::along_i(data + k * step * next_k + group * Source::bytes, next_k, elements, valid);
      if (group_width == L || (width < L && at + L <= total))
        V::store(out + at, x);
      else
        V::store_part(out + at, x, group_width);
    }
  }
}

template <class V, class Source>
HEARTH_INLINE void pack_panel(const PanelSource& s, int width, int64_t padded_steps, float* out) {
  if (s.stride_k == 1 && s.stride_i != 1)
    pack_panel_transposed<V, Source>(s, width, padded_steps, out);
  else
    pack_panel_rows<V, Source>(s, width, padded_steps, out);
}

template <class V, int kWidth>
static void pack_f32(const PanelSource& s, void* panel) {
  float* out = static_cast<float*>(panel);
  if (s.dtype == DType::f32)
    pack_panel<V, Widen<V, DType::f32>>(s, kWidth, s.k, out);
  else if (s.dtype == DType::bf16)
    pack_panel<V, Widen<V, DType::bf16>>(s, kWidth, s.k, out);
  else
    pack_panel<V, Widen<V, DType::f16>>(s, kWidth, s.k, out);
}

template <class V>
static void pack_narrow(const PanelSource& s, int width, float* panel) {
  if (s.dtype == DType::f32)
    pack_panel<V, Widen<V, DType::f32>>(s, width, s.k, panel);
  else if (s.dtype == DType::bf16)
    pack_panel<V, Widen<V, DType::bf16>>(s, width, s.k, panel);
  else
    pack_panel<V, Widen<V, DType::f16>>(s, width, s.k, panel);
}

}  // namespace hearth
