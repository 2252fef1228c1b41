// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a product is cut into tasks, and which of them pack their operands themselves.

#include "ops/matmul/gemm_stages.h"

namespace hearth {

// How a macro block is cut.
struct Cut {
  int64_t task_rows = 0, task_cols = 0;  // multiples of every tile size in use, but at the edge
  int64_t step_m = 1, step_n = 1;        // tasks begin at multiples of these
  bool own_a = false, own_b = false;     // tasks pack their own rows of A, their own panels of B
  bool stored_a = false;                 // tasks read A where it lies; then own_a is set, too
};

// What a cut is chosen by: sizes of the product, common multiples of the tiles' sizes, most rows of a task.
struct CutSizes {
  int64_t m, n, k, step_m, step_n, most_rows;
  double threads;
  double last_turn;  // of the slowest thread, in tasks
  CutCosts costs;
  bool stored_a;           // A can be read where it lies
  bool same_sets = false;  // and its rows begin in the same sets of the cache
};

CutSizes cut_sizes(const GemmJob& job, const std::vector<Stage>& stages);

// The cheapest cut of m rows and n columns, of those that give every thread one to eight tasks.
Cut choose_cut(const CutSizes& sizes);

}  // namespace hearth
