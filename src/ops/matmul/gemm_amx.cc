// SPDX-License-Identifier: Apache-2.0
// AMX: bf16 times bf16 on 2x2 tiles of 16x16 sums (tdpbf16ps), everything else as on avx512_bf16 and avx512.
// A panel: per 32 steps of k, 32 rows of 64 bytes, rows contiguous. B panel: pairs, as on avx512_bf16.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx512_pairs.h"

namespace hearth {
namespace {

constexpr int kMr = 32, kNr = 32, kDepth = 32;  // of one pass: rows, columns, elements of k

// Tiles 0..3 sums, 4..5 A, 6..7 B: each 16 rows of 64 bytes. Edges are padded with zeros instead of smaller tiles.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

// In memory from the start: GCC 12 tells the optimiser that ldtilecfg reads 8 of the 64 bytes, and drops stores to the
// rest.
const TileConfig tile_config;

void begin() { _tile_loadconfig(&tile_config); }
void end() { _tile_release(); }

// k-contiguous rows are copied as they lie; others are packed as pairs and transposed back, 16 rows at a time.
void pack_a(const PanelSource& s, void* panel) {
  char* out = static_cast<char*>(panel);
  for (int64_t k = 0; k < s.k; k += kDepth) {
    const int64_t elements = s.k - k < kDepth ? s.k - k : kDepth;
    for (int group = 0; group < kMr; group += 16, out += 1024) {
      const char* data = static_cast<const char*>(s.data) + (group * s.stride_i + k * s.stride_k) * 2;
      __m512 x[16];
      if (s.stride_k == 1 && s.stride_i != 1) {
        HEARTH_UNROLL for (int r = 0; r < 16; ++r) {
          x[r] = group + r < s.count ? PairSource::along_k_part(data + r * s.stride_i * 2, elements) : Vec16::zero();
        }
      } else {
        int64_t lanes = s.count - group;
        if (lanes > 16) lanes = 16;
        HEARTH_UNROLL for (int p = 0; p < 16; ++p) {
          const int64_t left = elements - 2 * p;
          x[p] = left > 0 && lanes > 0 ? PairSource::along_i(data + 2 * p * s.stride_k * 2, s.stride_k * 2, left, lanes)
                                       : Vec16::zero();
        }
        Vec16::transpose(x);
      }
      HEARTH_UNROLL for (int r = 0; r < 16; ++r) Vec16::store(reinterpret_cast<float*>(out + r * 64), x[r]);
    }
  }
}

void pack_b(const PanelSource& s, void* panel) {
  pack_panel<Vec16, PairSource>(s, kNr, (s.k + kDepth - 1) / kDepth * (kDepth / 2), static_cast<float*>(panel));
}

// 4 tile products per 4 tile loads.
inline void multiply(const Tile& t) {
  const char* a = static_cast<const char*>(t.a);
  const char* b = static_cast<const char*>(t.b);
  constexpr int64_t a_half = 16 * 64, b_half = 64, b_stride = kNr * 4;
  const bool second_rows = t.rows > 16, second_cols = t.cols > 16;
  for (int64_t k = 0; k < t.k; k += kDepth, a += 2 * a_half, b += kDepth / 2 * b_stride) {
    _tile_loadd(6, b, b_stride);
    _tile_loadd(4, a, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (second_cols) {
      _tile_loadd(7, b + b_half, b_stride);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (second_rows) {
      _tile_loadd(5, a + a_half, 64);
      _tile_dpbf16ps(2, 5, 6);
      if (second_cols) _tile_dpbf16ps(3, 5, 7);
    }
  }
}

void store_sums(float* to, int64_t ld) {
  _tile_stored(0, to, ld * 4);
  _tile_stored(1, to + 16, ld * 4);
  _tile_stored(2, to + 16 * ld, ld * 4);
  _tile_stored(3, to + 16 * ld + 16, ld * 4);
}

// Sums of an edge or with a scale pass through memory once per call to meet alpha, init and their borders.
void finish_through_memory(const Tile& t) {
  alignas(64) float sums[kMr * kNr];
  store_sums(sums, kNr);
  for (int64_t r = 0; r < t.rows; ++r) {
    Tile row = t;
    row.rows = 1;
    row.out += r * t.ld_out;
    if (row.init) row.init += r * t.ld_init;
    if (row.final_out) row.final_out = static_cast<char*>(row.final_out) + r * t.ld_final * 2;
    if (t.cols > 16) {
      __m512 acc[1][2] = {{Vec16::load(sums + r * kNr), Vec16::load(sums + r * kNr + 16)}};
      finish_tile<Vec16, 1, 2>(row, acc);
    } else {
      __m512 acc[1][1] = {{Vec16::load(sums + r * kNr)}};
      finish_tile<Vec16, 1, 1>(row, acc);
    }
  }
}

void tile(const Tile& t) {
  const bool whole = t.rows == kMr && t.cols == kNr && t.alpha == 1 && !t.final_out;
  if (whole && t.init) {
    _tile_loadd(0, t.init, t.ld_init * 4);
    _tile_loadd(1, t.init + 16, t.ld_init * 4);
    _tile_loadd(2, t.init + 16 * t.ld_init, t.ld_init * 4);
    _tile_loadd(3, t.init + 16 * t.ld_init + 16, t.ld_init * 4);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  multiply(t);
  if (whole)
    store_sums(t.out, t.ld_out);
  else
    finish_through_memory(t);
}

GemmKernels make_table() {
  GemmKernels table = gemm_kernels_avx512_bf16();
  // 12 rows instead of 14: tasks begin at common multiples of all tile heights, 96 instead of 224.
  table.f32.mr = 12;
  table.f32.pack_a = pack_f32<Vec16, 12>;
  table.f32.tile = tile_512<Vec16, 12>;
  table.bf16 = {.mr = kMr,
                .nr = kNr,
                .k_step = kDepth,
                .element_bytes = 2,
                .k_block = kDepth * 12,  // 24 KiB of each panel: A and B together fit 48 KiB of L1
                .pack_a = pack_a,
                .pack_b = pack_b,
                .tile = tile,
                .begin = begin,
                .end = end};
  return table;
}

}  // namespace

const GemmKernels& gemm_kernels_amx() {
  static const GemmKernels table = make_table();
  return table;
}

}  // namespace hearth
#endif
