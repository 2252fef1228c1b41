// SPDX-License-Identifier: Apache-2.0
// AVX-512 with BF16: bf16 times bf16 as pair products (vdpbf16ps), everything else as on avx512.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx512_pairs.h"

namespace hearth {
namespace {

constexpr int kMr = 14;

GemmKernels make_table() {
  GemmKernels table = gemm_kernels_avx512();
  table.bf16 = {.mr = kMr,
                .nr = 32,
                .k_step = 2,
                .element_bytes = 2,
                .pack_a = pack_pairs<kMr>,
                .pack_b = pack_pairs<32>,
                .tile = packed_rows<Vec16Pairs, kMr>,
                .stored_tile = stored_rows<Vec16Pairs, kMr>,
                .costs = table.f32.costs};
  table.dot_rows_bf16 = dot_rows_typed<Vec16Pairs, PairSource, PairSource, 4>;
  table.broadcast_bf16 = {broadcast_bytes<Vec16Pairs>, broadcast_pack<Vec16Pairs, PairSource>,
                          broadcast_rows<Vec16Pairs, PairSource>};
  return table;
}

}  // namespace

const GemmKernels& gemm_kernels_avx512_bf16() {
  static const GemmKernels table = make_table();
  return table;
}

}  // namespace hearth
#endif
