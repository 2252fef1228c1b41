// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one instruction set offers to the drivers gemm.cc and gemm_skinny.cc: a table of plain functions.
// Panel: W rows of A (or columns of B), k-major: element (i, k) at [k * W + i], zero-padded to W. Products of two bf16
// matrices keep bf16 pairs (k, k+1) as one 32-bit element, so that a panel has half as many steps. A complex product is
// a real one of twice as many rows and columns of B: GemmKernels::wide.

#include <cstdint>

#include "base/dtype.h"
#include "base/isa.h"

namespace hearth {

// A strided operand seen along one axis i (rows of A or columns of B) and k. One of the strides is 1.
struct PanelSource {
  const void* data;
  DType dtype;
  int64_t stride_i, stride_k;  // in elements
  int64_t count, k;            // valid i, valid k
};

// One tile: out[r,c] = init[r,c] (or 0) + alpha * sum_k a[k,r] b[k,c], for r < rows <= mr, c < cols <= nr.
struct Tile {
  int64_t k = 0;            // in elements, not in steps
  const void* a = nullptr;  // panels; of a stored tile the first row of A
  const void* b = nullptr;
  int64_t a_stride = 0;  // stored tiles: bytes between rows of the unpacked A
  int64_t b_stride = 0;  // direct tiles: elements between rows of the unpacked B
  float alpha = 1;
  const void* init = nullptr;  // of the kernel's sums: f32, f64 or integers
  void* out = nullptr;
  int64_t ld_init = 0, ld_out = 0;
  int64_t rows = 0, cols = 0;
  void* final_out = nullptr;  // set: the result goes here, in final_dtype (f16, bf16, i8, i16), and out is not written
  int64_t ld_final = 0;
  DType final_dtype = DType::bf16;
};

// What choose_cut weighs, in multiply-adds of the kernel. Those of AMX were fitted to the times of many cuts of 50
// shapes on 16 shared cores of Sapphire Rapids: what it chooses is 0.98 (f32) and 0.96 (bf16) times as fast as the best
// of them, in the geometric mean.
struct CutCosts {
  double read = 4, pack = 12;  // of reading an element of a panel, of reading it from the operand and packing it
  double remote = 12;          // of reading an element that another core packed, on top
  double meet = 25000;         // of a meeting of the threads, for each of them
};

struct WideRows;

struct GemmKernel {
  int mr = 0, nr = 0;
  int k_step = 1;         // panels are padded with zeros to a multiple of it
  int element_bytes = 4;  // of a panel
  int sum_bytes = 4;      // of a sum
  int64_t k_block = 0;    // elements of k per pass over the tiles of a task, a multiple of k_step; 0: all of a stage
  void (*pack_a)(const PanelSource& source, void* panel) = nullptr;
  void (*pack_b)(const PanelSource& source, void* panel) = nullptr;
  void (*tile)(const Tile& tile) = nullptr;
  // A as it is stored, in the panels' dtype, k contiguous and a multiple of k_step; null: A must be packed.
  void (*stored_tile)(const Tile& tile) = nullptr;
  CutCosts costs = {};
  bool any_strides = false;                          // packs what has no stride of 1
  void (*dot_rows)(const WideRows& rows) = nullptr;  // of wide kernels, may be null
  void (*sum_rows)(const WideRows& rows) = nullptr;
  void (*begin)() = nullptr;  // around the tiles of one task, may be null: AMX configures its tiles
  void (*end)() = nullptr;
};

// out[m, r] += alpha * sum_k x[m, k] w[r, k]: reads rows of w once, straight from where they lie.
struct DotRows {
  const void* w;
  DType w_dtype;
  int64_t w_stride;  // elements between rows; k is contiguous
  int64_t rows, m, k;
  const void* x;     // f32 [m, x_stride], or bf16 for dot_rows_bf16; zero-padded to a multiple of 32 elements
  int64_t x_stride;  // in elements
  float alpha;
  float* out;
  int64_t ld_out;
};

// Few vectors x times rows of w, as DotRows, with x packed and both of one dtype.
struct BroadcastRows {
  int64_t (*bytes)(int64_t m, int64_t k) = nullptr;            // of packed x
  void (*pack)(const PanelSource& x, void* packed) = nullptr;  // k contiguous
  void (*multiply)(const DotRows& dot) = nullptr;              // x_stride is not read
};

// Products of dtypes other than f32, f16 and bf16: both operands of one dtype, one term, no addend. Integers wrap
// around, so their sign is of no concern; those of 8 and 16 bits are widened to 32. A complex B[K,N] is packed as the
// real [2K,2N] matrix of [re im; -im re] for each element, which the interleaved A[M,2K] meets as it lies; the product
// is the interleaved C[M,2N]. Strides of such a B are those of the complex one counted in parts: they are right at even
// rows and columns, where panels begin.
struct WideKernels {
  GemmKernel f64, complex64, complex128, i32, i64;
};

// A few vectors x[s, k], k contiguous, times vectors w[r, k] where they lie, all of a kernel's elements:
// out[s, r] = sum_k x[s, k] w[r, k], s < m <= kMostWideRows, r < rows. In w k is contiguous
// (dot_rows) or r (sum_rows).
constexpr int kMostWideRows = 4;
struct WideRows {
  const void* w = nullptr;
  int64_t w_stride = 0;  // elements between vectors, or between steps of k
  const void* x = nullptr;
  int64_t x_stride = 0;
  void* out = nullptr;
  int64_t ld_out = 0;
  int64_t m = 0, rows = 0, k = 0;
};

struct GemmKernels {
  GemmKernel f32;       // any mix of dtypes, widened into f32 panels
  GemmKernel bf16;      // both operands bf16; tile is null where the processor has no such product
  int direct_rows = 0;  // most rows of a direct tile
  int (*direct_width)(int64_t rows) = nullptr;  // panel width that direct tiles of so many rows want
  void (*pack_narrow)(const PanelSource& source, int width, float* panel) = nullptr;  // an f32 panel of any width
  void (*direct_tile)(const Tile& tile, DType b_dtype) = nullptr;                     // B unpacked, n contiguous
  void (*dot_rows)(const DotRows& dot) = nullptr;
  void (*dot_rows_bf16)(const DotRows& dot) = nullptr;  // w and x bf16; null: use dot_rows
  BroadcastRows broadcast_f32 = {};  // 3 to 32 vectors x; functions are null where dot products are as fast
  BroadcastRows broadcast_bf16 = {};
  int64_t dot_rows_bf16_most = 16;  // most vectors x for which it beats packing w
  const WideKernels& (*wide)() = nullptr;
  void (*widen)(const void* from, DType dtype, int64_t count, float* to) = nullptr;
  void (*narrow)(const float* from, int64_t count, DType dtype, void* to) = nullptr;
};

const WideKernels& wide_kernels_scalar();
const WideKernels& wide_kernels_avx2();
const WideKernels& wide_kernels_avx512();
const GemmKernels& gemm_kernels_scalar();
const GemmKernels& gemm_kernels_avx2();
const GemmKernels& gemm_kernels_avx512();
const GemmKernels& gemm_kernels_avx512_bf16();
const GemmKernels& gemm_kernels_amx();
const GemmKernels& gemm_kernels(Isa isa);

}  // namespace hearth
