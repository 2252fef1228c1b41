// SPDX-License-Identifier: Apache-2.0
// AVX2, FMA, F16C: most people's machines. Tile 6x16: 12 of the 16 registers hold C.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx2.h"

#include "ops/matmul/gemm_simd_dot.h"
#include "ops/matmul/gemm_simd_pack.h"
#include "ops/matmul/gemm_simd_tile.h"

namespace hearth {
namespace {

constexpr int kMr = 6;

int direct_width(int64_t rows) { return rows <= 2 ? static_cast<int>(rows) : rows <= 4 ? 4 : rows <= 6 ? 6 : 10; }

void direct_tile(const Tile& t, DType dtype) {
  switch (direct_width(t.rows)) {
    case 1: return direct_tile_rows<Vec8, 1, 8>(t, dtype);
    case 2: return direct_tile_rows<Vec8, 2, 4>(t, dtype);
    case 4: return direct_tile_rows<Vec8, 4, 2>(t, dtype);
    case 6: return direct_tile_rows<Vec8, 6, 2>(t, dtype);
    default: return direct_tile_rows<Vec8, 10, 1>(t, dtype);
  }
}

constexpr GemmKernels kTable = {
    .f32 = {.mr = kMr,
            .nr = 16,
            .pack_a = pack_f32<Vec8, kMr>,
            .pack_b = pack_f32<Vec8, 16>,
            .tile = packed_rows<Vec8, kMr>},
    .bf16 = {},
    .direct_rows = 10,
    .direct_width = direct_width,
    .pack_narrow = pack_narrow<Vec8>,
    .direct_tile = direct_tile,
    .dot_rows = dot_rows<Vec8, 2>,
    .dot_rows_bf16 = nullptr,
    .wide = wide_kernels_avx2,
    .widen = widen<Vec8>,
    .narrow = narrow<Vec8>,
};

}  // namespace

const GemmKernels& gemm_kernels_avx2() { return kTable; }

}  // namespace hearth
#endif
