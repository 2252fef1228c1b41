// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/gemm_cut.h"

#include <algorithm>

namespace hearth {

constexpr int64_t kOwnABytes = 512 << 10;  // of a task's rows, over one block of k: stays in L2
constexpr int64_t kTaskSums = 192 << 10;   // elements of C in a task
constexpr int64_t kLeastTaskRows = 168;    // that a task may have whatever they take
// Costs in multiply-adds. Measured: 16 cores of Sapphire Rapids with AMX, bf16, seven shapes of Llama layers: 4220
// GFLOP/s when tasks pack both operands, 3660 when they share one, 2800 when they share both.
constexpr double kRead = 24, kPack = 16;   // of bringing an element near and of packing it
constexpr double kRemote = 40, kNear = 4;  // of one that another core wrote, on top; a few may share a cache
constexpr double kMeet = 50000;            // of a meeting of the threads, for each of them

CutSizes cut_sizes(const GemmJob& job, const std::vector<Stage>& stages) {
  CutSizes s{
      job.call.m,     job.call.n,         0, common_step(stages, &GemmKernel::mr), common_step(stages, &GemmKernel::nr),
      kLeastTaskRows, double(job.threads)};
  int64_t block_bytes = 1;  // of a row of A over one block of k
  for (const Stage& stage : stages) {
    for (int i = 0; i < stage.count; ++i) {
      const Segment& segment = stage.segments[i];
      const int64_t depth = segment.kernel->k_block ? std::min(segment.kernel->k_block, segment.k) : segment.k;
      block_bytes = std::max(block_bytes, depth * segment.kernel->element_bytes);
      s.k += segment.k;
    }
  }
  s.most_rows = std::max(s.most_rows, kOwnABytes / block_bytes);
  return s;
}

// Estimated time of a thread, in multiply-adds per step of k.
static double cost(const CutSizes& s, const Cut& cut) {
  const double rows = double(cut.task_rows), cols = double(cut.task_cols);
  const double tasks = double(ceil_div(s.m, cut.task_rows) * ceil_div(s.n, cut.task_cols));
  const double own = kRead + kPack, shared = kRead + kRemote * std::max(0.0, 1 - kNear / s.threads);
  const double task = rows * cols + rows * (cut.own_a ? own : shared) + cols * (cut.own_b ? own : shared);
  const double turns = double(int64_t((tasks + s.threads - 1) / s.threads)) + (s.threads > 1 ? 0.1 : 0);
  const double packed = (cut.own_a ? 0 : double(s.m)) + (cut.own_b ? 0 : double(s.n));
  const double meet = packed > 0 && s.threads > 1 ? kMeet * s.threads / double(s.k) : 0;
  return task * turns + packed * (kRead + 2 * kPack) / s.threads + meet;
}

Cut choose_cut(const CutSizes& s) {
  const int64_t row_tiles = ceil_div(s.m, s.step_m), col_tiles = ceil_div(s.n, s.step_n), threads = int64_t(s.threads);
  const int64_t least_i = ceil_div(s.m, std::max(s.step_m, s.most_rows / s.step_m * s.step_m));
  Cut best;
  double best_cost = 0;
  int64_t tried_rows = 0;
  for (int64_t i = least_i; i <= row_tiles && i <= least_i + 2 * threads; ++i) {
    const int64_t rows = ceil_div(row_tiles, i) * s.step_m;
    if (rows == tried_rows) continue;
    tried_rows = rows;
    const int64_t most_cols = std::max<int64_t>(1, kTaskSums / rows / s.step_n),
                  least_j = ceil_div(col_tiles, most_cols);
    for (int64_t turn = 0; turn <= 4; ++turn) {
      const int64_t j = std::clamp(turn * threads / i, least_j, std::max(least_j, col_tiles));
      Cut cut{rows, ceil_div(col_tiles, j) * s.step_n, false, false};
      for (int own = 0; own < 4; ++own) {
        cut.own_a = own & 1;
        cut.own_b = own & 2;
        const double c = cost(s, cut);
        if (best_cost != 0 && c >= best_cost) continue;
        best_cost = c;
        best = cut;
      }
    }
  }
  return best;
}

}  // namespace hearth
