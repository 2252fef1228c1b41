// SPDX-License-Identifier: Apache-2.0
#pragma once
// Few rows against a long cache, as when generating: bound by reading keys and values, so here d lies in the lanes (a
// panel of rows would leave most lanes empty). Each tile of keys is packed once, in the order of memory, and serves all
// rows.

#include "ops/attention/flash_bend.h"

namespace hearth {
namespace {

struct DecodeScratch {
  float *q, *tile, *score, *sum, *max,
      *total;  // [G][rows][ld], [G][keys][ld], [G][rows][kKeys], [G][rows][ld], [G][rows] twice
  int64_t groups, rows, ld, keys, floats;  // keys in a tile
  DecodeScratch(const AttentionCall& call, int64_t kv_heads, float* base) {
    constexpr int64_t kTileFloats = 32 << 10;  // so that a tile of all heads stays in the second cache
    Arena arena{base};
    groups = kv_heads;
    rows = call.tokens * group_heads(call);
    ld = round_up(call.head_size, kLanes);
    keys = max_of(16, min_of(kKeys, kTileFloats / (ld * groups) / 16 * 16));
    q = arena.take(groups * rows * ld);
    tile = arena.take(groups * keys * ld);
    score = arena.take(groups * rows * kKeys);
    sum = arena.take(groups * rows * ld);
    max = arena.take(groups * rows);
    total = arena.take(groups * rows);
    floats = arena.used;
  }
};

int64_t decode_floats(const AttentionCall& call, int64_t kv_heads) {
  return DecodeScratch(call, kv_heads, nullptr).floats;
}

// What one item works on: keys [first, first + n) of the kv heads [first_group, first_group + scratch.groups) of batch
// b.
struct DecodeTile {
  int64_t b, first_group, first, n;
  bool masked;  // some row may not see some of the keys
};

// <q, keys[j]> for j in [0, kLanes), in the lanes: kLanes running sums, then folded.
template <bool kPair>
HEARTH_INLINE F dot_rows(const float* q, const float* keys, int64_t ld) {
  F sum[kLanes];
#pragma GCC unroll 16
  for (int j = 0; j < kLanes; ++j) sum[j] = F{};
  for (int64_t w = 0; w < ld; w += kLanes) {
    const F x = load(q + w);
#pragma GCC unroll 16
    for (int j = 0; j < kLanes; ++j) sum[j] = word_multiply_add<kPair>(x, load(keys + j * ld + w), sum[j]);
  }
  fold<kLanes>(sum);
  return sum[0];
}

HEARTH_INLINE float sum_lanes(F x) {
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += x[i];
  return sum;
}

// Weights of one row from its n scaled scores, in place, n a multiple of kLanes; returns the factor for older sums.
float soften_row(float* score, int64_t n, float* max, float* total) {
  F top = load(score);
  for (int64_t s = kLanes; s < n; s += kLanes) top = larger(load(score + s), top);
  const float old = *max;
  float now = old;
  for (int i = 0; i < kLanes; ++i) now = top[i] > now ? top[i] : now;
  const float safe = now == -kInfinity ? 0 : now;
  F sum = {};
  for (int64_t s = 0; s < n; s += kLanes) {
    const F p = exp2_poly(load(score + s) - splat(safe));
    sum += p;
    store(score + s, p);
  }
  const float alpha = old == now && old != -kInfinity ? 1 : exp2_poly(splat(old - safe))[0];
  *max = now;
  *total = *total * alpha + sum_lanes(sum);
  return alpha;
}

void hide_keys(const AttentionCall& call, const DecodeTile& at, int64_t group, int64_t row, float* score) {
  const int64_t heads = group_heads(call), t = row / heads, h = (at.first_group + group) * heads + row % heads;
  const uint8_t* mask = call.mask ? row_at(call.mask, call.mask_stride, at.b, h, t) : nullptr;
  const int64_t begin = causal_begin(call, at.b, t), end = causal_end(call, at.b, t);
  for (int64_t i = 0, s = at.first; i < at.n; ++i, ++s) {
    const bool other =
        call.q_segments && call.k_segments[at.b * call.keys + s] != call.q_segments[at.b * call.tokens + t];
    if (s < begin || s >= end || other || (mask && !mask[s])) score[i] = -kInfinity;
  }
}

// score = log2(e) (cap tanh(score / cap) + bias) of one row's scaled scores.
void bend_row(const AttentionCall& call, const DecodeTile& at, int64_t group, int64_t row, float* score) {
  const int64_t heads = group_heads(call), h = (at.first_group + group) * heads + row % heads;
  const float* bias = call.key_bias ? call.key_bias + h * call.keys + at.first : nullptr;
  for (int64_t s = 0; s < at.n; s += kLanes) {
    F x = load(score + s);
    if (call.soft_cap != 0) x = tanh_of(x * splat(1 / call.soft_cap)) * splat(call.soft_cap);
    if (bias) x += load_part(bias + s, at.n - s);
    store(score + s, x * splat(kLog2E));
  }
}

// Reads the keys (or values) of the tile token by token, as they lie in memory, whatever the number of heads: reading
// head by head would touch a new page for each token.
template <class T, bool kRowPairs>
bool pack_tile(const DecodeTile& at, const void* base, const int64_t* stride, int64_t head_size,
               const DecodeScratch& scratch, int64_t ld) {
  constexpr int64_t step = kRowPairs && kIsPair<T> ? 2 : 1;
  F bad = {};
  for (int64_t i = 0; i < at.n; i += step)
    for (int64_t group = 0; group < scratch.groups; ++group) {
      const T* rows[2];
      const int64_t n = min_of(step, at.n - i);
      key_rows(base, stride, at.b, at.first_group + group, at.first + i, n, rows);
      float* to = scratch.tile + (group * scratch.keys + i / step) * ld;
      if (kRowPairs) {
        pack_row_pairs(rows, n, step, head_size, to, ld, &bad);
      } else {
        pack_rows(rows, n, 1, head_size, to, ld, &bad);
      }
    }
  return !any_nan(bad);
}

template <class T>
void decode_scores(const AttentionCall& call, const DecodeTile& at, const DecodeScratch& scratch) {
  const int64_t key_ld = round_up(words_of<T>(call.head_size), kLanes), padded = round_up(at.n, 16), ld = scratch.ld;
  pack_tile<T, false>(at, call.k, call.k_stride, call.head_size, scratch, key_ld);
  const F factor = splat(bends_scores(call) ? call.scale : call.scale * kLog2E);
  for (int64_t i = 0; i < scratch.groups * scratch.rows; ++i) {
    const int64_t group = i / scratch.rows;
    const float* keys = scratch.tile + group * scratch.keys * key_ld;
    float* score = scratch.score + i * kKeys;
    for (int64_t s = 0; s < padded; s += kLanes)
      store(score + s, dot_rows<kIsPair<T>>(scratch.q + i * key_ld, keys + s * key_ld, key_ld) * factor);
    if (bends_scores(call)) bend_row(call, at, group, i % scratch.rows, score);
    if (at.masked) hide_keys(call, at, group, i % scratch.rows, score);
    for (int64_t s = at.n; s < padded; ++s) score[s] = -kInfinity;  // leftovers of an earlier tile
    const float alpha = soften_row(score, padded, scratch.max + i, scratch.total + i);
    for (int64_t d = 0; d < ld && alpha != 1; d += kLanes)
      store(scratch.sum + i * ld + d, load(scratch.sum + i * ld + d) * splat(alpha));
  }
}

// sum[row][d] += sum_s p[row][s] values[s][d] for rows [0, kRows).
template <bool kPair, int kRows>
void add_values(int64_t count, const float* p, const float* values, int64_t ld, float* sum) {
  constexpr int vectors = kRows <= 2 ? 4 : kTileVectors;
  int64_t d = 0;
  for (; d + vectors * kLanes <= ld; d += vectors * kLanes)
    tile_product<kPair, false, Into::add, vectors, kRows>(count, p, kKeys, values + d, ld, sum + d, ld, nullptr);
  for (; d < ld; d += kLanes)
    tile_product<kPair, false, Into::add, 1, kRows>(count, p, kKeys, values + d, ld, sum + d, ld, nullptr);
}

// The same for a tile with hidden keys: what has no weight is not touched, so that a NaN there stays there.
template <bool kPair>
void add_visible_values(int64_t rows, int64_t n, const float* p, const float* values, int64_t ld, float* sum) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t s = 0; s < n; ++s)
      for (int64_t d = 0; d < ld && p[r * kKeys + s] != 0; ++d)
        sum[r * ld + d] += p[r * kKeys + s] * element<kPair>(values + d, s, ld);
}

