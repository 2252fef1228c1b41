// SPDX-License-Identifier: Apache-2.0
#pragma once
// The CPU matrix multiplication: C[M,N] = sum_i scale_i A_i[M,K_i] B_i[K_i,N] + addend, at most two terms.
// Any mix of f32, bf16 and f16; sums are f32. Of f64, integers (sums wrap around) and complex numbers: all three of one
// dtype, one term with scale 1, no addend. NaN and infinities propagate (0 * inf is NaN). K = 0 gives the addend or
// 0. The same call with the same thread count and instruction set gives the same bits. The caller has checked all
// sizes.

#include <cstdint>

#include "base/dtype.h"
#include "base/isa.h"

namespace hearth {

// Element (row, col) lies at data + row * row_stride + col * col_stride. Fast when one stride is 1; others are copied
// first. The data needs no alignment (mapped files).
struct MatrixRef {
  const void* data = nullptr;
  DType dtype = DType::f32;
  int64_t row_stride = 0, col_stride = 1;
};

struct GemmTerm {
  MatrixRef a;  // [M,K]
  MatrixRef b;  // [K,N]; a Linear layer's weight [N,K] is read with row_stride 1, col_stride K
  int64_t k = 0;
  float scale = 1;
};

// A second term (LoRA's low-rank update) is a few more K steps of the same tiles, not a second pass over C.
struct GemmCall {
  int64_t m = 0, n = 0;
  GemmTerm terms[2];
  int term_count = 1;  // 0, 1 or 2
  void* c = nullptr;   // row-major [M,N], aligned to its element, overlaps neither A nor B
  DType c_dtype = DType::f32;
  int64_t ldc = 0;
  const void* addend = nullptr;  // row-major [M,N], or C itself (same dtype and stride): accumulates
  DType addend_dtype = DType::f32;
  int64_t ld_addend = 0;
};

// Runs on all threads of the pool; inside a parallel_for body on that body's thread alone.
// Packing memory: grow-only buffers, on the calling thread at most 8 MiB for A and 16 MiB for B per call in flight,
// plus at most 32 MiB of f32 sums when C has 16 bits and K is beyond 2048 (4096 for bf16 products); on each thread at
// most 1.4 MiB for its rows of A, 256 KiB for its panel of B, 768 KiB for its sums.
void gemm(const GemmCall& call);

// One thread, whatever the pool: for bodies of parallel_for (batched products, attention).
void gemm_on_this_thread(const GemmCall& call);

// As gemm, with the kernels of one instruction set (at most best_isa()): tests and benchmarks.
void gemm_with(Isa isa, const GemmCall& call);

// Frees the packing buffers of the calling thread.
void gemm_release_scratch();

}  // namespace hearth
