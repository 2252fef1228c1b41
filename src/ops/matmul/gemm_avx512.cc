// SPDX-License-Identifier: Apache-2.0
// AVX-512 without BF16: everything is widened to f32. Tile 14x32: 28 of the 32 registers hold C.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx512.h"

namespace hearth {
namespace {

constexpr int kMr = 14;

int direct_width(int64_t rows) { return rows <= 2 ? static_cast<int>(rows) : rows <= 4 ? 4 : rows <= 8 ? 8 : 14; }

void direct_tile(const Tile& t, DType dtype) {
  switch (direct_width(t.rows)) {
    case 1: return direct_tile_rows<Vec16, 1, 8>(t, dtype);
    case 2: return direct_tile_rows<Vec16, 2, 4>(t, dtype);
    case 4: return direct_tile_rows<Vec16, 4, 4>(t, dtype);
    case 8: return direct_tile_rows<Vec16, 8, 2>(t, dtype);
    default: return direct_tile_rows<Vec16, 14, 2>(t, dtype);
  }
}

constexpr GemmKernels kTable = {
    .f32 = {.mr = kMr,
            .nr = 32,
            .pack_a = pack_f32<Vec16, kMr>,
            .pack_b = pack_f32<Vec16, 32>,
            .tile = packed_rows<Vec16, kMr>,
            .stored_tile = stored_rows<Vec16, kMr>,
            .costs = {.read = 6, .pack = 14, .remote = 10, .meet = 100000}},
    .bf16 = {},
    .direct_rows = kMr,
    .direct_width = direct_width,
    .pack_narrow = pack_narrow<Vec16>,
    .direct_tile = direct_tile,
    .dot_rows = dot_rows<Vec16, 4>,
    .dot_rows_bf16 = nullptr,
    .broadcast_f32 = {broadcast_bytes<Vec16>, broadcast_pack<Vec16, Widen<Vec16, DType::f32>>,
                      broadcast_rows<Vec16, Widen<Vec16, DType::f32>>},
    .broadcast_bf16 = {},
    .wide = wide_kernels_avx512,
    .widen = widen<Vec16>,
    .narrow = narrow<Vec16>,
};

}  // namespace

const GemmKernels& gemm_kernels_avx512() { return kTable; }

}  // namespace hearth
#endif
