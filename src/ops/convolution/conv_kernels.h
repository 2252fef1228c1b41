// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one instruction set offers to conv_run.cc: a table of plain functions. All operands are in units: an f32 or two
// bf16 that are summed over (a pair), of 32 bits; in a table of its own an f64.

#include <cstdint>

#include "base/dtype.h"
#include "base/isa.h"

namespace hearth {

// Terms of the sum: `length` units of lhs from `offset` on, `step` units apart, and as many rows of the weights, from
// row k on.
struct ConvRun {
  int64_t offset, length, k;
};

// out[r, v] (+)= sum over terms of lhs[r, term] w[k, v], r < rows.
struct ConvTile {
  const char* const* lhs = nullptr;  // where each row's offsets count from
  int64_t lhs_offset = 0;            // and on top, of all rows
  const ConvRun* runs = nullptr;
  int64_t run_count = 0, step = 1;
  const char* w = nullptr;
  int64_t w_stride = 0;        // between rows of the weights
  char* const* out = nullptr;  // where each row's sums go, from out_offset on
  int64_t out_offset = 0;
  bool add = false;
  int64_t rows = 0;
};

// to[to_rows[a] + b] = from[from_rows[a] + b * from_step] for b < cols, widened or paired; 0 for cols <= b < padded.
struct ConvCopy {
  const void* from = nullptr;
  DType dtype = DType::f32;
  const int64_t* from_rows = nullptr;  // in elements
  int64_t from_step = 0;
  int64_t pair = 0;       // pairs: elements between the two
  bool has_pair = false;  // else the second is 0
  char* to = nullptr;
  const int64_t* to_rows = nullptr;  // in units
  int64_t rows = 0, cols = 0, padded = 0;
};

// to[to_rows[a] + b * to_step] = from[from_rows[a] + b], rounded to dtype.
struct ConvStore {
  const char* from = nullptr;
  const int64_t* from_rows = nullptr;
  void* to = nullptr;
  DType dtype = DType::f32;
  const int64_t* to_rows = nullptr;
  int64_t to_step = 0, rows = 0, cols = 0;
};

// Where a term of a sum lies, from the first output's: elements of lhs, units of the weights.
struct ConvTerm {
  int64_t lhs, w;
};

// Groups of `group` channels side by side in lhs and in the result, at successive outputs:
// out[r * out_step + v] = sum over terms and i < group of lhs[r * lhs_step + term.lhs + first of v's group + i]
//                                                         w[term.w + i * w_step + v],  v < channels.
struct ConvChannels {
  const void* lhs = nullptr;
  int64_t lhs_step = 0;
  const ConvTerm* terms = nullptr;
  int64_t term_count = 0;
  const char* w = nullptr;
  int64_t w_step = 0;
  void* out = nullptr;
  int64_t out_step = 0;
  int64_t outputs = 0, channels = 0;
  int group = 1;  // 1, or a power of two up to `lanes`, then of 32-bit units
  DType dtype = DType::f32;
};

struct ConvKernels {
  int unit_bytes = 4;
  int rows = 0, lanes = 0;  // most rows of a tile; columns of a vector, a tile has one or two
  // One lhs unit of a row meets a vector of weights. [0]: one vector, [1]: two.
  void (*tile[2])(const ConvTile& tile) = {};
  void (*tile_next[2])(const ConvTile& tile) = {};  // rows lie side by side: lhs[r] = lhs[0] + r
  void (*pair_tile[2])(const ConvTile& tile) = {};  // of bf16 pairs; null: the processor has no such product
  void (*pair_tile_next[2])(const ConvTile& tile) = {};
  int lane_rows = 0;
  void (*lane_tile[2])(const ConvTile& tile) = {};  // a vector of lhs meets a vector of weights, lane by lane
  void (*copy)(const ConvCopy& copy) = nullptr;
  void (*copy_pairs)(const ConvCopy& copy) = nullptr;
  void (*store)(const ConvStore& store) = nullptr;
  void (*channels)(const ConvChannels& channels) = nullptr;
};

const ConvKernels& conv_kernels_scalar();
const ConvKernels& conv_kernels_avx2();
const ConvKernels& conv_kernels_avx512();
const ConvKernels& conv_kernels_avx512_bf16();
const ConvKernels& conv_kernels_f64_scalar();
const ConvKernels& conv_kernels_f64_avx2();
const ConvKernels& conv_kernels_f64_avx512();
const ConvKernels& conv_kernels(Isa isa, DType dtype);

}  // namespace hearth
