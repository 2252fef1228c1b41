// SPDX-License-Identifier: Apache-2.0
#pragma once
// Backward: five products per tile of kKeys keys and kBlock rows. With p = exp(scale q.k - lse), delta = sum_d dout *
// out:
//   score = K Qt     dp = V dOt     ds = p * (dp - delta)     dV += p dO     dK += scale * ds Q     dQt += scale * K'
//   ds
// Score, dp and dQt have rows in the lanes, dV and dK have d in the lanes; no product needs a transposed tile of
// scores. Source: Dao et al. 2022, arXiv:2205.14135, alg. 4. Differs: rows outside, keys inside, so that one item owns
// its dq and adds up dk and dv of its (b, g) in f32. Causal: each strip of keys starts at the first row that sees it.

#include "ops/attention/flash_bend.h"

namespace hearth {
namespace {

constexpr int64_t kBlockPanels = 2, kBlock = kBlockPanels * kPanel;
static_assert(kTileRows <= kFlashSpareKeys);

struct BackwardPanel {
  Panel panel;
  float *qt, *dot, *dqt;          // [words of D][kPanel] twice, [D][kPanel]
  alignas(64) float lse[kPanel];  // in units of log 2; +inf in lanes without a row, so that p is 0 there
  alignas(64) float delta[kPanel];
};

struct BackwardScratch {
  float *keys, *key_pairs, *values;  // [kKeys][ld] each
  float *score, *dp, *slope;         // [kKeys][kBlock]; the last: of the scores' cap, where there is one
  float *p, *ds;    // words of pairs over rows [kKeys][kBlock / 2]; without pairs score and dp themselves
  float *q, *dout;  // [words of kBlock][ld]
  BackwardPanel* panels;
  int64_t ld, floats;
  BackwardScratch(const AttentionCall& call, float* base) {
    Arena arena{base};
    const bool pair = kDotBf16 && call.dtype == DType::bf16;
    ld = round_up(call.head_size, kLanes);
    keys = arena.take(kKeys * ld);
    key_pairs = pair ? arena.take(kKeys * ld) : keys;
    values = arena.take(kKeys * ld);
    score = arena.take(kKeys * kBlock);
    dp = arena.take(kKeys * kBlock);
    slope = call.soft_cap != 0 ? arena.take(kKeys * kBlock) : nullptr;
    p = pair ? arena.take(kKeys * kBlock / 2) : score;
    ds = pair ? arena.take(kKeys * kBlock / 2) : dp;
    q = arena.take(kBlock * ld);
    dout = arena.take(kBlock * ld);
    panels = reinterpret_cast<BackwardPanel*>(arena.take(kBlockPanels * int64_t(sizeof(BackwardPanel) / 4)));
    for (int64_t i = 0; i < kBlockPanels; ++i) {
      float *qt = arena.take(ld * kPanel), *dot = arena.take(ld * kPanel), *dqt = arena.take(ld * kPanel);
      if (!base) continue;
      panels[i].qt = qt;
      panels[i].dot = dot;
      panels[i].dqt = dqt;
    }
    floats = arena.used;
  }
};

int64_t backward_floats(const AttentionCall& call) { return BackwardScratch(call, nullptr).floats; }
int64_t padded_size(int64_t head_size) { return round_up(head_size, kLanes); }

// Rows of the block that begins at row `first`: where it is, and whether its q and dout are finite.
struct Block {
  int64_t b, first, rows, panels;
  bool finite_q, finite_dout;
};

template <class T>
float dot_elements(const T* a, const T* b, int64_t n) {
  F sum = {};
  for (int64_t i = 0; i < n; i += kLanes) sum += load_part(a + i, n - i) * load_part(b + i, n - i);
  float total = 0;
  for (int i = 0; i < kLanes; ++i) total += sum[i];
  return total;
}

template <class T>
Block pack_block(const AttentionGradCall& grad, int64_t b, int64_t g, int64_t first, const BackwardScratch& scratch) {
  const AttentionCall& call = grad.forward;
  const int64_t rows = min_of(kBlock, call.tokens * group_heads(call) - first), d = call.head_size;
  Block block = {b, first, rows, (rows + kPanel - 1) / kPanel, true, true};
  const T *q[kBlock], *dout[kBlock], *out[kPanel];
  for (int64_t i = 0; i < block.panels; ++i) {
    BackwardPanel* at = &scratch.panels[i];
    const T **panel_q = q + i * kPanel, **panel_dout = dout + i * kPanel;
    place_panel(call, b, g, first + i * kPanel, min_of(kPanel, rows - i * kPanel), &at->panel);
    panel_rows(call, at->panel, call.q, call.q_stride, b, panel_q);
    panel_rows(call, at->panel, grad.dout, grad.dout_stride, b, panel_dout);
    panel_rows(call, at->panel, call.out, call.out_stride, b, out);
    pack_columns(panel_q, at->panel.rows, d, at->qt);
    pack_columns(panel_dout, at->panel.rows, d, at->dot);
    __builtin_memset(at->dqt, 0, size_t(scratch.ld * kPanel) * 4);
    for (int64_t r = 0; r < kPanel; ++r) {
      at->lse[r] = kInfinity;
      at->delta[r] = 0;
      if (r >= at->panel.rows) continue;
      const float lse = call.lse[(b * call.tokens + at->panel.token[r]) * call.heads + at->panel.head[r]];
      at->lse[r] = lse == -kInfinity ? kInfinity : lse * kLog2E;  // a row that sees nothing has p = 0
      at->delta[r] = dot_elements(panel_dout[r], out[r], d);
    }
  }
  const int64_t padded = round_up(rows, 2);
  F bad_q = {}, bad_dout = {};
  pack_row_pairs(q, rows, padded, d, scratch.q, scratch.ld, &bad_q);
  pack_row_pairs(dout, rows, padded, d, scratch.dout, scratch.ld, &bad_dout);
  block.finite_q = !any_nan(bad_q);
  block.finite_dout = !any_nan(bad_dout);
  return block;
}

// score and dp become p and ds. Hidden places hold -inf in score; there both are 0 whatever dp is.
template <bool kPair, bool kCapped>
void weigh(const BackwardPanel& at, int64_t offset, int64_t padded, float factor, bool masked,
           const BackwardScratch& scratch) {
  for (int v = 0; v < at.panel.vectors; ++v) {
    const F lse = load(at.lse + v * kLanes), delta = load(at.delta + v * kLanes), by = splat(factor);
    const int64_t column = offset + v * kLanes;
    for (int64_t s = 0; s < padded; s += 2) {
      F p[2], ds[2];
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        const F score = load(scratch.score + (s + i) * kBlock + column);
        p[i] = exp2_poly(multiply_add(score, by, -lse));
        ds[i] = p[i] * (load(scratch.dp + (s + i) * kBlock + column) - delta);
        if (kCapped) ds[i] *= load(scratch.slope + (s + i) * kBlock + column);
        if (masked) {
          const I hidden = score == splat(-kInfinity);
          p[i] = hidden ? F{} : p[i];
          ds[i] = hidden ? F{} : ds[i];
        }
        if (!kPair) {
          store(scratch.p + (s + i) * kBlock + column, p[i]);
          store(scratch.ds + (s + i) * kBlock + column, ds[i]);
        } else {
          store(reinterpret_cast<bf16*>(scratch.p + (s + i) * kBlock / 2) + column, p[i]);
          store(reinterpret_cast<bf16*>(scratch.ds + (s + i) * kBlock / 2) + column, ds[i]);
        }
      }
      if (kPair) store(scratch.dp + s / 2 * kBlock + column, pair_words(ds[0], ds[1]));
    }
  }
}

// One panel: score, dp, then p, ds and its dq. Returns whether some key was hidden.
template <class T>
bool backward_panel(const AttentionCall& call, const Block& block, int64_t i, int64_t first, int64_t n, Sees sees,
                    bool finite_keys, const BackwardScratch& scratch) {
  constexpr bool pair = kIsPair<T>;
  const BackwardPanel& at = scratch.panels[i];
  n = min_of(n, at.panel.last_end - first);
  if (n <= 0) return true;
  const int64_t padded = round_up(n, kTileRows), words = words_of<T>(call.head_size), offset = i * kPanel;
  const int64_t key_ld = round_up(words, kLanes);
  const int vectors = at.panel.vectors;
  panel_product<pair, false, Into::set>(vectors, padded, words, scratch.keys, key_ld, at.qt, kPanel,
                                        scratch.score + offset, kBlock);
  panel_product<pair, false, Into::set>(vectors, padded, words, scratch.values, key_ld, at.dot, kPanel,
                                        scratch.dp + offset, kBlock);
  float factor = call.scale * kLog2E;
  const bool masked = sees == Sees::some || padded != n, capped = call.soft_cap != 0;
  if (bends_scores(call)) {
    bend(call, at.panel, first, n, scratch.score + offset, capped ? scratch.slope + offset : nullptr, kBlock);
    factor = 1;
  }
  if (masked) {
    hide(call, at.panel, block.b, first, n, padded, factor, scratch.score + offset, kBlock);
    factor = 1;
  }
  const auto weigh_panel = capped ? weigh<pair, true> : weigh<pair, false>;
  weigh_panel(at, offset, padded, factor, masked, scratch);
  if (masked && !finite_keys) {
    product_of_visible<pair, true>(vectors * kLanes, call.head_size, n, scratch.key_pairs, scratch.ld,
                                   scratch.dp + offset, kBlock, at.dqt, kPanel);
  } else {
    panel_product<pair, true, Into::add>(vectors, call.head_size, pair ? padded / 2 : padded, scratch.key_pairs,
                                         scratch.ld, scratch.dp + offset, kBlock, at.dqt, kPanel);
  }
  return masked;
}

// sum[s][d] += sum_row weight[s][row] x[row][d]; a strip of keys begins at the first row that sees one of them.
template <bool kPair>
void add_over_rows(const Block& block, const BackwardScratch& scratch, int64_t first, int64_t n, bool careful,
                   const float* weight, const float* x, float* sum) {
  constexpr int64_t per_word = kPair ? 2 : 1;
  const int64_t step = kBlock / per_word, ld = scratch.ld;
  for (int64_t s = 0; s < n; s += kTileRows) {
    int64_t row = 0;  // ends grow with the row
    while (row < block.rows && scratch.panels[row / kPanel].panel.end[row % kPanel] <= first + s) ++row;
    row = row / per_word * per_word;
    const int64_t words = (block.rows + per_word - 1) / per_word - row / per_word;
    const float *a = weight + s * step + row / per_word, *b = x + row / per_word * ld;
    if (words <= 0) break;
    if (careful) {
      product_of_visible<kPair, false>(ld, kTileRows, words * per_word, a, step, b, ld, sum + s * ld, ld);
      continue;
    }
    int64_t d = 0;
    for (; d + kPanel <= ld && d + 4 * kLanes != ld; d += kPanel)
      tile_product<kPair, false, Into::add, 3>(words, a, step, b + d, ld, sum + s * ld + d, ld, nullptr);
    for (; d + 2 * kLanes <= ld; d += 2 * kLanes)
      tile_product<kPair, false, Into::add, 2>(words, a, step, b + d, ld, sum + s * ld + d, ld, nullptr);
    for (; d < ld; d += kLanes)
      tile_product<kPair, false, Into::add, 1>(words, a, step, b + d, ld, sum + s * ld + d, ld, nullptr);
  }
}

template <class T>
void backward_tile(const AttentionCall& call, const Block& block, int64_t g, int64_t first, int64_t n,
                   const BackwardScratch& scratch, float* dk_sum, float* dv_sum) {
  Sees sees[kBlockPanels];
  bool any = false;
  for (int64_t i = 0; i < block.panels; ++i) {
    const Panel& panel = scratch.panels[i].panel;
    const int64_t seen = min_of(n, panel.last_end - first);
    sees[i] = seen > 0 ? visible(call, panel, block.b, first, seen) : Sees::none;
    any |= sees[i] != Sees::none;
  }
  if (!any) return;
  const int64_t padded = round_up(n, kTileRows), key_ld = round_up(words_of<T>(call.head_size), kLanes);
  const T *k[kKeys], *v[kKeys];
  key_rows(call.k, call.k_stride, block.b, g, first, n, k);
  key_rows(call.v, call.v_stride, block.b, g, first, n, v);
  F bad_keys = {}, bad_values = {};
  pack_rows(k, n, padded, call.head_size, scratch.keys, key_ld, &bad_keys);
  pack_rows(v, n, padded, call.head_size, scratch.values, key_ld, &bad_values);
  if (kIsPair<T>) pack_row_pairs(k, n, padded, call.head_size, scratch.key_pairs, scratch.ld, &bad_keys);
  const bool finite = !any_nan(bad_keys);
  bool masked = false;
  for (int64_t i = 0; i < block.panels; ++i) {
    const Sees at = sees[i] == Sees::none ? Sees::some : sees[i];  // hidden panels still need their zeros
    masked |= backward_panel<T>(call, block, i, first, n, at, finite, scratch);
  }
  add_over_rows<kIsPair<T>>(block, scratch, first, n, masked && !block.finite_dout, scratch.p, scratch.dout,
                            dv_sum + first * scratch.ld);
  add_over_rows<kIsPair<T>>(block, scratch, first, n, masked && !block.finite_q, scratch.ds, scratch.q,
                            dk_sum + first * scratch.ld);
}

template <class T>
void backward_rows_of(const AttentionGradCall& grad, int64_t b, int64_t g, int64_t part, int64_t parts, float* dk_sum,
                      float* dv_sum, float* base) {
  const AttentionCall& call = grad.forward;
  const BackwardScratch scratch(call, base);
  const int64_t dense[3] = {call.tokens * call.heads * call.head_size, call.heads * call.head_size, call.head_size};
  const int64_t rows = call.tokens * group_heads(call);
  for (int64_t i = 0; i * parts * kBlock < rows; ++i) {
    const int64_t first = block_of_part(i, part, parts) * kBlock;
    if (first >= rows) continue;
    const Block block = pack_block<T>(grad, b, g, first, scratch);
    const int64_t begin = scratch.panels[0].panel.first_begin / kKeys * kKeys,
                  end = scratch.panels[block.panels - 1].panel.last_end;
    for (int64_t s = begin; s < end; s += kKeys)
      backward_tile<T>(call, block, g, s, min_of(kKeys, end - s), scratch, dk_sum, dv_sum);
    for (int64_t p = 0; p < block.panels; ++p) {
      const BackwardPanel& at = scratch.panels[p];
      T* to[kPanel];
      alignas(64) float factor[kPanel];
      for (int64_t r = 0; r < kPanel; ++r) {
        factor[r] = call.scale;
        if (r < at.panel.rows) to[r] = row_at(static_cast<T*>(grad.dq), dense, b, at.panel.token[r], at.panel.head[r]);
      }
      unpack_columns(at.dqt, factor, at.panel.rows, call.head_size, to);
    }
  }
}

void backward_rows(const AttentionGradCall& grad, int64_t b, int64_t g, int64_t part, int64_t parts, float* dk_sum,
                   float* dv_sum, float* base) {
  const DType dtype = grad.forward.dtype;
  const auto run = dtype == DType::f32    ? backward_rows_of<float>
                   : dtype == DType::bf16 ? backward_rows_of<bf16>
                                          : backward_rows_of<f16>;
  run(grad, b, g, part, parts, dk_sum, dv_sum, base);
}

}  // namespace
}  // namespace hearth
