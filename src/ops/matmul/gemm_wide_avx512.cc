// SPDX-License-Identifier: Apache-2.0
// AVX-512: tiles of 14 x 16 doubles and 64-bit integers, 14 x 32 floats (complex64) and 32-bit integers. Rows of A are
// read where they lie, as those of f32 are.
#if defined(__x86_64__)
#include "ops/matmul/gemm_avx512.h"
#include "ops/matmul/gemm_wide.h"

namespace hearth {
namespace {

constexpr int kMr = 14;

template <class V>
constexpr GemmKernel with_stored_rows(GemmKernel kernel) {
  kernel.stored_tile = stored_rows<V, kMr>;
  return kernel;
}

using Words = WideVec<uint32_t, 64>;
using Longs = WideVec<uint64_t, 64>;
constexpr WideKernels kTable = {.f64 = with_stored_rows<Doubles>(wide_kernel<Doubles, kMr>()),
                                .complex64 = with_stored_rows<Vec16>(complex_kernel<Vec16, kMr>()),
                                .complex128 = with_stored_rows<Doubles>(complex_kernel<Doubles, kMr>()),
                                .i32 = with_stored_rows<Words>(wide_kernel<Words, kMr>()),
                                .i64 = with_stored_rows<Longs>(wide_kernel<Longs, kMr>())};

}  // namespace

const WideKernels& wide_kernels_avx512() { return kTable; }

}  // namespace hearth
#endif
