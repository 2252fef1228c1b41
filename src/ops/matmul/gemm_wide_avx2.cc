// SPDX-License-Identifier: Apache-2.0
// AVX2: tiles of 6 x 8 doubles, 6 x 16 floats (complex64) and 32-bit integers. A product of 64-bit integers is three of
// 32-bit halves, which need registers: 4 x 8.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx2.h"
#include "ops/matmul/gemm_wide.h"

namespace hearth {
namespace {

constexpr int kMr = 6;

constexpr WideKernels kTable = {.f64 = wide_kernel<Doubles, kMr>(),
                                .complex64 = complex_kernel<Vec8, kMr>(),
                                .complex128 = complex_kernel<Doubles, kMr>(),
                                .i32 = wide_kernel<WideVec<uint32_t, 32>, kMr>(),
                                .i64 = wide_kernel<WideVec<uint64_t, 32>, 4>()};

}  // namespace

const WideKernels& wide_kernels_avx2() { return kTable; }

}  // namespace hearth
#endif
