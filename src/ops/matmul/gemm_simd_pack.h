// SPDX-License-Identifier: Apache-2.0
#pragma once
// Packing of panels (gemm_kernels.h), as templates over V (gemm_simd.h).

#include "ops/matmul/gemm_simd.h"

namespace hearth {

// Asks for the lines of the panel after this one, row by row: one stream in the order of memory, which a panel's own
// order, as many streams as lanes, is not.
struct NextPanel {
  const char* row;
  int64_t stride, length, at = 0;  // bytes
  HEARTH_INLINE void fetch(int64_t bytes) {
    for (int64_t done = 0; done < bytes; done += 64) {
      __builtin_prefetch(row + at);
      at += 64;
      if (at < length) continue;
      row += stride;
      at = 0;
    }
  }
};

// L vectors of L elements (or pairs) along k, turned into L steps of a panel; those from `width` on are zeros. kWhole:
// none of the others ends inside.
template <class V, class Source, bool kWhole>
HEARTH_INLINE void turn_block(const PanelSource& s, int64_t i, int64_t width, int64_t k,
                              typename V::reg (&x)[V::lanes]) {
  constexpr int L = V::lanes;
  const char* data = static_cast<const char*>(s.data) + (i * s.stride_i + k) * Source::bytes;
  const int64_t valid = s.count - i, elements = s.k - k, next = s.stride_i * Source::bytes;
  HEARTH_UNROLL for (int r = 0; r < L; ++r) {
    if (kWhole)
      x[r] = r < width ? Source::along_k(data) : V::zero();
    else
      x[r] = r >= valid || elements <= 0      ? V::zero()
             : elements >= L * Source::k_step ? Source::along_k(data)
                                              : Source::along_k_part(data, elements);
    data += next;
  }
  V::transpose(x);
}

// Packs one panel of `width` (at most 4 * lanes), padding with zeros to width and to padded_steps.
template <class V, class Source>
HEARTH_INLINE void pack_panel_transposed(const PanelSource& s, int width, int64_t padded_steps,
                                         typename V::element* out) {
  constexpr int L = V::lanes, step = Source::k_step;
  const int64_t total = padded_steps * width, row_bytes = s.stride_i * Source::bytes;
  NextPanel next{static_cast<const char*>(s.data) + width * row_bytes, row_bytes, s.k * Source::bytes};
  for (int group = 0; group < width; group += L) {
    const int64_t valid = s.count - group, group_width = width - group < L ? width - group : L;
    for (int64_t k = 0; k < padded_steps; k += L) {
      typename V::reg x[L];
      next.fetch(group_width * L * step * Source::bytes);
      auto* to = out + k * width + group;
      // A full store may run over the start of the next step, which is written after it.
      const bool room = group_width == L || (width < L && (k + L - 1) * width + L <= total);
      if (room && valid >= group_width && s.k - k * step >= L * step) {
        turn_block<V, Source, true>(s, group, group_width, k * step, x);
        HEARTH_UNROLL for (int q = 0; q < L; ++q) V::store(to + q * width, x[q]);
        continue;
      }
      turn_block<V, Source, false>(s, group, group_width, k * step, x);
      HEARTH_UNROLL for (int q = 0; q < L; ++q) {
        const int64_t at = (k + q) * width + group;
        if (k + q >= padded_steps) continue;
        if (group_width == L || (width < L && at + L <= total))
          V::store(out + at, x[q]);
        else
          V::store_part(out + at, x[q], group_width);
      }
    }
  }
}

template <class V, class Source>
HEARTH_INLINE void pack_panel_rows(const PanelSource& s, int width, int64_t padded_steps, typename V::element* out) {
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
HEARTH_INLINE void pack_panel(const PanelSource& s, int width, int64_t padded_steps, typename V::element* out) {
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
