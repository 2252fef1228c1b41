// SPDX-License-Identifier: Apache-2.0
#pragma once
// A panel: the rows in the lanes of one register tile, where they lie in memory and which keys they see.

#include "ops/attention/flash_kernels.h"
#include "ops/attention/flash_tile.h"

namespace hearth {
namespace {

constexpr int64_t kKeys = 64;  // keys in a tile
static_assert(kKeys % kTileRows == 0);

HEARTH_INLINE int64_t group_heads(const AttentionCall& call) { return call.heads / call.kv_heads; }

template <class T>
HEARTH_INLINE T* row_at(T* base, const int64_t* stride, int64_t i, int64_t j, int64_t k) {
  return base + i * stride[0] + j * stride[1] + k * stride[2];
}

// Pointers to the keys (or values) [first, first + n) of (b, g).
template <class T>
void key_rows(const void* base, const int64_t* stride, int64_t b, int64_t g, int64_t first, int64_t n, const T** rows) {
  for (int64_t i = 0; i < n; ++i) rows[i] = row_at(static_cast<const T*>(base), stride, b, first + i, g);
}

enum class Sees { none, some, all };

struct alignas(64) Panel {
  int32_t begin[kPanel];    // the row sees keys from this one on
  int32_t end[kPanel];      // and before this one by position
  int32_t segment[kPanel];  // and of this segment
  const uint8_t* mask[kPanel];
  int64_t token[kPanel], head[kPanel];
  int64_t rows, first_begin, last_begin, first_end, last_end;  // begins and ends grow with the row
  int vectors;
  int32_t segment_min, segment_max;
};

// Rows [first, first + rows) of (b, g); lanes past the end see nothing.
void place_panel(const AttentionCall& call, int64_t b, int64_t g, int64_t first, int64_t rows, Panel* panel) {
  const int64_t heads = group_heads(call);
  int64_t t = first / heads, h = g * heads + first % heads;
  panel->rows = rows;
  panel->vectors = int((rows + kLanes - 1) / kLanes);
  panel->segment_min = INT32_MAX;
  panel->segment_max = INT32_MIN;
  for (int64_t i = 0; i < kPanel; ++i) {
    panel->begin[i] = 0;
    panel->end[i] = 0;
    panel->segment[i] = 0;
    panel->mask[i] = nullptr;
    if (i >= rows) continue;
    panel->token[i] = t;
    panel->head[i] = h;
    panel->begin[i] = int32_t(causal_begin(call, b, t));
    panel->end[i] = int32_t(causal_end(call, b, t));
    if (call.mask) panel->mask[i] = row_at(call.mask, call.mask_stride, b, h, t);  // its axes are b, h, t
    if (call.q_segments) {
      const int32_t segment = panel->segment[i] = call.q_segments[b * call.tokens + t];
      panel->segment_min = segment < panel->segment_min ? segment : panel->segment_min;
      panel->segment_max = segment > panel->segment_max ? segment : panel->segment_max;
    }
    if (++h == (g + 1) * heads) {
      h = g * heads;
      ++t;
    }
  }
  panel->first_begin = panel->begin[0];
  panel->last_begin = panel->begin[rows - 1];
  panel->first_end = panel->end[0];
  panel->last_end = panel->end[rows - 1];
}

template <class T>
void panel_rows(const AttentionCall& call, const Panel& panel, const void* base, const int64_t* stride, int64_t b,
                const T** rows) {
  (void)call;
  for (int64_t i = 0; i < panel.rows; ++i)
    rows[i] = row_at(static_cast<const T*>(base), stride, b, panel.token[i], panel.head[i]);
}

// Which of the keys [first, first + n) the panel sees.
Sees visible(const AttentionCall& call, const Panel& panel, int64_t b, int64_t first, int64_t n) {
  if (first >= panel.last_end || first + n <= panel.first_begin) return Sees::none;
  bool whole = first >= panel.last_begin && first + n <= panel.first_end && !call.mask;
  if (call.q_segments) {
    const int32_t* segment = call.k_segments + b * call.keys + first;
    int32_t low = segment[0], high = segment[0];
    for (int64_t i = 1; i < n; ++i) {
      low = segment[i] < low ? segment[i] : low;
      high = segment[i] > high ? segment[i] : high;
    }
    if (high < panel.segment_min || low > panel.segment_max) return Sees::none;
    whole &= low == high && panel.segment_min == panel.segment_max && low == panel.segment_min;
  }
  return whole ? Sees::all : Sees::some;
}

// score[s][lane] = hidden ? -inf : factor * score, for the keys [first, first + padded) of which n exist.
void hide(const AttentionCall& call, const Panel& panel, int64_t b, int64_t first, int64_t n, int64_t padded,
          float factor, float* score, int64_t step) {
  const int32_t* segments = call.q_segments ? call.k_segments + b * call.keys + first : nullptr;
  for (int64_t s = 0; s < padded; ++s) {
    for (int v = 0; v < panel.vectors; ++v) {
      float* at = score + s * step + v * kLanes;
      I seen = s < n
                   ? I(I(*reinterpret_cast<const UnalignedI*>(panel.end + v * kLanes)) > splat_int(int32_t(first + s)))
                   : I{};
      if (call.window)
        seen &= I(*reinterpret_cast<const UnalignedI*>(panel.begin + v * kLanes)) <= splat_int(int32_t(first + s));
      if (segments && s < n)
        seen &= *reinterpret_cast<const UnalignedI*>(panel.segment + v * kLanes) == splat_int(segments[s]);
      store(at, seen ? load(at) * factor : splat(-kInfinity));
    }
  }
  if (!call.mask) return;
  for (int64_t i = 0; i < panel.rows; ++i)
    for (int64_t s = 0; s < n; ++s)
      if (!panel.mask[i][first + s]) score[s * step + i] = -kInfinity;
}

template <class T>
void store_sum_of(void* to, const float* sums, int64_t parts, int64_t step, float factor, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) {
    F sum = load_part(sums + i, n - i);
    for (int64_t part = 1; part < parts; ++part) sum += load_part(sums + part * step + i, n - i);
    store_part(static_cast<T*>(to) + i, sum * factor, n - i);
  }
}

void store_sum(DType dtype, void* to, const float* sums, int64_t parts, int64_t step, float factor, int64_t n) {
  const auto run = dtype == DType::f32    ? store_sum_of<float>
                   : dtype == DType::bf16 ? store_sum_of<bf16>
                                          : store_sum_of<f16>;
  run(to, sums, parts, step, factor, n);
}

// Hands out 64-byte aligned pieces of a thread's scratch. With a null base it only counts.
struct Arena {
  float* base;
  int64_t used = 0;
  float* take(int64_t floats) {
    float* piece = base ? base + used : nullptr;
    used += round_up(floats, 16);
    return piece;
  }
};

}  // namespace
}  // namespace hearth
