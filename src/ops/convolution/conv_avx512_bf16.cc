// SPDX-License-Identifier: Apache-2.0
// AVX-512 with BF16: products of bf16 pairs (vdpbf16ps), everything else as on avx512.
#if defined(__x86_64__)
#include "ops/convolution/conv_simd.h"
#include "ops/matmul/gemm_avx512_pairs.h"

namespace hearth {
namespace {

ConvKernels make_table() {
  ConvKernels table = conv_kernels_avx512();
  table.pair_tile[0] = broadcast_rows<Vec16Pairs, 14, 1, false>;
  table.pair_tile[1] = broadcast_rows<Vec16Pairs, 14, 2, false>;
  table.pair_tile_next[0] = broadcast_rows<Vec16Pairs, 14, 1, true>;
  table.pair_tile_next[1] = broadcast_rows<Vec16Pairs, 14, 2, true>;
  table.copy_pairs = [](const ConvCopy& c) {
    if (c.pair != 1 || c.from_step != 2 || !c.has_pair) return copy_units<Vec16, PairSource>(c);
    for (int64_t a = 0; a < c.rows; ++a) {  // pairs as they lie
      float* to = elements<Vec16>(c.to) + c.to_rows[a];
      __builtin_memcpy(to, static_cast<const char*>(c.from) + c.from_rows[a] * 2, size_t(c.cols) * 4);
      for (int64_t b = c.cols; b < c.padded; ++b) to[b] = 0;
    }
  };
  return table;
}

}  // namespace

const ConvKernels& conv_kernels_avx512_bf16() {
  static const ConvKernels table = make_table();
  return table;
}

}  // namespace hearth
#endif
