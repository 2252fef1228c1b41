// SPDX-License-Identifier: Apache-2.0
// Portable: f64, integers and complex numbers through the compiler's 16-byte vectors.
#include "ops/matmul/gemm_scalar.h"
#include "ops/matmul/gemm_wide.h"

namespace hearth {
namespace {

constexpr int kMr = 4;

constexpr WideKernels kTable = {.f64 = wide_kernel<Doubles, kMr>(),
                                .complex64 = complex_kernel<Vec4, kMr>(),
                                .complex128 = complex_kernel<Doubles, kMr>(),
                                .i32 = wide_kernel<WideVec<uint32_t, 16>, kMr>(),
                                .i64 = wide_kernel<WideVec<uint64_t, 16>, kMr>()};

}  // namespace

const WideKernels& wide_kernels_scalar() { return kTable; }

}  // namespace hearth
