// SPDX-License-Identifier: Apache-2.0
#pragma once
// Forward with AMX: blocks of kBlockKeys keys against groups of 32 rows. As in flash_forward.h rows lie in the lanes:
//   score[s][row] = sum_d k[s][d] qt[d][row],  p = exp2(score - max),  ot[d][row] = alpha[row] ot[d][row] + sum_s
//   vt[d][s] p[s][row].
// Bound by the vector unit: a tile of 16 x 16 scores is 4 tile products of 16 cycles (D = 64) and 16 vectors of about
// 18 operations, two a cycle. So the scores of the next row group are multiplied between the steps of softmax of this
// one.

#include "ops/attention/flash_amx_tiles.h"

namespace hearth {
namespace {

constexpr int64_t kKeyPieces = 4, kBlockKeys = kKeyPieces * kSide;

struct ForwardRows {
  Panel panel;
  float *qt, *ot;                // right pieces [of D], [D rounded up][32]
  alignas(64) float max[kSide];  // in units of log 2
  alignas(64) float sum[kSide];
  bool fresh;  // ot holds nothing yet
};

struct ForwardScratch {
  float *keys, *values;      // left pieces [kKeyPieces][of D], summed over D and over keys
  float *score[2], *weight;  // [kBlockKeys][32], right pieces [kKeyPieces]
  ForwardRows* groups;
  int64_t count, pieces, floats;  // row groups, pieces of D
  ForwardScratch(const AttentionCall& call, int64_t rows, float* base) {
    Arena arena{base};
    count = (rows + kSide - 1) / kSide;
    pieces = (call.head_size + kSide - 1) / kSide;
    keys = arena.take(kKeyPieces * pieces * kPiece);
    values = arena.take(kKeyPieces * pieces * kPiece);
    for (float*& to : score) to = arena.take(kBlockKeys * kSide);
    weight = arena.take(kKeyPieces * kPiece);
    groups = reinterpret_cast<ForwardRows*>(arena.take(count * int64_t(sizeof(ForwardRows) / 4)));
    for (int64_t i = 0; i < count; ++i) {
      float *qt = arena.take(pieces * kPiece), *ot = arena.take(pieces * kSide * kSide);
      if (!base) continue;
      groups[i].qt = qt;
      groups[i].ot = ot;
    }
    floats = arena.used;
  }
};

int64_t forward_floats(const AttentionCall& call, int64_t rows) { return ForwardScratch(call, rows, nullptr).floats; }

// The keys [first, first + n) and what of them row group `at` sees. Without a group there is nothing to do.
struct ForwardBlock {
  ForwardRows* at;
  int64_t first, n;
  Sees sees;
  float* score;
  int64_t key_pieces() const { return (n + kSide - 1) / kSide; }
};

void place_rows(const AttentionCall& call, int64_t b, int64_t g, int64_t first, int64_t rows, ForwardRows* at) {
  place_panel(call, b, g, first, rows, &at->panel);
  const bf16* q[kSide];
  panel_rows(call, at->panel, call.q, call.q_stride, b, q);
  AllFinite unused;
  pack_left(q, rows, call.head_size, at->qt, &unused);
  change_side(at->qt, (call.head_size + kSide - 1) / kSide);
  for (int64_t i = 0; i < kSide; ++i) {
    at->max[i] = -kInfinity;
    at->sum[i] = 0;
  }
  at->fresh = true;
}

// Returns whether all values are finite.
bool pack_keys(const AttentionCall& call, int64_t b, int64_t g, int64_t first, int64_t n,
               const ForwardScratch& scratch) {
  AllFinite unused, finite;
  for (int64_t i = 0; i < n; i += kSide) {
    const bf16* rows[kSide];
    const int64_t count = min_of(kSide, n - i), at = i / kSide * scratch.pieces * kPiece;
    key_rows(call.k, call.k_stride, b, g, first + i, count, rows);
    pack_left(rows, count, call.head_size, scratch.keys + at, &unused);
    key_rows(call.v, call.v_stride, b, g, first + i, count, rows);
    pack_row_pairs_right(rows, count, call.head_size, scratch.values + at, &finite);
    change_side(scratch.values + at, scratch.pieces);
  }
  return finite.yes();
}

// What one work item has to do: row groups are placed when the first block of keys comes to them.
struct ForwardItem {
  const AttentionCall& call;
  int64_t b, g, first_row, rows;
  const ForwardScratch& scratch;
  int64_t placed;
  Soon queries;
};

// The first row group from i on that sees one of the keys [first, first + n).
ForwardBlock find_block(ForwardItem* item, int64_t first, int64_t n, int64_t i, float* score) {
  for (; i < item->scratch.count; ++i) {
    ForwardRows* at = &item->scratch.groups[i];
    if (i == item->placed) {
      place_rows(item->call, item->b, item->g, item->first_row + i * kSide, min_of(kSide, item->rows - i * kSide), at);
      item->queries.fetch(kSide);
      ++item->placed;
    }
    const int64_t seen = min_of(n, at->panel.last_end - first);
    const Sees sees = seen > 0 ? visible(item->call, at->panel, item->b, first, seen) : Sees::none;
    if (sees != Sees::none) return {at, first, seen, sees, score};
  }
  return {};
}

void multiply_scores(const ForwardBlock& block, int64_t key_piece, const ForwardScratch& scratch) {
  const Factors f = {scratch.pieces, scratch.keys + key_piece * scratch.pieces * kPiece, block.at->qt, kPiece, kPiece};
  multiply<From::zero>(f, block.score + key_piece * kSide * kSide, kSide);
}

// The greatest score of each row, moved on; alpha is what older sums must be scaled by.
HEARTH_INLINE void move_max(const ForwardBlock& block, float factor, F* safe, F* alpha) {
  for (int v = 0; v < kTileVectors; ++v) {
    const float* column = block.score + v * kLanes;
    F top[4] = {splat(-kInfinity), splat(-kInfinity), splat(-kInfinity), splat(-kInfinity)};
    for (int64_t s = 0; s < block.key_pieces() * kSide; s += 4)
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) top[i] = larger(load(column + (s + i) * kSide), top[i]);
    const F old = load(block.at->max + v * kLanes);
    const F max = larger(larger(larger(top[0], top[1]), larger(top[2], top[3])) * splat(factor), old);
    store(block.at->max + v * kLanes, max);
    safe[v] = max == splat(-kInfinity) ? F{} : max;  // nothing seen yet: -inf - -inf would be NaN
    alpha[v] = exp2_poly(old - safe[v]);
  }
}

// Scores of 32 keys to weights, packed; sum grows by them before they are rounded.
HEARTH_INLINE void soften_piece(const float* score, float factor, const F* safe, F* sum, float* weight) {
  for (int v = 0; v < kTileVectors; ++v) {
    const F by = splat(factor), shift = -safe[v];
    F total[2] = {sum[v], F{}};
    for (int64_t s = 0; s < kSide; s += 2) {
      const F even = exp2_poly(multiply_add(load(score + s * kSide + v * kLanes), by, shift));
      const F odd = exp2_poly(multiply_add(load(score + (s + 1) * kSide + v * kLanes), by, shift));
      total[0] += even;
      total[1] += odd;
      store(weight + v * kTileWords + s / 2 * kLanes, pair_words(even, odd));
    }
    sum[v] = total[0] + total[1];
  }
}

HEARTH_INLINE bool all_one(const F* x) {
  bool one = true;
  for (int v = 0; v < kTileVectors; ++v) one &= _mm512_cmp_ps_mask(__m512(x[v]), _mm512_set1_ps(1), _CMP_NEQ_UQ) == 0;
  return one;
}

// ot = alpha ot + vt p.
void add_values(const ForwardBlock& block, bool careful, const F* alpha, const ForwardScratch& scratch) {
  const int64_t size = scratch.pieces * kSide * kSide, across = scratch.pieces * kPiece;
  float* ot = block.at->ot;
  if (!block.at->fresh && !all_one(alpha)) {
    for (int64_t i = 0; i < size; i += kSide)
      for (int v = 0; v < kTileVectors; ++v) store(ot + i + v * kLanes, load(ot + i + v * kLanes) * alpha[v]);
  }
  if (block.at->fresh && careful) __builtin_memset(ot, 0, size_t(size) * 4);
  for (int64_t i = 0; i < scratch.pieces; ++i, ot += kSide * kSide) {
    const Factors f = {block.key_pieces(), scratch.values + i * kPiece, scratch.weight, across, kPiece};
    if (careful) {
      multiply_visible<Weights::right>(f, ot, kSide);
    } else if (block.at->fresh) {
      multiply<From::zero>(f, ot, kSide);
    } else {
      multiply<From::memory>(f, ot, kSide);
    }
  }
  block.at->fresh = false;
}

// Scores of `block` to its part of the result; meanwhile those of `next`.
void add_block(const AttentionCall& call, int64_t b, const ForwardBlock& block, const ForwardBlock& next, bool finite,
               const ForwardScratch& scratch) {
  float factor = call.scale * kLog2E;
  // move_max takes the greatest score for the greatest scaled one, which a negative scale is against.
  const bool masked = block.sees == Sees::some || block.n % kSide != 0;
  if (masked || factor < 0) {
    hide(call, block.at->panel, b, block.first, block.n, block.key_pieces() * kSide, factor, block.score, kSide);
    factor = 1;
  }
  F safe[kTileVectors], alpha[kTileVectors], sum[kTileVectors];
  move_max(block, factor, safe, alpha);
  for (int v = 0; v < kTileVectors; ++v) sum[v] = load(block.at->sum + v * kLanes) * alpha[v];
  const int64_t next_pieces = next.at ? next.key_pieces() : 0;
  for (int64_t i = 0; i < max_of(block.key_pieces(), next_pieces); ++i) {
    if (i < next_pieces) multiply_scores(next, i, scratch);
    if (i < block.key_pieces())
      soften_piece(block.score + i * kSide * kSide, factor, safe, sum, scratch.weight + i * kPiece);
  }
  for (int v = 0; v < kTileVectors; ++v) store(block.at->sum + v * kLanes, sum[v]);
  add_values(block, masked && !finite, alpha, scratch);
}

void finish_rows(const AttentionCall& call, int64_t b, ForwardRows* at) {
  bf16* rows[kSide];
  alignas(64) float factor[kSide] = {};
  panel_rows(call, at->panel, static_cast<const void*>(call.out), call.out_stride, b, const_cast<const bf16**>(rows));
  for (int64_t i = 0; i < at->panel.rows; ++i) {
    factor[i] = at->sum[i] == 0 ? 0 : 1 / at->sum[i];
    if (call.lse)
      call.lse[(b * call.tokens + at->panel.token[i]) * call.heads + at->panel.head[i]] =
          at->sum[i] == 0 ? -kInfinity : kLn2 * at->max[i] + __builtin_logf(at->sum[i]);
  }
  unpack_columns(at->ot, factor, at->panel.rows, call.head_size, rows);
}

void add_keys(ForwardItem* item, int64_t first, int64_t n, Soon* keys) {
  const ForwardScratch& scratch = item->scratch;
  ForwardBlock next = find_block(item, first, n, 0, scratch.score[0]);
  if (!next.at) return;
  const bool finite = pack_keys(item->call, item->b, item->g, first, n, scratch);
  for (int64_t i = 0; i < next.key_pieces(); ++i) multiply_scores(next, i, scratch);
  while (next.at) {
    const ForwardBlock block = next;
    float* other = block.score == scratch.score[0] ? scratch.score[1] : scratch.score[0];
    next = find_block(item, first, n, block.at - scratch.groups + 1, other);
    keys->fetch(kSide);
    add_block(item->call, item->b, block, next, finite, scratch);
  }
}

void forward_rows(const AttentionCall& call, int64_t b, int64_t g, int64_t first_row, int64_t rows, float* base) {
  const TilesInUse tiles;
  const ForwardScratch scratch(call, rows, base);
  const int64_t heads = group_heads(call), end_row = first_row + rows, end = causal_end(call, b, (end_row - 1) / heads);
  Soon queries(call, b, g * heads, heads, first_row + kSide, end_row);
  queries.add(call.q, call.q_stride);
  ForwardItem item = {call, b, g, first_row, rows, scratch, 0, queries};
  for (int64_t first = 0; first < end; first += kBlockKeys) {
    Soon keys = soon_keys(call, b, g, first + kBlockKeys, min_of(end, first + 2 * kBlockKeys));
    add_keys(&item, first, min_of(kBlockKeys, end - first), &keys);
  }
  find_block(&item, 0, 0, item.placed, nullptr);  // places what saw nothing
  for (int64_t i = 0; i < scratch.count; ++i) {
    ForwardRows* at = &scratch.groups[i];
    if (at->fresh) __builtin_memset(at->ot, 0, size_t(scratch.pieces * kSide * kSide) * 4);  // saw nothing
    finish_rows(call, b, at);
  }
}

}  // namespace
}  // namespace hearth
