// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/gemm_cut.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"

namespace hearth {

constexpr int64_t kOwnABytes = 512 << 10;  // of a task's rows, over one block of k: stays in L2
constexpr int64_t kTaskSums = 192 << 10;   // elements of C in a task
constexpr int64_t kLeastTaskRows = 168;    // that a task may have whatever they take
constexpr double kNear = 4;                // threads that may share a cache
// Rows of A read where they lie slow a tile down, more so where they fall into the same sets of the cache. Measured:
// Zen 5, tiles of 14x32, f32: 250 GFLOP/s from panels, 245 from rows, 230 from rows 8192 bytes apart.
constexpr double kStored = 1.02, kStoredSameSets = 1.15;

CutSizes cut_sizes(const GemmJob& job, const std::vector<Stage>& stages) {
  CutSizes s{job.call.m,
             job.call.n,
             0,
             common_step(stages, &GemmKernel::mr),
             common_step(stages, &GemmKernel::nr),
             kLeastTaskRows,
             double(job.threads),
             last_turn(job.threads),
             stages.front().segments[0].kernel->costs,
             true};
  int64_t block_bytes = 1;  // of a row of A over one block of k
  for (const Stage& stage : stages) {
    for (int i = 0; i < stage.count; ++i) {
      const Segment& segment = stage.segments[i];
      const int64_t depth = segment.kernel->k_block ? std::min(segment.kernel->k_block, segment.k) : segment.k;
      block_bytes = std::max(block_bytes, depth * segment.kernel->element_bytes);
      s.k += segment.k;
      s.stored_a &= segment.can_read_stored_a();
      s.same_sets |= segment.a.stride_i * size_bytes(segment.a.dtype) % 4096 == 0;
    }
  }
  s.most_rows = std::max(s.most_rows, kOwnABytes / block_bytes);
  return s;
}

// Estimated time in multiply-adds per step of k: that of all tasks, and what sharing panels costs before.
static double cost(const CutSizes& s, const Cut& cut) {
  const CutCosts& costs = s.costs;
  const int64_t row_tasks = ceil_div(s.m, cut.task_rows), col_tasks = ceil_div(s.n, cut.task_cols);
  const double tasks = double(row_tasks * col_tasks), turns = std::ceil(tasks / s.threads);
  const double rows = double(s.m) / double(row_tasks), cols = double(s.n) / double(col_tasks);  // of most tasks
  const double near = !cut.stored_a ? 1 : s.same_sets ? kStoredSameSets : kStored;
  const double task = near * double(cut.task_rows) * double(cut.task_cols) +
                      rows * (cut.own_a && !cut.stored_a ? costs.pack : costs.read) +
                      cols * (cut.own_b ? costs.pack : costs.read);
  const double time = task * std::max(turns, tasks / s.threads + s.last_turn);

  const double shared = (cut.own_a ? 0 : double(s.m)) + (cut.own_b ? 0 : double(s.n));
  if (shared == 0) return time;
  const double remote = costs.remote * std::max(0.0, 1 - kNear / s.threads);
  return time + shared * ((2 * costs.pack - costs.read) / s.threads + remote) +
         costs.meet * (s.threads - 1) / double(s.k);
}

Cut choose_cut(const CutSizes& s) {
  if (s.threads == 1 && s.m <= s.most_rows && s.m * s.n <= kTaskSums)
    return {round_up(s.m, s.step_m),
            round_up(s.n, s.step_n),
            s.step_m,
            s.step_n,
            true,
            true,
            s.stored_a && !(s.same_sets && s.n > 512)};  // one task
  const int64_t row_tiles = ceil_div(s.m, s.step_m), col_tiles = ceil_div(s.n, s.step_n), threads = int64_t(s.threads);
  const int64_t least_i = ceil_div(s.m, std::max(s.step_m, s.most_rows / s.step_m * s.step_m));
  Cut best;
  double best_cost = 0;
  for (const int64_t turns : {1, 2, 3, 4, 6, 8}) {
    const int64_t tasks = turns * threads;
    for (int64_t j = 1; j <= std::min(tasks, col_tiles); j += (j & (j - 1)) ? j / 3 : std::max<int64_t>(1, j / 2)) {
      const int64_t i = std::clamp(ceil_div(tasks, j), least_i, std::max(least_i, row_tiles));
      const int64_t rows = ceil_div(row_tiles, i) * s.step_m;
      const int64_t most_cols = std::max<int64_t>(1, kTaskSums / rows / s.step_n);
      const int64_t parts = std::clamp(j, ceil_div(col_tiles, most_cols), col_tiles);
      Cut cut{rows, ceil_div(col_tiles, parts) * s.step_n, s.step_m, s.step_n, false, false, false};
      for (int own = 0; own < (s.stored_a ? 6 : 4); ++own) {
        cut.own_b = own & 1;
        cut.own_a = own & 6;
        cut.stored_a = own & 4;
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
