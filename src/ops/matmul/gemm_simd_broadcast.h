// SPDX-License-Identifier: Apache-2.0
#pragma once
// Rows of w, where they lie, times 3 to 32 vectors x, as templates over V (gemm_simd.h): elements of w are broadcast
// and meet all x at once, so w is read once and nothing of it is turned or summed across lanes until a row ends. With
// few x one register holds several steps of k: kGroup lanes of each x, and kGroup elements of w are broadcast together.

#include "ops/matmul/gemm_simd_pack.h"

namespace hearth {

constexpr int kBroadcastRows = 8;  // of w at a time: more, a power of two apart, would not fit the sets of the L1 cache

// The rows after these are asked for meanwhile: for up to 8 vectors x, bound by memory, in the order of memory; for
// more where the same rows are read. Measured: Zen 5, one thread, K 2048, N 5632, bf16, 8 vectors: not at all 139
// GFLOP/s, same order 154, memory's 212; 32 vectors: 334, 424, 358.

// Lanes of one x in a register.
template <class V>
HEARTH_INLINE int broadcast_group(int64_t m) {
  int group = 1;
  while (group < V::lanes / 4 && m * group * 2 <= V::lanes) group *= 2;
  return group;
}

template <class V>
static int64_t broadcast_bytes(int64_t m, int64_t k) {
  const int64_t step = broadcast_group<V>(m) * V::k_step, registers = (m + V::lanes - 1) / V::lanes;
  return (k + step - 1) / step * registers * V::lanes * 4;
}

// x in the order in which broadcast_block reads it: per step the lanes of all x, zeros up to whole registers.
template <class V, class Source, int kGroup>
static void pack_groups(const PanelSource& x, char* out) {
  constexpr int64_t kBytes = kGroup * 4, kElements = kGroup * V::k_step, kRegister = V::lanes * 4;
  const char* data = static_cast<const char*>(x.data);
  const int64_t whole = x.k / kElements, steps = (x.k + kElements - 1) / kElements;
  for (int64_t step = 0; step < steps; ++step, out += kRegister) {
    if (step == whole || x.count * kBytes < kRegister) __builtin_memset(out, 0, kRegister);
    HEARTH_UNROLL for (int i = 0; i < V::lanes / kGroup; ++i) {
      if (i >= x.count) break;
      const char* from = data + i * x.stride_i * Source::bytes + step * kBytes;
      if (step < whole)
        __builtin_memcpy(out + i * kBytes, from, kBytes);
      else
        __builtin_memcpy(out + i * kBytes, from, static_cast<unsigned long>((x.k - whole * kElements) * Source::bytes));
    }
  }
}

template <class V, class Source>
static void broadcast_pack(const PanelSource& x, void* out) {
  const int group = broadcast_group<V>(x.count);
  char* to = static_cast<char*>(out);
  if (group == 4) return pack_groups<V, Source, 4>(x, to);
  if (group == 2) return pack_groups<V, Source, 2>(x, to);
  const int width = x.count <= V::lanes ? V::lanes : 2 * V::lanes;
  pack_panel<V, Source>(x, width, (x.k + V::k_step - 1) / V::k_step, static_cast<float*>(out));
}

// out[m, row + r] += alpha * the sum of the lanes of x m in acc[r].
template <class V, int kGroup>
HEARTH_INLINE void add_groups(const DotRows& d, int64_t row, int64_t first, const typename V::reg* acc) {
  using reg = typename V::reg;
  reg x[V::lanes];
  HEARTH_UNROLL for (int r = 0; r < V::lanes; ++r) x[r] = r < kBroadcastRows ? acc[r] : V::zero();
  V::transpose(x);
  const int64_t rows = d.rows - row < kBroadcastRows ? d.rows - row : kBroadcastRows;
  HEARTH_UNROLL for (int i = 0; i < V::lanes / kGroup; ++i) {
    if (first + i >= d.m) break;
    reg sum = x[i * kGroup];
    HEARTH_UNROLL for (int g = 1; g < kGroup; ++g) sum = V::add(sum, x[i * kGroup + g]);
    float* out = d.out + (first + i) * d.ld_out + row;
    V::store_part(out, V::add_scaled(V::load_part(out, rows), V::set1(d.alpha), sum), rows);
  }
}

// The rows [row, row + 8) of w; of those beyond the end the last one again, whose sums are dropped.
template <class V, class Source, int kGroup, int kRegisters>
static void broadcast_block(const DotRows& d, int64_t row) {
  using reg = typename V::reg;
  constexpr int kChains = kRegisters == 1 ? 2 : 1;  // independent sums, to hide the latency
  constexpr int64_t kBytes = kGroup * 4, kElements = kGroup * V::k_step, kStepFloats = kRegisters * V::lanes;
  const char* w[kBroadcastRows];
  HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) {
    const int64_t at = row + r < d.rows ? row + r : d.rows - 1;
    w[r] = static_cast<const char*>(d.w) + at * d.w_stride * Source::bytes;
  }
  const int64_t row_bytes = d.w_stride * Source::bytes;
  NextPanel next{static_cast<const char*>(d.w) + (row + kBroadcastRows) * row_bytes, row_bytes, d.k * Source::bytes};
  const float* x = static_cast<const float*>(d.x);
  reg acc[kChains][kRegisters][kBroadcastRows];
  HEARTH_UNROLL for (int c = 0; c < kChains; ++c) {
    HEARTH_UNROLL for (int v = 0; v < kRegisters; ++v) {
      HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) acc[c][v][r] = V::zero();
    }
  }
  const auto step = [&](int chain, const char* const(&from)[kBroadcastRows], int64_t offset)
      __attribute__((always_inline)) {
    reg xv[kRegisters];
    HEARTH_UNROLL for (int v = 0; v < kRegisters; ++v) xv[v] = V::load(x + v * V::lanes);
    HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) {
      const reg wv = V::template repeat_group<kGroup>(from[r] + offset);
      HEARTH_UNROLL for (int v = 0; v < kRegisters; ++v) acc[chain][v][r] = V::fma(wv, xv[v], acc[chain][v][r]);
    }
    x += kStepFloats;
  };
  const int64_t whole = d.k / kElements;
  constexpr int64_t kLine = 64 / kBytes;  // steps that read one line of each row
  int64_t at = 0;
  for (; at + kLine <= whole; at += kLine) {
    if (kGroup > 1)
      next.fetch(kBroadcastRows * 64);
    else
      HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) {
        __builtin_prefetch(w[r] + at * kBytes + kBroadcastRows * row_bytes);
      }
    for (int64_t i = at; i < at + kLine; i += kChains) {
      HEARTH_UNROLL for (int c = 0; c < kChains; ++c) step(c, w, (i + c) * kBytes);
    }
  }
  for (; at < whole; ++at) step(0, w, at * kBytes);
  if (whole * kElements < d.k) {  // what is left of a group, then zeros
    alignas(16) char last[kBroadcastRows][kBytes] = {};
    const char* from[kBroadcastRows];
    HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) {
      __builtin_memcpy(last[r], w[r] + whole * kBytes,
                       static_cast<unsigned long>((d.k - whole * kElements) * Source::bytes));
      from[r] = last[r];
    }
    step(0, from, 0);
  }
  HEARTH_UNROLL for (int v = 0; v < kRegisters; ++v) {
    HEARTH_UNROLL for (int r = 0; r < kBroadcastRows; ++r) {
      for (int c = 1; c < kChains; ++c) acc[0][v][r] = V::add(acc[0][v][r], acc[c][v][r]);
    }
    add_groups<V, kGroup>(d, row, v * V::lanes, acc[0][v]);
  }
}

template <class V, class Source>
static void broadcast_rows(const DotRows& d) {
  const int group = broadcast_group<V>(d.m);
  for (int64_t row = 0; row < d.rows; row += kBroadcastRows) {
    if (group == 4)
      broadcast_block<V, Source, 4, 1>(d, row);
    else if (group == 2)
      broadcast_block<V, Source, 2, 1>(d, row);
    else if (d.m <= V::lanes)
      broadcast_block<V, Source, 1, 1>(d, row);
    else
      broadcast_block<V, Source, 1, 2>(d, row);
  }
}

}  // namespace hearth
