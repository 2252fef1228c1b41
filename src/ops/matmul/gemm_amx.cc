// SPDX-License-Identifier: Apache-2.0
// AMX: bf16 times bf16 on 2x2 tiles of 16x16 sums (tdpbf16ps), everything else as on avx512_bf16 and avx512.
// A panel: per 32 steps of k, 32 rows of 64 bytes, rows contiguous. B panel: pairs, as on avx512_bf16.
#if defined(__x86_64__)
#include "base/amx_tiles.h"
#include "ops/matmul/gemm_avx512_pairs.h"

namespace hearth {
namespace {

constexpr int kMr = 32, kNr = 32, kDepth = 32;  // of one pass: rows, columns, elements of k

// Tiles 0..3 are sums, 4..5 A, 6..7 B.
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
    HEARTH_TILE_LOAD(6, b, b_stride);
    HEARTH_TILE_LOAD(4, a, 64);
    _tile_dpbf16ps(0, 4, 6);
    if (second_cols) {
      HEARTH_TILE_LOAD(7, b + b_half, b_stride);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (second_rows) {
      HEARTH_TILE_LOAD(5, a + a_half, 64);
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

// Sums of an edge, with a scale, or that leave as 16 bits pass through memory to meet alpha, init and their borders.
// bf16 leaves by the processor's own conversion, which makes denormals 0, as the tile product does with its inputs.
void finish_through_memory(const Tile& t) {
  alignas(64) float sums[kMr * kNr];
  store_sums(sums, kNr);
  const __m512 alpha = _mm512_set1_ps(t.alpha);
  const auto* first = static_cast<const float*>(t.init);
  const int64_t cols[2] = {t.cols < 16 ? t.cols : 16, t.cols < 16 ? 0 : t.cols - 16};
  const __mmask16 masks[2] = {Vec16::first(cols[0]), Vec16::first(cols[1])};
  const __mmask32 both = static_cast<__mmask32>(masks[1]) << 16 | masks[0];
  for (int64_t r = 0; r < t.rows; ++r) {
    __m512 x[2];
    HEARTH_UNROLL for (int v = 0; v < 2; ++v) {
      const __m512 sum = Vec16::load(sums + r * kNr + v * 16);
      const __m512 init = t.init ? _mm512_maskz_loadu_ps(masks[v], first + r * t.ld_init + v * 16) : Vec16::zero();
      x[v] = Vec16::add_scaled(init, alpha, sum);
    }
    char* to = t.final_out ? static_cast<char*>(t.final_out) + r * t.ld_final * 2 : nullptr;
    if (t.final_out && t.final_dtype == DType::bf16) {
      _mm512_mask_storeu_epi16(to, both, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(x[1], x[0])));
    } else {
      HEARTH_UNROLL for (int v = 0; v < 2; ++v) {
        if (t.final_out)
          Vec16::store_as<DType::f16>(to + v * 32, x[v], cols[v]);  // a store of 0 elements writes nothing
        else
          _mm512_mask_storeu_ps(static_cast<float*>(t.out) + r * t.ld_out + v * 16, masks[v], x[v]);
      }
    }
  }
}

void tile(const Tile& t) {
  const bool whole = t.rows == kMr && t.cols == kNr && t.alpha == 1 && !t.final_out;
  if (whole && t.init) {
    const auto* init = static_cast<const float*>(t.init);
    HEARTH_TILE_LOAD(0, init, t.ld_init * 4);
    HEARTH_TILE_LOAD(1, init + 16, t.ld_init * 4);
    HEARTH_TILE_LOAD(2, init + 16 * t.ld_init, t.ld_init * 4);
    HEARTH_TILE_LOAD(3, init + 16 * t.ld_init + 16, t.ld_init * 4);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  multiply(t);
  if (whole)
    store_sums(static_cast<float*>(t.out), t.ld_out);
  else
    finish_through_memory(t);
}

// --- few rows: 16 rows of w, where they lie, times up to 32 vectors x, which are the columns
// ---------------------------------

constexpr int64_t kXBlock = 1024;  // elements of k for which x is turned into pairs at a time
constexpr int64_t kMostX = 32;

// The steps [k0, k0 + k) of x as tiles of 16 pairs by 16 vectors; `tiles` of them, vectors 0..15 and 16..31, per step.
void turn_x(const DotRows& d, int64_t k0, int64_t k, int tiles, char* to) {
  for (int64_t step = 0; step < k; step += kDepth) {
    for (int half = 0; half < tiles; ++half, to += 1024) {
      __m512 x[16];
      HEARTH_UNROLL for (int i = 0; i < 16; ++i) {
        const char* from = static_cast<const char*>(d.x) + ((half * 16 + i) * d.x_stride + k0 + step) * 2;
        x[i] = half * 16 + i < d.m ? PairSource::along_k(from) : Vec16::zero();
      }
      Vec16::transpose(x);
      HEARTH_UNROLL for (int i = 0; i < 16; ++i) Vec16::store(reinterpret_cast<float*>(to + i * 64), x[i]);
    }
  }
}

// Loads tile 4 with up to 16 rows and 32 elements of w; what is beyond the end is 0, and not read.
void load_w(const char* w, int64_t stride_bytes, int64_t rows, int64_t elements) {
  if (rows >= 16 && elements >= kDepth) {
    HEARTH_TILE_LOAD(4, w, stride_bytes);
    return;
  }
  alignas(64) char copy[1024];
  for (int64_t i = 0; i < 16; ++i)
    Vec16::store(reinterpret_cast<float*>(copy + i * 64),
                 i < rows ? PairSource::along_k_part(w + i * stride_bytes, elements) : Vec16::zero());
  HEARTH_TILE_LOAD(4, copy, 64);
}

// out[m, row..row+16) += alpha * the sums of tile 0 or 1, which hold a row of w per row.
void add_sums(const DotRows& d, int64_t row, int64_t m0, const float* sums) {
  __m512 x[16];
  HEARTH_UNROLL for (int i = 0; i < 16; ++i) x[i] = Vec16::load(sums + i * 16);
  Vec16::transpose(x);
  const __mmask16 mask = d.rows - row >= 16 ? 0xffff : Vec16::first(d.rows - row);
  HEARTH_UNROLL for (int i = 0; i < 16; ++i) {
    if (m0 + i >= d.m) break;
    float* out = d.out + (m0 + i) * d.ld_out + row;
    _mm512_mask_storeu_ps(out, mask,
                          Vec16::add_scaled(_mm512_maskz_loadu_ps(mask, out), _mm512_set1_ps(d.alpha), x[i]));
  }
}

void dot_rows_tiles(const DotRows& d) {
  alignas(64) char x[kXBlock / kDepth * 2048];
  alignas(64) float sums[256];
  const int tiles = d.m > 16 ? 2 : 1;
  const int64_t stride_bytes = d.w_stride * 2;
  const TilesInUse tiles_in_use;
  for (int64_t k0 = 0; k0 < d.k; k0 += kXBlock) {
    const int64_t depth = d.k - k0 < kXBlock ? d.k - k0 : kXBlock;
    turn_x(d, k0, depth, tiles, x);
    for (int64_t row = 0; row < d.rows; row += 16) {
      const char* w = static_cast<const char*>(d.w) + row * stride_bytes + k0 * 2;
      const int64_t ahead = row + 32 <= d.rows ? 16 * stride_bytes : 0;  // the next 16 rows are asked for meanwhile
      _tile_zero(0);
      _tile_zero(1);
      for (int64_t step = 0; step < depth; step += kDepth) {
        HEARTH_UNROLL for (int i = 0; i < 16; ++i) __builtin_prefetch(w + ahead + i * stride_bytes + step * 2);
        load_w(w + step * 2, stride_bytes, d.rows - row, depth - step);
        const char* at = x + step / kDepth * tiles * 1024;
        HEARTH_TILE_LOAD(6, at, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (tiles == 1) continue;
        HEARTH_TILE_LOAD(7, at + 1024, 64);
        _tile_dpbf16ps(1, 4, 7);
      }
      _tile_stored(0, sums, 64);
      add_sums(d, row, 0, sums);
      if (tiles == 1) continue;
      _tile_stored(1, sums, 64);
      add_sums(d, row, 16, sums);
    }
  }
}

void dot_rows_bf16(const DotRows& d) {
  if (d.m > 1) return dot_rows_tiles(d);
  dot_rows_typed<Vec16Pairs, PairSource, PairSource, 1>(d);
}

GemmKernels make_table() {
  GemmKernels table = gemm_kernels_avx512_bf16();
  table.broadcast_f32 = table.broadcast_bf16 = {};
  // 12 rows instead of 14: tasks begin at common multiples of all tile heights, 96 instead of 224.
  table.f32.mr = 12;
  table.f32.pack_a = pack_f32<Vec16, 12>;
  table.f32.tile = packed_rows<Vec16, 12>;
  table.f32.stored_tile = nullptr;
  table.f32.costs = {.read = 0, .pack = 10, .remote = 12, .meet = 5000};
  table.bf16 = {.mr = kMr,
                .nr = kNr,
                .k_step = kDepth,
                .element_bytes = 2,
                .k_block = 1024,  // measured on 16 cores: 384 3400 GFLOP/s, 768 3580, 1024 3770, 1536 3360, all 3030
                .pack_a = pack_a,
                .pack_b = pack_b,
                .tile = tile,
                .costs = {.read = 2, .pack = 24, .remote = 10, .meet = 100000},
                .begin = begin,
                .end = end};
  table.dot_rows_bf16 = dot_rows_bf16;
  table.dot_rows_bf16_most = kMostX;
  return table;
}

}  // namespace

const GemmKernels& gemm_kernels_amx() {
  static const GemmKernels table = make_table();
  return table;
}

}  // namespace hearth
#endif