template <class T>
void decode_values(const AttentionCall& call, const DecodeTile& at, const DecodeScratch& scratch) {
  constexpr bool pair = kIsPair<T>;
  const int64_t ld = scratch.ld, rows = scratch.rows, count = pair ? (at.n + 1) / 2 : at.n;
  const bool finite = pack_tile<T, true>(at, call.v, call.v_stride, call.head_size, scratch, ld);
  for (int64_t group = 0; group < scratch.groups; ++group) {
    const float* values = scratch.tile + group * scratch.keys * ld;
    float *score = scratch.score + group * rows * kKeys, *sum = scratch.sum + group * rows * ld;
    if (at.masked && !finite) {
      add_visible_values<pair>(rows, at.n, score, values, ld, sum);
      continue;
    }
    if constexpr (pair)  // each row of weights becomes bf16 in place; reading runs ahead of writing
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t s = 0; s < at.n; s += kLanes)
          store(reinterpret_cast<T*>(score + r * kKeys) + s, load(score + r * kKeys + s));
    for (int64_t r = 0; r < rows;) {
      const int64_t left = rows - r;
      const int now = left >= kTileRows ? kTileRows : left >= 4 ? 4 : left >= 2 ? 2 : 1;
      const auto add = now == kTileRows ? add_values<pair, kTileRows>
                       : now == 4       ? add_values<pair, 4>
                       : now == 2       ? add_values<pair, 2>
                                        : add_values<pair, 1>;
      add(count, score + r * kKeys, values, ld, sum + r * ld);
      r += now;
    }
  }
}

