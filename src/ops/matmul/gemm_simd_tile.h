// SPDX-License-Identifier: Apache-2.0
#pragma once
// Tiles of C, as templates over V (gemm_simd.h).

#include "ops/matmul/gemm_simd.h"

namespace hearth {

// The valid part of a tile in the dtype of C, straight from registers. kFull: all columns are valid.
template <class V, DType kType, bool kFull, int kRows, int kVectors>
HEARTH_INLINE void store_columns(const Tile& t, void* out, int64_t ld, const typename V::reg (&acc)[kRows][kVectors]) {
  constexpr int64_t bytes = size_bytes(kType);
  const int64_t last = kFull ? V::lanes : t.cols - (kVectors - 1) * V::lanes;
  char* to = static_cast<char*>(out);
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    if (r >= t.rows) break;
    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
      V::template store_as<kType>(to + v * V::lanes * bytes, acc[r][v], v + 1 < kVectors ? V::lanes : last);
    }
    to += ld * bytes;
  }
}

template <class V, DType kType, int kRows, int kVectors>
HEARTH_INLINE void store_tile(const Tile& t, void* out, int64_t ld, const typename V::reg (&acc)[kRows][kVectors]) {
  if (t.cols >= kVectors * V::lanes)
    store_columns<V, kType, true, kRows, kVectors>(t, out, ld, acc);
  else
    store_columns<V, kType, false, kRows, kVectors>(t, out, ld, acc);
}

// out = init + alpha * acc for the valid part of a tile, which reaches into the last vector. All of init is read before
// anything is written: rows that lie a multiple of 4 KiB apart would otherwise wait for each other.
template <class V, int kRows, int kVectors>
HEARTH_INLINE void finish_tile(const Tile& t, typename V::reg (&acc)[kRows][kVectors]) {
  using reg = typename V::reg;
  if (t.init || t.alpha != 1) {
    const reg alpha = V::set1(static_cast<typename V::element>(t.alpha));
    const auto* first = static_cast<const typename V::element*>(t.init);
    const bool full = t.cols >= kVectors * V::lanes;
    const int64_t last = t.cols - (kVectors - 1) * V::lanes;  // lanes of the last vector
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
      const auto* init = first + r * t.ld_init;
      const bool has_init = t.init && r < t.rows;
      HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
        const bool part = v + 1 == kVectors && !full;
        const reg from = !has_init ? V::zero()
                         : part    ? V::load_part(init + v * V::lanes, last)
                                   : V::load(init + v * V::lanes);
        acc[r][v] = V::add_scaled(from, alpha, acc[r][v]);
      }
    }
  }
  if (!t.final_out) return store_tile<V, V::dtype, kRows, kVectors>(t, t.out, t.ld_out, acc);
  if constexpr (V::dtype == DType::f32) {
    if (t.final_dtype == DType::bf16)
      store_tile<V, DType::bf16, kRows, kVectors>(t, t.final_out, t.ld_final, acc);
    else
      store_tile<V, DType::f16, kRows, kVectors>(t, t.final_out, t.ld_final, acc);
  } else if constexpr (V::dtype == DType::u32) {
    if (size_bytes(t.final_dtype) == 1)
      store_tile<V, DType::u8, kRows, kVectors>(t, t.final_out, t.ld_final, acc);
    else
      store_tile<V, DType::u16, kRows, kVectors>(t, t.final_out, t.ld_final, acc);
  }
}

// Asks for the lines of C that the tile will write.
template <class V, int kVectors>
HEARTH_INLINE void fetch_result(const Tile& t) {
  const char* line = static_cast<const char*>(t.final_out ? t.final_out : t.out);
  const int64_t bytes = t.final_out ? size_bytes(t.final_dtype) : int64_t(sizeof(typename V::element));
  const int64_t row_bytes = (t.final_out ? t.ld_final : t.ld_out) * bytes, width = kVectors * V::lanes * bytes;
  for (int64_t r = 0; r < t.rows; ++r, line += row_bytes) {
    for (int64_t at = 0; at < width; at += 64) __builtin_prefetch(line + at, 1);
  }
}

// Panels are read once per tile from L2 or beyond: fetched this many steps ahead, across the ends of pages and panels
// where the processor's own prefetching stops. The lines of C are asked for so many steps before the end. Measured: Zen
// 5, gemm_bench 2048^3, one thread: no prefetch 197 (f32) and 412 (bf16) GFLOP/s, 32 steps 203 and 428, 64 steps 208
// and 440.
constexpr int kPrefetchSteps = 64, kLeastFetchSteps = 16;  // a tile of fewer is over before its lines come

// Where a tile finds row r of A: in a panel, interleaved with the others.
template <class V, int kPanelRows>
struct PanelRows {
  const typename V::element* at;
  HEARTH_INLINE explicit PanelRows(const Tile& t) : at(static_cast<const typename V::element*>(t.a)) {}
  HEARTH_INLINE const void* row(int r) const { return at + r; }
  HEARTH_INLINE void fetch() const { __builtin_prefetch(at + kPrefetchSteps * kPanelRows); }
  HEARTH_INLINE void next() { at += kPanelRows; }
};

// Or where it is stored. One pointer for three rows: an x86 address adds one or two strides for nothing. The last row
// has its own, for it may be one that the tile does not have, and then repeats the one before.
template <class V, int kRows>
struct StoredRows {
  static constexpr int kBases = (kRows + 1) / 3;
  const char *base[kBases], *last;
  int64_t stride;  // in bytes
  HEARTH_INLINE explicit StoredRows(const Tile& t) : stride(t.a_stride) {
    const char* first = static_cast<const char*>(t.a);
    HEARTH_UNROLL for (int i = 0; i < kBases; ++i) base[i] = first + 3 * i * stride;
    last = first + ((t.rows < kRows ? t.rows : kRows) - 1) * stride;
  }
  HEARTH_INLINE const void* row(int r) const { return r == kRows - 1 ? last : base[r / 3] + r % 3 * stride; }
  HEARTH_INLINE void fetch() const {}
  HEARTH_INLINE void next() {
    HEARTH_UNROLL for (int i = 0; i < kBases; ++i) base[i] += sizeof(typename V::element);
    last += sizeof(typename V::element);
  }
};

