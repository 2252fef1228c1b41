// SPDX-License-Identifier: Apache-2.0
// Portable: any processor, through the compiler's four-lane vectors. Tile 4x8.
#include "ops/matmul/gemm_scalar.h"

#include "ops/matmul/gemm_simd_dot.h"
#include "ops/matmul/gemm_simd_pack.h"
#include "ops/matmul/gemm_simd_tile.h"

namespace hearth {
namespace {

constexpr int kMr = 4, kVectors = 2;

void tile(const Tile& t) {
  if (t.cols > Vec4::lanes)
    tile_of<Vec4, PanelRows<Vec4, kMr>, kVectors, 4, 2>(t);
  else
    tile_of<Vec4, PanelRows<Vec4, kMr>, kVectors, 4, 1>(t);
}

int direct_width(int64_t rows) { return rows <= 1 ? 1 : rows <= 4 ? 4 : 8; }

void direct_tile(const Tile& t, DType dtype) {
  switch (direct_width(t.rows)) {
    case 1: return direct_tile_rows<Vec4, 1, 4>(t, dtype);
    case 4: return direct_tile_rows<Vec4, 4, 2>(t, dtype);
    default: return direct_tile_rows<Vec4, 8, 1>(t, dtype);
  }
}

constexpr GemmKernels kTable = {
    .f32 = {.mr = kMr, .nr = 8, .pack_a = pack_f32<Vec4, kMr>, .pack_b = pack_f32<Vec4, 8>, .tile = tile},
    .bf16 = {},
    .direct_rows = 8,
    .direct_width = direct_width,
    .pack_narrow = pack_narrow<Vec4>,
    .direct_tile = direct_tile,
    .dot_rows = dot_rows<Vec4, 2>,
    .dot_rows_bf16 = nullptr,
    .wide = wide_kernels_scalar,
    .widen = widen<Vec4>,
    .narrow = narrow<Vec4>,
};

}  // namespace

const GemmKernels& gemm_kernels_scalar() { return kTable; }

}  // namespace hearth