template <class T>
void decode_keys_of(const AttentionCall& call, const DecodeItem& item, float* partial, float* base) {
  const DecodeScratch scratch(call, item.kv_heads, base);
  const int64_t rows = scratch.rows, d = call.head_size, heads = group_heads(call), all = scratch.groups * rows;
  for (int64_t i = 0; i < all; ++i) {
    const int64_t row = i % rows, h = (item.first_group + i / rows) * heads + row % heads;
    const T* q = row_at(static_cast<const T*>(call.q), call.q_stride, item.b, row / heads, h);
    const int64_t key_ld = round_up(words_of<T>(d), kLanes);
    F bad = {};
    pack_rows(&q, 1, 1, d, scratch.q + i * key_ld, key_ld, &bad);
    scratch.max[i] = -kInfinity;
    scratch.total[i] = 0;
  }
  __builtin_memset(scratch.sum, 0, size_t(all * scratch.ld) * 4);
  const int64_t end = min_of(item.end_key, causal_end(call, item.b, call.tokens - 1)),
                first_end = causal_end(call, item.b, 0), last_begin = causal_begin(call, item.b, call.tokens - 1);
  for (int64_t first = item.first_key; first < end; first += scratch.keys) {
    const int64_t n = min_of(scratch.keys, end - first);
    const bool masked = first < last_begin || first + n > first_end || call.mask || call.q_segments;
    const DecodeTile at = {item.b, item.first_group, first, n, masked};
    decode_scores<T>(call, at, scratch);
    decode_values<T>(call, at, scratch);
  }
  for (int64_t i = 0; i < all; ++i, partial += 2 + d) {
    partial[0] = scratch.max[i];
    partial[1] = scratch.total[i];
    __builtin_memcpy(partial + 2, scratch.sum + i * scratch.ld, size_t(d) * 4);
  }
}

void decode_keys(const AttentionCall& call, const DecodeItem& item, float* partial, float* base) {
  const auto run = call.dtype == DType::f32    ? decode_keys_of<float>
                   : call.dtype == DType::bf16 ? decode_keys_of<bf16>
                                               : decode_keys_of<f16>;
  run(call, item, partial, base);
}

}  // namespace
}  // namespace hearth
