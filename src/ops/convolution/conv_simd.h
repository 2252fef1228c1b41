// SPDX-License-Identifier: Apache-2.0
#pragma once
// The kernels of conv_kernels.h as templates over the vector types of ops/matmul/gemm_simd.h, under the same rules: all
// local to the file that includes them, nothing here calls std.

#include "ops/convolution/conv_simd_channels.h"

namespace hearth {
namespace {

template <class V, int kRows, int kVectors>
HEARTH_INLINE void begin_sums(const ConvTile& t, typename V::reg (&acc)[kRows][kVectors]) {
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
      acc[r][v] = t.add ? V::load(elements<V>(t.out[r]) + t.out_offset + v * V::lanes) : V::zero();
    }
  }
}

template <class V, int kRows, int kVectors>
HEARTH_INLINE void end_sums(const ConvTile& t, const typename V::reg (&acc)[kRows][kVectors]) {
  HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
    HEARTH_UNROLL for (int v = 0; v < kVectors; ++v)
        V::store(elements<V>(t.out[r]) + t.out_offset + v * V::lanes, acc[r][v]);
  }
}

constexpr int64_t kAhead = 24;  // rows of weights that are asked for before their turn

// kRows x kVectors registers of sums stay in place over all terms; per term kVectors loads of weights, kRows
// broadcasts. kNext: the rows lie side by side, one pointer serves them all.
template <class V, int kRows, int kVectors, bool kNext>
HEARTH_INLINE void broadcast_tile(const ConvTile& t) {
  using reg = typename V::reg;
  reg acc[kRows][kVectors];
  begin_sums<V>(t, acc);
  const int64_t step = t.step, w_stride = t.w_stride;
  for (int64_t i = 0; i < t.run_count; ++i) {
    const ConvRun run = t.runs[i];
    const auto* w = elements<V>(t.w) + run.k * w_stride;
    const typename V::element* p[kRows];
    HEARTH_UNROLL for (int r = 0; r < (kNext ? 1 : kRows); ++r) p[r] = elements<V>(t.lhs[r]) + run.offset;
    for (int64_t k = 0, at = 0; k < run.length; ++k, at += step) {
      reg wv[kVectors];
      HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
        wv[v] = V::load(w + v * V::lanes);
        if (v * sizeof(reg) % 64 == 0) __builtin_prefetch(w + v * V::lanes + kAhead * w_stride);
      }
      if (kNext) __builtin_prefetch(p[0] + at + kAhead * step);
      HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
        const reg x = V::set1(kNext ? p[0][at + r] : p[r][at]);
        HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) acc[r][v] = V::fma(x, wv[v], acc[r][v]);
      }
      w += w_stride;
    }
  }
  end_sums<V>(t, acc);
}

// A vector of lhs times a vector of weights, lane by lane.
template <class V, int kRows, int kVectors>
HEARTH_INLINE void lane_tile_of(const ConvTile& t) {
  using reg = typename V::reg;
  reg acc[kRows][kVectors];
  begin_sums<V>(t, acc);
  const int64_t step = t.step, w_stride = t.w_stride;
  for (int64_t i = 0; i < t.run_count; ++i) {
    const ConvRun run = t.runs[i];
    const auto* w = elements<V>(t.w) + run.k * w_stride;
    const typename V::element* p[kRows];
    HEARTH_UNROLL for (int r = 0; r < kRows; ++r) p[r] = elements<V>(t.lhs[r]) + run.offset + t.lhs_offset;
    for (int64_t k = 0, at = 0; k < run.length; ++k, at += step) {
      HEARTH_UNROLL for (int v = 0; v < kVectors; ++v) {
        const reg wv = V::load(w + v * V::lanes);
        HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
          acc[r][v] = V::fma(V::load(p[r] + at + v * V::lanes), wv, acc[r][v]);
        }
      }
      w += w_stride;
    }
  }
  end_sums<V>(t, acc);
}

// The instance of exactly t.rows rows.
template <class V, int kRows, int kVectors, bool kNext>
static void broadcast_rows(const ConvTile& t) {
  if constexpr (kRows > 1) {
    if (t.rows < kRows) return broadcast_rows<V, kRows - 1, kVectors, kNext>(t);
  }
  broadcast_tile<V, kRows, kVectors, kNext>(t);
}
template <class V, int kRows, int kVectors>
static void lane_rows(const ConvTile& t) {
  if constexpr (kRows > 1) {
    if (t.rows < kRows) return lane_rows<V, kRows - 1, kVectors>(t);
  }
  lane_tile_of<V, kRows, kVectors>(t);
}

// How many entries of a table from `a` on follow each other by 1, at most `most`.
HEARTH_INLINE int64_t neighbours(const int64_t* rows, int64_t most) {
  int64_t n = 1;
  while (n < most && rows[n] == rows[0] + n) ++n;
  return n;
}

constexpr int64_t kLeastTransposed = 3;  // rows from which a transposed block pays