// kRows x kVectors registers of C stay in place over all of k: per step kVectors loads of B, kRows broadcasts of A.
// kPanelVectors is the width of the panel of B.
template <class V, class Rows, int kPanelVectors, int kRows, int kVectors>
static void tile_of(const Tile& t) {
  using reg = typename V::reg;
  Rows a(t);
  const auto* b = static_cast<const typename V::element*>(t.b);
  reg acc[kRows][kVectors];
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::zero();
  }
  const int64_t all_steps = (t.k + V::k_step - 1) / V::k_step;
  const int64_t last_steps = all_steps < kPrefetchSteps ? all_steps : kPrefetchSteps;
  for (int phase = 0; phase < 2; ++phase) {
    for (int64_t steps = phase == 0 ? all_steps - last_steps : last_steps; steps > 0; --steps) {
      reg bv[kVectors];
      a.fetch();
      HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
        bv[v] = V::load(b + v * V::lanes);
        if (v * sizeof(reg) % 64 == 0) __builtin_prefetch(b + v * V::lanes + kPrefetchSteps * kPanelVectors * V::lanes);
      }
      HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
        const reg av = repeat<V>(a.row(r));
        HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::fma(av, bv[v], acc[r][v]);
      }
      a.next();
      b += kPanelVectors * V::lanes;
    }
    if (phase == 1) break;
    if (all_steps >= kLeastFetchSteps) fetch_result<V, kVectors>(t);
  }
  finish_tile<V, kRows, kVectors>(t, acc);
}

// A tile of the whole panel's height, or at the edge of the next even number of rows, so that at most one is wasted.
template <class V, int kPanelRows, int kRows = kPanelRows>
static void packed_rows(const Tile& t) {
  if constexpr (kRows > 2) {
    if (t.rows <= kRows - 2) return packed_rows<V, kPanelRows, kRows - 2>(t);
  }
  if (t.cols > V::lanes)
    tile_of<V, PanelRows<V, kPanelRows>, 2, kRows, 2>(t);
  else
    tile_of<V, PanelRows<V, kPanelRows>, 2, kRows, 1>(t);
}

// The same with A where it lies.
template <class V, int kRows>
static void stored_rows(const Tile& t) {
  if constexpr (kRows > 2) {
    if (t.rows <= kRows - 2) return stored_rows<V, kRows - 2>(t);
  }
  if (t.cols > V::lanes)
    tile_of<V, StoredRows<V, kRows>, 2, kRows, 2>(t);
  else
    tile_of<V, StoredRows<V, kRows>, 2, kRows, 1>(t);
}

// As tile_of with B where it lies, rows of B contiguous; the A panel has kRows rows.
template <class V, DType kType, int kRows, int kVectors>
HEARTH_INLINE void direct_tile_columns(const Tile& t) {
  using reg = typename V::reg;
  constexpr int bytes = kType == DType::f32 ? 4 : 2;
  const float* a = static_cast<const float*>(t.a);
  const char* b = static_cast<const char*>(t.b);
  reg acc[kRows][kVectors];
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::zero();
  }
  const int64_t last = t.cols - (kVectors - 1) * V::lanes;  // valid lanes of the last vector
  for (int64_t k = 0; k < t.k; ++k) {
    reg bv[kVectors];
    HEARTH_UNROLL for (int v = 0; v + 1 < kVectors; ++v) bv[v] = V::template load_as<kType>(b + v * V::lanes * bytes);
    const char* end = b + (kVectors - 1) * V::lanes * bytes;
    bv[kVectors - 1] = last >= V::lanes ? V::template load_as<kType>(end) : V::template load_as_part<kType>(end, last);
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
      const reg av = V::set1(a[r]);
      HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::fma(av, bv[v], acc[r][v]);
    }
    a += kRows;
    b += t.b_stride * bytes;
  }
  finish_tile<V, kRows, kVectors>(t, acc);
}

template <class V, DType kType, int kRows, int kVectors>
static void direct_tile_typed(const Tile& whole) {
  constexpr int bytes = kType == DType::f32 ? 4 : 2;
  Tile t = whole;
  for (int64_t left = whole.cols; left > 0; left -= t.cols) {
    t.cols = left >= kVectors * V::lanes ? kVectors * V::lanes : left >= V::lanes ? V::lanes : left;
    if (t.cols > V::lanes)
      direct_tile_columns<V, kType, kRows, kVectors>(t);
    else
      direct_tile_columns<V, kType, kRows, 1>(t);
    t.b = static_cast<const char*>(t.b) + t.cols * bytes;
    t.out = static_cast<float*>(t.out) + t.cols;
    if (t.init) t.init = static_cast<const float*>(t.init) + t.cols;
  }
}

template <class V, int kRows, int kVectors>
static void direct_tile_rows(const Tile& t, DType dtype) {
  if (dtype == DType::f32)
    direct_tile_typed<V, DType::f32, kRows, kVectors>(t);
  else if (dtype == DType::bf16)
    direct_tile_typed<V, DType::bf16, kRows, kVectors>(t);
  else
    direct_tile_typed<V, DType::f16, kRows, kVectors>(t);
}

}  // namespace hearth
