// SPDX-License-Identifier: Apache-2.0
#pragma once
// The k steps of a product, cut into stages, and the packing of their operands.

#include <vector>

#include "ops/matmul/gemm_driver.h"

namespace hearth {

// Some steps of k of one term.
struct Segment {
  const GemmKernel* kernel;
  PanelSource a, b;
  float scale;
  int64_t k0, k;
  int64_t row_bytes() const { return round_up(k, kernel->k_step) * kernel->element_bytes; }  // of a packed row
  bool can_read_stored_a() const {                                                           // no packing of A needed
    return kernel->stored_tile && a.stride_k == 1 && size_bytes(a.dtype) == kernel->element_bytes &&
           k % kernel->k_step == 0;
  }
  char* packed_a = nullptr;  // panels of a macro block's rows and columns, for all threads
  char* packed_b = nullptr;
};

// Steps of k that are packed together, of one term or of both.
struct Stage {
  Segment segments[2];
  int count = 0;
  int64_t row_bytes = 0;
};

std::vector<Stage> make_stages(const GemmJob& job);

// Panels of every kernel in use begin at multiples of it; size is &GemmKernel::mr or nr.
int64_t common_step(const std::vector<Stage>& stages, int GemmKernel::*size);

// Packs the steps [k0, k0 + k) of a segment: rows of A, or the panel of B that begins at column col, as far as `end`.
void pack_rows_of_a(const Segment& segment, Range rows, int64_t k0, int64_t k, char* to);
void pack_panel_of_b(const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k, char* to);

// Asks for what pack_panel_of_b will read, so that it comes while others are multiplied.
void fetch_panel_of_b(const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k);

// Packs a stage's rows of A, columns of B, or both, for all threads, by all threads. An empty range: not this side.
void pack_stage(Stage& stage, Range rows, Range cols, int threads);

}  // namespace hearth
