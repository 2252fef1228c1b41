// SPDX-License-Identifier: Apache-2.0
// Portable: any processor, through the compiler's four-lane vectors.
#include "ops/convolution/conv_simd.h"
#include "ops/matmul/gemm_scalar.h"
#include "ops/matmul/gemm_wide_vec.h"

namespace hearth {

const ConvKernels& conv_kernels_scalar() {
  static constexpr ConvKernels kTable = conv_table<Vec4, 4, 4>();
  return kTable;
}

const ConvKernels& conv_kernels_f64_scalar() {
  static constexpr ConvKernels kTable = conv_table<Doubles, 4, 4>();
  return kTable;
}

}  // namespace hearth
