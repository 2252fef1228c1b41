// SPDX-License-Identifier: Apache-2.0
#pragma once
// Small groups of channels that lie side by side: a vector holds whole groups, or one channel of each where groups are
// of one. Under the rules of conv_simd.h.
#include "ops/convolution/conv_kernels.h"
#if defined(__AVX512F__)
#include "ops/matmul/gemm_avx512.h"
#elif defined(__AVX2__)
#include "ops/matmul/gemm_avx2.h"
#endif
#include "ops/matmul/gemm_simd.h"

namespace hearth {
namespace {

template <class V>
HEARTH_INLINE const typename V::element* elements(const char* p) {
  return reinterpret_cast<const typename V::element*>(p);
}
template <class V>
HEARTH_INLINE typename V::element* elements(char* p) {
  return reinterpret_cast<typename V::element*>(p);
}

// In each lane channel i of the lane's group.
template <class V>
class Member {
 public:
  using reg = typename V::reg;
#if defined(__AVX512F__)
  HEARTH_INLINE Member(int group, int i)
      : from_(_mm512_add_epi32(_mm512_and_si512(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                                _mm512_set1_epi32(-group)),
                               _mm512_set1_epi32(i))) {}
  HEARTH_INLINE reg of(reg x) const { return _mm512_permutexvar_ps(from_, x); }

 private:
  __m512i from_;
#elif defined(__AVX2__)
  HEARTH_INLINE Member(int group, int i)
      : from_(_mm256_add_epi32(_mm256_and_si256(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(-group)),
                               _mm256_set1_epi32(i))) {}
  HEARTH_INLINE reg of(reg x) const { return _mm256_permutevar8x32_ps(x, from_); }

 private:
  __m256i from_;
#else
  HEARTH_INLINE Member(int group, int i) : group_(group), i_(i) {}
  HEARTH_INLINE reg of(reg x) const {
    reg y{};
    for (int lane = 0; lane < V::lanes; ++lane) y[lane] = x[(lane & -group_) + i_];
    return y;
  }

 private:
  int group_, i_;
#endif
};

// kRows outputs, n lanes of channels: sums stay in registers, each weight is loaded once for all rows. kWhole: n is all
// lanes. Bound by loading lhs, once per product (groups of one), or by as many shuffles as products.
template <class V, DType kType, int kRows, bool kGroups, bool kWhole>
HEARTH_INLINE void channel_sums(const ConvChannels& c, const char* lhs, char* out, int64_t v, int64_t n) {
  using reg = typename V::reg;
  constexpr int64_t bytes = size_bytes(kType);
  const auto weights = [&](const typename V::element* w) { return kWhole ? V::load(w) : V::load_part(w, n); };
  const auto input = [&](const char* p) {
    return kWhole ? V::template load_as<kType>(p) : V::template load_as_part<kType>(p, n);
  };
  reg acc[kRows];
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = V::zero();
  const int64_t step = c.lhs_step * bytes;
  for (int64_t t = 0; t < c.term_count; ++t) {
    const char* p = lhs + (c.terms[t].lhs + v) * bytes;
    const auto* w = elements<V>(c.w) + c.terms[t].w + v;
    if constexpr (kGroups) {
      reg x[kRows];
      HEARTH_UNROLL for (int r = 0; r < kRows; ++r) x[r] = input(p + r * step);
      for (int i = 0; i < c.group; ++i) {
        const Member<V> member(c.group, i);
        const reg wv = weights(w + i * c.w_step);
        HEARTH_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = V::fma(member.of(x[r]), wv, acc[r]);
      }
    } else {
      const reg wv = weights(w);
      HEARTH_UNROLL for (int r = 0; r < kRows; ++r) acc[r] = V::fma(input(p + r * step), wv, acc[r]);
    }
  }
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    V::template store_as<kType>(out + (r * c.out_step + v) * bytes, acc[r], kWhole ? V::lanes : n);
  }
}

template <class V, DType kType, int kRows, bool kGroups>
static void channel_rows(const ConvChannels& c, int64_t row) {
  constexpr int64_t bytes = size_bytes(kType);
  const char* lhs = static_cast<const char*>(c.lhs) + row * c.lhs_step * bytes;
  char* out = static_cast<char*>(c.out) + row * c.out_step * bytes;
  int64_t v = 0;
  for (; v + V::lanes <= c.channels; v += V::lanes)
    channel_sums<V, kType, kRows, kGroups, true>(c, lhs, out, v, V::lanes);
  if (v < c.channels) channel_sums<V, kType, kRows, kGroups, false>(c, lhs, out, v, c.channels - v);
}

template <class V, DType kType, int kRows, bool kGroups>
static void channels_typed(const ConvChannels& c) {
  constexpr int kHalf = kRows / 2;
  int64_t row = 0;
  // Outputs whose channels lie a multiple of 2 KiB apart share two sets of the L1: few of them fit in at once.
  const bool crowded = c.lhs_step * size_bytes(kType) % 2048 == 0;
  for (; !crowded && row + kRows <= c.outputs; row += kRows) channel_rows<V, kType, kRows, kGroups>(c, row);
  for (; row + kHalf <= c.outputs; row += kHalf) channel_rows<V, kType, kHalf, kGroups>(c, row);
  for (; row < c.outputs; ++row) channel_rows<V, kType, 1, kGroups>(c, row);
}

template <class V, int kRows>
static void channels_of(const ConvChannels& c) {
  if constexpr (V::dtype == DType::f64) {
    channels_typed<V, DType::f64, kRows, false>(c);
  } else {
    const bool groups = c.group > 1;
    if (c.dtype == DType::f32)
      return groups ? channels_typed<V, DType::f32, kRows, true>(c) : channels_typed<V, DType::f32, kRows, false>(c);
    if (c.dtype == DType::bf16)
      return groups ? channels_typed<V, DType::bf16, kRows, true>(c) : channels_typed<V, DType::bf16, kRows, false>(c);
    groups ? channels_typed<V, DType::f16, kRows, true>(c) : channels_typed<V, DType::f16, kRows, false>(c);
  }
}

}  // namespace
}  // namespace hearth