// Source: along_i(p, bytes to the second of a pair, elements of the pair, lanes).
template <class V, class Source>
HEARTH_INLINE void copy_units(const ConvCopy& c) {
  using reg = typename V::reg;
  constexpr int L = V::lanes;
  const char* from = static_cast<const char*>(c.from);
  auto* const to = elements<V>(c.to);
  const int64_t next = c.pair * Source::bytes, elements = c.has_pair ? 2 : 1, step = c.from_step * Source::bytes;
  for (int64_t a = 0; a < c.rows;) {
    const char* p = from + c.from_rows[a] * Source::bytes;
    if (step == Source::bytes) {
      for (int64_t b = 0; b < c.cols; b += L) {
        const int64_t n = c.cols - b < L ? c.cols - b : L;
        V::store_part(to + c.to_rows[a] + b, Source::along_i(p + b * step, next, elements, n), n);
      }
      ++a;
      continue;
    }
    const int64_t rows = neighbours(c.from_rows + a, c.rows - a < L ? c.rows - a : L);
    if (rows < kLeastTransposed) {
      for (int64_t b = 0; b < c.cols; ++b) {
        if constexpr (Source::bytes == sizeof(typename V::element))
          __builtin_memcpy(to + c.to_rows[a] + b, p + b * step, Source::bytes);
        else
          V::store_part(to + c.to_rows[a] + b, Source::along_i(p + b * step, next, elements, 1), 1);
      }
      ++a;
      continue;
    }
    for (int64_t b = 0; b < c.cols; b += L) {
      const int64_t n = c.cols - b < L ? c.cols - b : L;
      reg x[L];
      HEARTH_UNROLL for (int i = 0; i < L; ++i) {
        x[i] = i < n ? Source::along_i(p + (b + i) * step, next, elements, rows) : V::zero();
      }
      V::transpose(x);
      HEARTH_UNROLL for (int i = 0; i < L; ++i) {
        if (i < rows) V::store_part(to + c.to_rows[a + i] + b, x[i], n);
      }
    }
    a += rows;
  }
  for (int64_t a = 0; a < c.rows && c.padded > c.cols; ++a) {
    for (int64_t b = c.cols; b < c.padded; ++b) to[c.to_rows[a] + b] = 0;
  }
}

template <class V>
static void copy_widened(const ConvCopy& c) {
  if constexpr (V::dtype == DType::f64)
    copy_units<V, Widen<V, DType::f64>>(c);
  else if (c.dtype == DType::f32)
    copy_units<V, Widen<V, DType::f32>>(c);
  else if (c.dtype == DType::bf16)
    copy_units<V, Widen<V, DType::bf16>>(c);
  else
    copy_units<V, Widen<V, DType::f16>>(c);
}

template <class V, DType kType>
HEARTH_INLINE void store_typed(const ConvStore& s) {
  using reg = typename V::reg;
  constexpr int L = V::lanes;
  constexpr int64_t bytes = size_bytes(kType);
  for (int64_t a = 0; a < s.rows;) {
    const auto* from = elements<V>(s.from) + s.from_rows[a];
    char* to = static_cast<char*>(s.to) + s.to_rows[a] * bytes;
    if (s.to_step == 1) {
      for (int64_t b = 0; b < s.cols; b += L)
        V::template store_as<kType>(to + b * bytes, V::load(from + b), s.cols - b < L ? s.cols - b : L);
      ++a;
      continue;
    }
    const int64_t rows = neighbours(s.to_rows + a, s.rows - a < L ? s.rows - a : L);
    if (rows < kLeastTransposed) {
      for (int64_t b = 0; b < s.cols; ++b) {
        if constexpr (bytes == sizeof(*from))
          __builtin_memcpy(to + b * s.to_step * bytes, from + b, bytes);
        else
          V::template store_as<kType>(to + b * s.to_step * bytes, V::set1(from[b]), 1);
      }
      ++a;
      continue;
    }
    for (int64_t b = 0; b < s.cols; b += L) {
      reg x[L];
      HEARTH_UNROLL for (int i = 0; i < L; ++i) {
        x[i] = i < rows ? V::load(elements<V>(s.from) + s.from_rows[a + i] + b) : V::zero();
      }
      V::transpose(x);
      HEARTH_UNROLL for (int i = 0; i < L; ++i) {
        if (b + i < s.cols) V::template store_as<kType>(to + (b + i) * s.to_step * bytes, x[i], rows);
      }
    }
    a += rows;
  }
}

template <class V>
static void store_rounded(const ConvStore& s) {
  if constexpr (V::dtype == DType::f64)
    store_typed<V, DType::f64>(s);
  else if (s.dtype == DType::f32)
    store_typed<V, DType::f32>(s);
  else if (s.dtype == DType::bf16)
    store_typed<V, DType::bf16>(s);
  else
    store_typed<V, DType::f16>(s);
}

template <class V, int kRows, int kLaneRows>
constexpr ConvKernels conv_table() {
  ConvKernels table;
  table.unit_bytes = sizeof(typename V::element);
  table.rows = kRows;
  table.lanes = V::lanes;
  table.tile[0] = broadcast_rows<V, kRows, 1, false>;
  table.tile[1] = broadcast_rows<V, kRows, 2, false>;
  table.tile_next[0] = broadcast_rows<V, kRows, 1, true>;
  table.tile_next[1] = broadcast_rows<V, kRows, 2, true>;
  table.lane_rows = kLaneRows;
  table.lane_tile[0] = lane_rows<V, kLaneRows, 1>;
  table.lane_tile[1] = lane_rows<V, kLaneRows, 2>;
  table.copy = copy_widened<V>;
  table.store = store_rounded<V>;
  table.channels = channels_of<V, kLaneRows>;
  return table;
}

}  // namespace
}  // namespace hearth
