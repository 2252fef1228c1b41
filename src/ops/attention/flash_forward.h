// SPDX-License-Identifier: Apache-2.0
#pragma once
// Forward: tiles of kKeys keys against panels of kPanel rows. Rows lie in the lanes, so the running maximum and sum
// need no horizontal step, and keys and values are only broadcast:
//   score[s][row] = sum_d k[s][d] qt[d][row],  p = exp2(score - max),  ot[d][row] = alpha[row] ot[d][row] + sum_s
//   v[s][d] p[s][row].
// Source: Dao 2023, arXiv:2307.08691, alg. 1. Differs: exp2, and the sum of p is taken before p is rounded to bf16.

#include "ops/attention/flash_bend.h"

namespace hearth {
namespace {

struct ForwardPanel {
  Panel panel;
  float *qt, *ot;                 // [words of D][kPanel], [D][kPanel]
  alignas(64) float max[kPanel];  // in units of log 2
  alignas(64) float sum[kPanel];
};

// What one item needs: the tiles of keys and values, one of scores, and the panels.
struct ForwardScratch {
  float *keys, *values, *score;
  ForwardPanel* panels;
  int64_t ld;  // words per row of keys and values
  int64_t floats;
  ForwardScratch(const AttentionCall& call, int64_t count, float* base) {
    Arena arena{base};
    ld = round_up(call.head_size, kLanes);
    keys = arena.take(kKeys * ld);
    values = arena.take(kKeys * ld);
    score = arena.take(kKeys * kPanel);
    panels = reinterpret_cast<ForwardPanel*>(arena.take(count * int64_t(sizeof(ForwardPanel) / 4)));
    for (int64_t i = 0; i < count; ++i) {
      float *qt = arena.take(ld * kPanel), *ot = arena.take(ld * kPanel);
      if (!base) continue;
      panels[i].qt = qt;
      panels[i].ot = ot;
    }
    floats = arena.used;
  }
};

int64_t forward_floats(const AttentionCall& call, int64_t rows) {
  return ForwardScratch(call, (rows + kPanel - 1) / kPanel, nullptr).floats;
}

// Turns scores into weights, in place, and moves max and sum on; alpha is what older sums must be scaled by.
template <bool kPair>
void soften(ForwardPanel* at, int64_t padded, float factor, float* score, F* alpha) {
  const int vectors = at->panel.vectors;
  for (int v = 0; v < vectors; ++v) {
    float* column = score + v * kLanes;
    const F by = splat(factor), old = load(at->max + v * kLanes);
    F top[2] = {old, old};
    for (int64_t s = 0; s < padded; s += 2) {
      top[0] = larger(load(column + s * kPanel) * by, top[0]);
      top[1] = larger(load(column + (s + 1) * kPanel) * by, top[1]);
    }
    const F max = larger(top[0], top[1]);
    store(at->max + v * kLanes, max);
    const F safe = max == splat(-kInfinity) ? F{} : max;  // nothing seen yet: -inf - -inf would be NaN
    alpha[v] = exp2_poly(old - safe);
    F sum[2] = {load(at->sum + v * kLanes) * alpha[v], F{}};
    for (int64_t s = 0; s < padded; s += 2) {
      const F even = exp2_poly(multiply_add(load(column + s * kPanel), by, -safe));
      const F odd = exp2_poly(multiply_add(load(column + (s + 1) * kPanel), by, -safe));
      sum[0] += even;
      sum[1] += odd;
      if (kPair) {
        store(column + s / 2 * kPanel, pair_words(even, odd));
      } else {
        store(column + s * kPanel, even);
        store(column + (s + 1) * kPanel, odd);
      }
    }
    store(at->sum + v * kLanes, sum[0] + sum[1]);
  }
}

// One tile of n keys from `first` on against one panel.
template <class T>
void forward_tile(const AttentionCall& call, int64_t b, int64_t first, int64_t n, bool finite,
                  const ForwardScratch& scratch, ForwardPanel* at) {
  constexpr bool pair = kIsPair<T>;
  n = min_of(n, at->panel.last_end - first);
  const Sees sees = n > 0 ? visible(call, at->panel, b, first, n) : Sees::none;
  if (sees == Sees::none) return;
  const int64_t padded = round_up(n, kTileRows), words = words_of<T>(call.head_size), ld = round_up(words, kLanes);
  float factor = call.scale * kLog2E;
  panel_product<pair, false, Into::set>(at->panel.vectors, padded, words, scratch.keys, ld, at->qt, kPanel,
                                        scratch.score, kPanel);
  const bool masked = sees == Sees::some || padded != n;
  if (bends_scores(call)) {
    bend(call, at->panel, first, n, scratch.score, nullptr, kPanel);
    factor = 1;
  }
  if (masked) {
    hide(call, at->panel, b, first, n, padded, factor, scratch.score, kPanel);
    factor = 1;
  }
  F alpha[kTileVectors];
  soften<pair>(at, padded, factor, scratch.score, alpha);
  const int64_t count = pair ? padded / 2 : padded;
  if (masked && !finite) {
    panel_product<pair, true, Into::scale_and_add>(at->panel.vectors, call.head_size, 0, scratch.values, scratch.ld,
                                                   scratch.score, kPanel, at->ot, kPanel, alpha);
    return product_of_visible<pair, true>(kLanes * at->panel.vectors, call.head_size, n, scratch.values, scratch.ld,
                                          scratch.score, kPanel, at->ot, kPanel);
  }
  panel_product<pair, true, Into::scale_and_add>(at->panel.vectors, call.head_size, count, scratch.values, scratch.ld,
                                                 scratch.score, kPanel, at->ot, kPanel, alpha);
}

template <class T>
void finish_panel(const AttentionCall& call, int64_t b, ForwardPanel* at) {
  T* rows[kPanel];
  alignas(64) float factor[kPanel] = {};
  for (int64_t i = 0; i < at->panel.rows; ++i) {
    const int64_t t = at->panel.token[i], h = at->panel.head[i];
    rows[i] = row_at(static_cast<T*>(call.out), call.out_stride, b, t, h);
    factor[i] = at->sum[i] == 0 ? 0 : 1 / at->sum[i];
    if (call.lse)
      call.lse[(b * call.tokens + t) * call.heads + h] =
          at->sum[i] == 0 ? -kInfinity : kLn2 * at->max[i] + __builtin_logf(at->sum[i]);
  }
  unpack_columns(at->ot, factor, at->panel.rows, call.head_size, rows);
}

template <class T>
void forward_rows_of(const AttentionCall& call, int64_t b, int64_t g, int64_t first_row, int64_t rows, float* base) {
  const int64_t count = (rows + kPanel - 1) / kPanel;
  const ForwardScratch scratch(call, count, base);
  for (int64_t i = 0; i < count; ++i) {
    ForwardPanel* at = &scratch.panels[i];
    place_panel(call, b, g, first_row + i * kPanel, min_of(kPanel, rows - i * kPanel), &at->panel);
    const T* q[kPanel];
    panel_rows(call, at->panel, call.q, call.q_stride, b, q);
    pack_columns(q, at->panel.rows, call.head_size, at->qt);
    __builtin_memset(at->ot, 0, size_t(scratch.ld * kPanel) * 4);
    for (int64_t r = 0; r < kPanel; ++r) {
      at->max[r] = -kInfinity;
      at->sum[r] = 0;
    }
  }
  const int64_t begin = scratch.panels[0].panel.first_begin / kKeys * kKeys,
                end = scratch.panels[count - 1].panel.last_end;
  for (int64_t first = begin; first < end; first += kKeys) {
    const int64_t n = min_of(kKeys, end - first);
    const T *k[kKeys], *v[kKeys];
    key_rows(call.k, call.k_stride, b, g, first, n, k);
    key_rows(call.v, call.v_stride, b, g, first, n, v);
    const int64_t padded = round_up(n, kTileRows);
    F bad_keys = {}, bad_values = {};
    pack_rows(k, n, padded, call.head_size, scratch.keys, round_up(words_of<T>(call.head_size), kLanes), &bad_keys);
    pack_row_pairs(v, n, padded, call.head_size, scratch.values, scratch.ld, &bad_values);
    const bool finite = !any_nan(bad_values);
    for (int64_t i = 0; i < count; ++i) forward_tile<T>(call, b, first, n, finite, scratch, &scratch.panels[i]);
  }
  for (int64_t i = 0; i < count; ++i) finish_panel<T>(call, b, &scratch.panels[i]);
}

void forward_rows(const AttentionCall& call, int64_t b, int64_t g, int64_t first_row, int64_t rows, float* base) {
  const auto run = call.dtype == DType::f32    ? forward_rows_of<float>
                   : call.dtype == DType::bf16 ? forward_rows_of<bf16>
                                               : forward_rows_of<f16>;
  run(call, b, g, first_row, rows, base);
}

}  // namespace
}  // namespace hearth
