// SPDX-License-Identifier: Apache-2.0
// AVX-512: 14 rows by two vectors, 28 of the 32 registers hold sums. A multiple of most images' widths, too.
#if defined(__x86_64__)
#include "ops/convolution/conv_simd.h"
#include "ops/matmul/gemm_avx512.h"
#include "ops/matmul/gemm_wide_vec.h"

namespace hearth {

const ConvKernels& conv_kernels_avx512() {
  static constexpr ConvKernels kTable = conv_table<Vec16, 14, 8>();
  return kTable;
}

const ConvKernels& conv_kernels_f64_avx512() {
  static constexpr ConvKernels kTable = conv_table<Doubles, 14, 8>();
  return kTable;
}

}  // namespace hearth
#endif
