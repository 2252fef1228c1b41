// SPDX-License-Identifier: Apache-2.0
#pragma once
// Backward with AMX: the five products of flash_backward.h for units of 32 keys and 32 rows,
//   score = K Qt     dp = V dOt     ds = p * (dp - delta)     dV += p dO     dK += scale * ds Q     dQt += Kt ds
// with rows in the lanes of score and dp. p and ds as left factors are rows of bf16 as they come; ds as right factor
// needs the pairs of two keys, interleaved. Per tile of 16 x 16 scores 10 tile products of 16 cycles (D = 64) and 16
// vectors of about 18 operations, two a cycle: so the score and dp of the next unit are multiplied between the halves
// of weigh.

#include "ops/attention/flash_amx_tiles.h"

namespace hearth {
namespace {

// Of one block: rows and keys in pieces. 4 x 2 keeps the weights (48 KiB) near the first cache; more rows save loads
// and stores of dk and dv, more keys those of dq.
constexpr int64_t kRowPieces = 4, kBlock = kRowPieces * kSide, kBlockKeyPieces = 2,
                  kUnits = kRowPieces * kBlockKeyPieces;
constexpr int64_t kSoonRows = 16;  // of the next block, fetched with each unit of this one

struct BackwardRows {
  Panel panel;
  float *qt, *dot, *dqt;               // right pieces [of D] twice, [D rounded up][32]
  alignas(64) float minus_lse[kSide];  // in units of log 2; -inf in lanes without a row, so that p is 0 there
  alignas(64) float delta[kSide];
};

struct BackwardScratch {
  float *keys, *values, *keys_across;  // left pieces [of all keys][of D], summed over D, D and keys
  uint8_t* finite;                     // [pieces of all keys]
  float *score[2], *dp[2];             // [32][32] of two units
  float *p, *ds;                       // left pieces [kBlockKeyPieces][kRowPieces]
  float* ds_pairs;                     // right pieces [kRowPieces][kBlockKeyPieces]
  float *q, *dout;                     // right pieces [kRowPieces][of D], summed over rows
  BackwardRows* groups;
  int64_t pieces, ld, floats;  // pieces of D
  BackwardScratch(const AttentionCall& call, float* base) {
    Arena arena{base};
    pieces = (call.head_size + kSide - 1) / kSide;
    ld = pieces * kSide;
    const int64_t key_pieces = (call.keys + kSide - 1) / kSide;
    for (float** to : {&keys, &values, &keys_across}) *to = arena.take(key_pieces * pieces * kPiece);
    finite = reinterpret_cast<uint8_t*>(arena.take((key_pieces + 3) / 4));
    for (float** to : {&score[0], &score[1], &dp[0], &dp[1]}) *to = arena.take(kSide * kSide);
    for (float** to : {&p, &ds, &ds_pairs}) *to = arena.take(kUnits * kPiece);
    for (float** to : {&q, &dout}) *to = arena.take(kRowPieces * pieces * kPiece);
    groups = reinterpret_cast<BackwardRows*>(arena.take(kRowPieces * int64_t(sizeof(BackwardRows) / 4)));
    for (int64_t i = 0; i < kRowPieces; ++i) {
      float *qt = arena.take(pieces * kPiece), *dot = arena.take(pieces * kPiece), *dqt = arena.take(ld * kSide);
      if (!base) continue;
      groups[i].qt = qt;
      groups[i].dot = dot;
      groups[i].dqt = dqt;
    }
    floats = arena.used;
  }
};

int64_t backward_floats(const AttentionCall& call) { return BackwardScratch(call, nullptr).floats; }
int64_t padded_size(int64_t head_size) { return round_up(head_size, kSide); }

// The keys serve every block of rows of an item, so they are packed once: before the first block that sees one of a
// piece, the whole piece, as far as some row of the call sees it. Returns up to where they are packed.
int64_t pack_keys_until(const AttentionCall& call, int64_t b, int64_t g, int64_t packed, int64_t end,
                        const BackwardScratch& scratch) {
  const int64_t last = causal_end(call, b, call.tokens - 1);
  for (; packed < end; packed += kSide) {
    const bf16* rows[kSide];
    const int64_t first = packed, i = first / kSide, n = min_of(kSide, last - first), at = i * scratch.pieces * kPiece;
    AllFinite keys, values;
    key_rows(call.v, call.v_stride, b, g, first, n, rows);
    pack_left(rows, n, call.head_size, scratch.values + at, &values);
    key_rows(call.k, call.k_stride, b, g, first, n, rows);
    pack_left(rows, n, call.head_size, scratch.keys + at, &keys);
    pack_row_pairs_right(rows, n, call.head_size, scratch.keys_across + at, &keys);
    change_side(scratch.keys_across + at, scratch.pieces);
    scratch.finite[i] = keys.yes();
  }
  return packed;
}

// delta of 16 rows at a time, d in the lanes.
void find_delta(const bf16* const* dout, const bf16* const* out, int64_t n, int64_t head_size, float* delta) {
  for (int64_t first = 0; first < kSide; first += kLanes) {
    F sum[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) sum[i] = F{};
    for (int64_t i = first; i < min_of(n, first + kLanes); ++i)
      for (int64_t d = 0; d < head_size; d += kSide)
        sum[i - first] = word_multiply_add<true>(load_piece_row(dout[i] + d, head_size - d),
                                                 load_piece_row(out[i] + d, head_size - d), sum[i - first]);
    fold<kLanes>(sum);
    store(delta + first, sum[0]);
  }
}

// Rows of the block: how many, in how many groups, and whether their q and dout are finite.
struct Block {
  int64_t b, groups;
  AllFinite q, dout;
};

void pack_rows_of_group(const AttentionGradCall& grad, int64_t g, int64_t first, int64_t n, int64_t i, Block* block,
                        const BackwardScratch& scratch) {
  const AttentionCall& call = grad.forward;
  BackwardRows* at = &scratch.groups[i];
  const int64_t b = block->b, d = call.head_size, to = i * scratch.pieces * kPiece;
  const bf16 *q[kSide], *dout[kSide], *out[kSide];
  place_panel(call, b, g, first, n, &at->panel);
  panel_rows(call, at->panel, call.q, call.q_stride, b, q);
  panel_rows(call, at->panel, grad.dout, grad.dout_stride, b, dout);
  panel_rows(call, at->panel, call.out, call.out_stride, b, out);
  pack_left(q, n, d, at->qt, &block->q);
  pack_left(dout, n, d, at->dot, &block->dout);
  change_side(at->qt, scratch.pieces);
  change_side(at->dot, scratch.pieces);
  pack_row_pairs_right(q, n, d, scratch.q + to, &block->q);
  pack_row_pairs_right(dout, n, d, scratch.dout + to, &block->dout);
  find_delta(dout, out, n, d, at->delta);
  __builtin_memset(at->dqt, 0, size_t(scratch.ld * kSide) * 4);
  for (int64_t r = 0; r < kSide; ++r) {
    at->minus_lse[r] = -kInfinity;
    if (r >= n) continue;
    const float lse = call.lse[(b * call.tokens + at->panel.token[r]) * call.heads + at->panel.head[r]];
    at->minus_lse[r] = lse == -kInfinity ? -kInfinity : -lse * kLog2E;  // a row that sees nothing has p = 0
  }
}

// 32 keys and 32 rows, and where their score and dp are.
struct Unit {
  int64_t row_piece, key_piece, first, n;  // key_piece of the block; first key and how many some row sees
  bool masked;
  float *score, *dp;
};

void multiply_score(const Unit& unit, const BackwardScratch& scratch) {
  const float* keys = scratch.keys + unit.first / kSide * scratch.pieces * kPiece;
  multiply<From::zero>({scratch.pieces, keys, scratch.groups[unit.row_piece].qt, kPiece, kPiece}, unit.score, kSide);
}

void multiply_dp(const Unit& unit, const BackwardScratch& scratch) {
  const float* values = scratch.values + unit.first / kSide * scratch.pieces * kPiece;
  multiply<From::zero>({scratch.pieces, values, scratch.groups[unit.row_piece].dot, kPiece, kPiece}, unit.dp, kSide);
}

HEARTH_INLINE F round_rows(F first, F second) { return F(__m512i(_mm512_cvtne2ps_pbh(__m512(second), __m512(first)))); }

// score and dp of 16 keys become p and ds. Hidden places hold -inf in score; there both are 0 whatever dp is.
// The columns of ds_pairs come out as interleaving within 128 bits leaves them: see row_of_column.
template <bool kMasked>
HEARTH_INLINE void weigh(const Unit& unit, int64_t from, float factor, const BackwardScratch& scratch) {
  const BackwardRows& at = scratch.groups[unit.row_piece];
  const F by = splat(factor);
  const F minus_lse[2] = {load(at.minus_lse), load(at.minus_lse + kLanes)};
  const F delta[2] = {load(at.delta), load(at.delta + kLanes)};
  const int64_t left = (unit.key_piece * kRowPieces + unit.row_piece) * kPiece;
  float *p_out = scratch.p + left, *ds_out = scratch.ds + left;
  float* pairs = scratch.ds_pairs + (unit.row_piece * kBlockKeyPieces + unit.key_piece) * kPiece;
  for (int64_t s = from; s < from + kLanes; s += 2) {
    F words[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      F p[2], ds[2];
#pragma GCC unroll 2
      for (int v = 0; v < 2; ++v) {
        const int64_t place = (s + i) * kSide + v * kLanes;
        const F score = load(unit.score + place);
        p[v] = exp2_poly(multiply_add(score, by, minus_lse[v]));
        ds[v] = p[v] * (load(unit.dp + place) - delta[v]);
        if (kMasked) {
          const I hidden = score == splat(-kInfinity);
          p[v] = hidden ? F{} : p[v];
          ds[v] = hidden ? F{} : ds[v];
        }
      }
      words[i] = round_rows(ds[0], ds[1]);
      store(p_out + (s + i) * kLanes, round_rows(p[0], p[1]));
      store(ds_out + (s + i) * kLanes, words[i]);
    }
    store(pairs + s / 2 * kLanes, F(_mm512_unpacklo_epi16(__m512i(words[0]), __m512i(words[1]))));
    store(pairs + kTileWords + s / 2 * kLanes, F(_mm512_unpackhi_epi16(__m512i(words[0]), __m512i(words[1]))));
  }
}

// The row of a group whose ds stands in this column of ds_pairs, and so its dq in this column of dqt.
HEARTH_INLINE int64_t row_of_column(int64_t column) {
  const int64_t tile = column / kLanes, place = column % kLanes;
  return place / 4 * 8 + tile * 4 + place % 4;
}

// p and ds of one unit; meanwhile score and dp of the next, if there is one.
void weigh_unit(const AttentionCall& call, const Block& block, const Unit& unit, const Unit* next,
                const BackwardScratch& scratch) {
  float factor = call.scale * kLog2E;
  if (unit.masked) {
    hide(call, scratch.groups[unit.row_piece].panel, block.b, unit.first, unit.n, kSide, factor, unit.score, kSide);
    factor = 1;
  }
  if (next) multiply_score(*next, scratch);
  unit.masked ? weigh<true>(unit, 0, factor, scratch) : weigh<false>(unit, 0, factor, scratch);
  if (next) multiply_dp(*next, scratch);
  unit.masked ? weigh<true>(unit, kLanes, factor, scratch) : weigh<false>(unit, kLanes, factor, scratch);
}

// Where the units of a block that are seen lie, per row group and per piece of keys: [begin, end), and whether
// something in there is hidden.
struct Range {
  int64_t begin = 0, end = 0;
  bool masked = false;
  void add(int64_t i, bool unit_masked) {
    if (end != 0 && i != end) masked = true;  // units between are hidden
    if (end == 0) begin = i;
    end = i + 1;
    masked |= unit_masked;
  }
};

// C += left right into `pieces` blocks of C; the right or left factor and C move from one to the next.
template <Weights kWeights>
HEARTH_INLINE void add_products(Factors f, bool careful, int64_t pieces, int64_t c_step, float* c, int64_t ld) {
  for (int64_t i = 0; i < pieces; ++i, c += c_step) {
    careful ? multiply_visible<kWeights>(f, c, ld) : multiply<From::memory>(f, c, ld);
    (kWeights == Weights::left ? f.right : f.left) += kPiece;
  }
}

// dk and dv of 32 keys from the rows of the block, then dqt of each row group from the keys.
void add_gradients(const Block& block, int64_t first, const Range* rows_of, const Range* keys_of, float* dk_sum,
                   float* dv_sum, const BackwardScratch& scratch) {
  const int64_t across = scratch.pieces * kPiece, ld = scratch.ld;
  for (int64_t k = 0; k < kBlockKeyPieces; ++k) {
    const Range& rows = rows_of[k];
    const int64_t weight = (k * kRowPieces + rows.begin) * kPiece, right = rows.begin * across,
                  to = (first + k * kSide) * ld, steps = rows.end - rows.begin;
    if (steps == 0) continue;
    add_products<Weights::left>({steps, scratch.p + weight, scratch.dout + right, kPiece, across},
                                rows.masked && !block.dout.yes(), scratch.pieces, kSide, dv_sum + to, ld);
    add_products<Weights::left>({steps, scratch.ds + weight, scratch.q + right, kPiece, across},
                                rows.masked && !block.q.yes(), scratch.pieces, kSide, dk_sum + to, ld);
  }
  for (int64_t r = 0; r < block.groups; ++r) {
    const Range& keys = keys_of[r];
    const int64_t begin = first / kSide + keys.begin, steps = keys.end - keys.begin;
    bool finite = true;
    for (int64_t k = 0; k < steps; ++k) finite &= scratch.finite[begin + k] != 0;
    if (steps == 0) continue;
    add_products<Weights::right>({steps, scratch.keys_across + begin * across,
                                  scratch.ds_pairs + (r * kBlockKeyPieces + keys.begin) * kPiece, across, kPiece},
                                 keys.masked && !finite, scratch.pieces, kSide * kSide, scratch.groups[r].dqt, kSide);
  }
}

// The units of the keys [first, end) that some row sees; the others' weights become 0.
int64_t find_units(const AttentionCall& call, const Block& block, int64_t first, int64_t end, Unit* units,
                   Range* rows_of, Range* keys_of, const BackwardScratch& scratch) {
  int64_t count = 0;
  for (int64_t k = 0; k < kBlockKeyPieces && first + k * kSide < end; ++k)
    for (int64_t r = 0; r < block.groups; ++r) {
      const Panel& panel = scratch.groups[r].panel;
      const int64_t key = first + k * kSide, n = min_of(kSide, panel.last_end - key);
      const Sees sees = n > 0 ? visible(call, panel, block.b, key, n) : Sees::none;
      if (sees == Sees::none) {
        __builtin_memset(scratch.p + (k * kRowPieces + r) * kPiece, 0, kPiece * 4);
        __builtin_memset(scratch.ds + (k * kRowPieces + r) * kPiece, 0, kPiece * 4);
        __builtin_memset(scratch.ds_pairs + (r * kBlockKeyPieces + k) * kPiece, 0, kPiece * 4);
        continue;
      }
      const bool masked = sees == Sees::some || n != kSide;
      rows_of[k].add(r, masked);
      keys_of[r].add(k, masked);
      units[count] = {r, k, key, n, masked, scratch.score[count % 2], scratch.dp[count % 2]};
      ++count;
    }
  return count;
}

void add_keys(const AttentionCall& call, const Block& block, int64_t first, int64_t end, Soon* rows, Soon* keys,
              float* dk_sum, float* dv_sum, const BackwardScratch& scratch) {
  Unit units[kUnits];
  Range rows_of[kBlockKeyPieces], keys_of[kRowPieces];
  const int64_t count = find_units(call, block, first, end, units, rows_of, keys_of, scratch);
  if (count == 0) return;
  multiply_score(units[0], scratch);
  multiply_dp(units[0], scratch);
  for (int64_t i = 0; i < count; ++i) {
    rows->fetch(kSoonRows);
    keys->fetch(kSoonRows);
    weigh_unit(call, block, units[i], i + 1 < count ? &units[i + 1] : nullptr, scratch);
  }
  add_gradients(block, first, rows_of, keys_of, dk_sum, dv_sum, scratch);
}

void store_dq(const AttentionGradCall& grad, const Block& block, const BackwardScratch& scratch) {
  const AttentionCall& call = grad.forward;
  const int64_t dense[3] = {call.tokens * call.heads * call.head_size, call.heads * call.head_size, call.head_size};
  alignas(64) float factor[kSide];
  for (float& x : factor) x = call.scale;
  for (int64_t i = 0; i < block.groups; ++i) {
    const BackwardRows& at = scratch.groups[i];
    bf16* columns[kSide];
    for (int64_t c = 0; c < kSide; ++c) {
      const int64_t r = row_of_column(c);
      columns[c] = r < at.panel.rows
                       ? row_at(static_cast<bf16*>(grad.dq), dense, block.b, at.panel.token[r], at.panel.head[r])
                       : nullptr;
    }
    unpack_columns(at.dqt, factor, kSide, call.head_size, columns);
  }
}

void backward_rows(const AttentionGradCall& grad, int64_t b, int64_t g, int64_t part, int64_t parts, float* dk_sum,
                   float* dv_sum, float* base) {
  const TilesInUse tiles;
  const AttentionCall& call = grad.forward;
  const BackwardScratch scratch(call, base);
  const int64_t heads = group_heads(call), rows = call.tokens * heads;
  int64_t packed = 0;
  for (int64_t i = 0; i * parts * kBlock < rows; ++i) {
    const int64_t first = block_of_part(i, part, parts) * kBlock, n = min_of(kBlock, rows - first);
    if (n <= 0) continue;
    Block block = {b, (n + kSide - 1) / kSide, {}, {}};
    for (int64_t r = 0; r < block.groups; ++r)
      pack_rows_of_group(grad, g, first + r * kSide, min_of(kSide, n - r * kSide), r, &block, scratch);
    const int64_t end = scratch.groups[block.groups - 1].panel.last_end;
    packed = pack_keys_until(call, b, g, packed, end, scratch);
    const int64_t next = block_of_part(i + 1, part, parts) * kBlock, next_end = min_of(rows, next + kBlock);
    Soon next_rows(call, b, g * heads, heads, next, next_end);
    next_rows.add(call.q, call.q_stride);
    next_rows.add(grad.dout, grad.dout_stride);
    next_rows.add(call.out, call.out_stride);
    Soon next_keys = soon_keys(call, b, g, packed, next < rows ? causal_end(call, b, (next_end - 1) / heads) : 0);
    for (int64_t s = 0; s < end; s += kBlockKeyPieces * kSide)
      add_keys(call, block, s, end, &next_rows, &next_keys, dk_sum, dv_sum, scratch);
    store_dq(grad, block, scratch);
  }
}

}  // namespace
}  // namespace hearth
