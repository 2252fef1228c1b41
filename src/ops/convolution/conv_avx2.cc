// SPDX-License-Identifier: Apache-2.0
// AVX2, FMA, F16C: 6 rows by two vectors, 12 of the 16 registers hold sums.
#if defined(__x86_64__)
#include "ops/convolution/conv_simd.h"
#include "ops/matmul/gemm_avx2.h"
#include "ops/matmul/gemm_wide_vec.h"

namespace hearth {

const ConvKernels& conv_kernels_avx2() {
  static constexpr ConvKernels kTable = conv_table<Vec8, 6, 5>();
  return kTable;
}

const ConvKernels& conv_kernels_f64_avx2() {
  static constexpr ConvKernels kTable = conv_table<Doubles, 6, 5>();
  return kTable;
}

}  // namespace hearth
#endif
