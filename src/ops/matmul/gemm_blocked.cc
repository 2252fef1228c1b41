// SPDX-License-Identifier: Apache-2.0
// The driver for large products. C is cut into macro blocks whose packed operands fit the last-level cache; per macro
// block and stage of k all threads pack the panels of A and B once, meet, then compute disjoint tasks (blocks of tiles
// of C). Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication". Differs: both
// operands are packed by all threads before any computes, so that many cores share both, and a stage may hold k steps
// of both terms.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

// Each further stage passes over C again. Measured: Zen 5, gemm_bench 2048^3 f32, one thread: 2048 bytes 214 GFLOP/s,
// 4096 218, 8192 226.
constexpr int64_t kStageBytes = 8192;       // of one row of A over one stage of k
constexpr int64_t kPackedABytes = 8 << 20;  // per macro block
constexpr int64_t kPackedBBytes = 16 << 20;
constexpr int64_t kTaskRows = 168,
                  kTaskCols = 384;  // at most; rates are flat from 56x128 on, and 16-bit C needs the sums in L2

// Some steps of k of one term.
struct Segment {
  const GemmKernel* kernel;
  PanelSource a, b;
  float scale;
  int64_t k0, k;
  int64_t padded_k() const { return round_up(k, kernel->k_step); }
  int64_t row_bytes() const { return padded_k() * kernel->element_bytes; }
  char* packed_a = nullptr;
  char* packed_b = nullptr;
};

struct Stage {
  Segment segments[2];
  int count = 0;
  int64_t row_bytes = 0;
};

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// Where the f32 sums of a macro block live while stages follow each other.
struct Sums {
  float* data = nullptr;  // element (0, 0) of the macro block; null: each task has its own
  int64_t ld = 0;
};

struct Macro {
  const GemmJob* job;
  const Stage* stage;
  Range rows, cols;
  bool first = true, last = true;  // stage
  Sums sums = {};
  bool b_in_tasks = false;  // each panel of B belongs to one task, which packs it just before use: it never leaves L2
  int64_t task_rows = 0, task_cols = 0;  // multiples of every tile size in use, but at the edge
};

const GemmKernel& kernel_for(const GemmKernels& kernels, const GemmTerm& term) {
  const bool pairs = term.a.dtype == DType::bf16 && term.b.dtype == DType::bf16 && kernels.bf16.tile;
  return pairs ? kernels.bf16 : kernels.f32;
}

// Cuts the terms into stages; the second term joins the last stage of the first when it is short.
std::vector<Stage> make_stages(const GemmJob& job) {
  const GemmCall& call = job.call;
  std::vector<Stage> stages;
  for (int t = 0; t < call.term_count; ++t) {
    const GemmTerm& term = call.terms[t];
    const GemmKernel& kernel = kernel_for(*job.kernels, term);
    const int64_t pieces = ceil_div(term.k * kernel.element_bytes, kStageBytes);
    const int64_t piece_k = round_up(ceil_div(term.k, pieces), 64);
    for (int64_t k0 = 0; k0 < term.k; k0 += piece_k) {
      const Segment segment{&kernel, rows_of_a(term, call.m),       columns_of_b(term, call.n), term.scale,
                            k0,      std::min(piece_k, term.k - k0)};
      const bool joins = t == 1 && k0 == 0 && stages.back().row_bytes + segment.row_bytes() <= 2 * kStageBytes;
      if (!joins) stages.emplace_back();
      Stage& stage = stages.back();
      stage.row_bytes += segment.row_bytes();
      stage.segments[stage.count++] = segment;
    }
  }
  return stages;
}

// A panel of an operand neither of whose strides is 1: its elements are gathered first.
PanelSource gathered(const PanelSource& s) {
  if (s.stride_i == 1 || s.stride_k == 1) return s;
  const int64_t bytes = size_bytes(s.dtype);
  char* to = gemm_scratch().strided.at_least(s.count * s.k * bytes);
  for (int64_t i = 0; i < s.count; ++i) {
    for (int64_t k = 0; k < s.k; ++k) std::memcpy(to + (i * s.k + k) * bytes, element_of(s, i, k), bytes);
  }
  return {to, s.dtype, s.k, 1, s.count, s.k};
}

PanelSource panel_of(const PanelSource& whole, int64_t i, int64_t count, int64_t k0, int64_t k) {
  return gathered({element_of(whole, i, k0), whole.dtype, whole.stride_i, whole.stride_k, count, k});
}

// Packs all panels of one side of a segment that `range` covers; panels_per_task of them per task.
struct PackSide {
  const Segment* segment;
  bool is_a;
  Range range;
  int width() const { return is_a ? segment->kernel->mr : segment->kernel->nr; }
  int64_t panels() const { return ceil_div(range.size(), width()); }
  void pack(int64_t panel) const {
    const GemmKernel& kernel = *segment->kernel;
    const int64_t i = range.begin + panel * width(), count = std::min<int64_t>(width(), range.end - i);
    const PanelSource source = panel_of(is_a ? segment->a : segment->b, i, count, segment->k0, segment->k);
    char* to = (is_a ? segment->packed_a : segment->packed_b) + panel * width() * segment->row_bytes();
    (is_a ? kernel.pack_a : kernel.pack_b)(source, to);
  }
};

// One panel packed by the task that uses it, in that thread's memory. The panel starts at column `col` of B.
char* pack_own_panel(const Segment& segment, int64_t col, int64_t cols) {
  char* to = gemm_scratch().own_panel.at_least(segment.kernel->nr * segment.row_bytes());
  segment.kernel->pack_b(panel_of(segment.b, col, cols, segment.k0, segment.k), to);
  return to;
}

constexpr int64_t kPanelsPerTask = 4;

void pack(const Macro& macro, bool pack_a, bool pack_b) {
  PackSide sides[4];
  int count = 0;
  int64_t tasks = 0;
  for (int s = 0; s < macro.stage->count; ++s) {
    const Segment* segment = &macro.stage->segments[s];
    if (pack_a) sides[count++] = {segment, true, macro.rows};
    if (pack_b) sides[count++] = {segment, false, macro.cols};
  }
  for (int s = 0; s < count; ++s) tasks += ceil_div(sides[s].panels(), kPanelsPerTask);
  gemm_for(tasks, macro.job->threads, [&](int64_t task) {
    int side = 0;
    for (int64_t n; task >= (n = ceil_div(sides[side].panels(), kPanelsPerTask)); ++side) task -= n;
    const int64_t end = std::min((task + 1) * kPanelsPerTask, sides[side].panels());
    for (int64_t panel = task * kPanelsPerTask; panel < end; ++panel) sides[side].pack(panel);
  });
}

// All tiles of one task over one segment. An A block stays in L2 while the panels of B pass; k is cut again only for
// kernels that outrun L2, since each pass over C costs more than panels that overflow L1.
void run_tiles(const Macro& macro, const Segment& segment, Range rows, Range cols, const Tile& whole) {
  const GemmKernel& kernel = *segment.kernel;
  const int64_t row_bytes = segment.row_bytes(), depth = kernel.k_block ? kernel.k_block : segment.k;
  Tile tile = whole;
  tile.alpha = segment.scale;
  if (kernel.begin) kernel.begin();
  for (int64_t j = cols.begin; j < cols.end; j += kernel.nr) {
    tile.cols = std::min<int64_t>(kernel.nr, cols.end - j);
    const char* b =
        macro.b_in_tasks ? pack_own_panel(segment, macro.cols.begin + j, tile.cols) : segment.packed_b + j * row_bytes;
    for (int64_t k0 = 0; k0 < segment.k; k0 += depth) {
      tile.k = std::min(depth, segment.k - k0);
      tile.b = b + k0 * kernel.nr * kernel.element_bytes;
      for (int64_t i = rows.begin; i < rows.end; i += kernel.mr) {
        tile.rows = std::min<int64_t>(kernel.mr, rows.end - i);
        tile.a = segment.packed_a + i * row_bytes + k0 * kernel.mr * kernel.element_bytes;
        const int64_t row = i - rows.begin, col = j - cols.begin;
        tile.out = whole.out + row * whole.ld_out + col;
        if (k0 == 0)
          tile.init = whole.init ? whole.init + row * whole.ld_init + col : nullptr;
        else
          tile.init = tile.out;
        tile.ld_init = k0 == 0 ? whole.ld_init : whole.ld_out;
        if (whole.final_out && k0 + depth >= segment.k)
          tile.final_out = static_cast<char*>(whole.final_out) + (row * whole.ld_final + col) * 2;
        else
          tile.final_out = nullptr;
        kernel.tile(tile);
      }
    }
  }
  if (kernel.end) kernel.end();
}

// One task: rows and cols count from the macro block's corner.
void compute(const Macro& macro, Range rows, Range cols) {
  const GemmCall& call = macro.job->call;
  const GemmKernels& kernels = *macro.job->kernels;
  Tile tile;
  tile.ld_out = macro.sums.data ? macro.sums.ld : cols.size();
  tile.out = macro.sums.data ? macro.sums.data + rows.begin * macro.sums.ld + cols.begin
                             : reinterpret_cast<float*>(gemm_scratch().block.at_least(rows.size() * cols.size() * 4));
  const int64_t row = macro.rows.begin + rows.begin, col = macro.cols.begin + cols.begin;
  if (!macro.first) {
    tile.init = tile.out;
    tile.ld_init = tile.ld_out;
  } else if (call.addend && call.addend_dtype == DType::f32) {
    tile.init = static_cast<const float*>(call.addend) + row * call.ld_addend + col;
    tile.ld_init = call.ld_addend;
  } else if (call.addend) {
    for (int64_t i = 0; i < rows.size(); ++i) {
      const char* from =
          static_cast<const char*>(call.addend) + ((row + i) * call.ld_addend + col) * size_bytes(call.addend_dtype);
      kernels.widen(from, call.addend_dtype, cols.size(), tile.out + i * tile.ld_out);
    }
    tile.init = tile.out;
    tile.ld_init = tile.ld_out;
  }
  for (int s = 0; s < macro.stage->count; ++s) {
    if (s + 1 == macro.stage->count && macro.last && call.c_dtype != DType::f32) {
      tile.final_out = static_cast<char*>(call.c) + (row * call.ldc + col) * 2;
      tile.final_dtype = call.c_dtype;
      tile.ld_final = call.ldc;
    }
    run_tiles(macro, macro.stage->segments[s], rows, cols, tile);
    tile.init = tile.out;
    tile.ld_init = tile.ld_out;
  }
}

void compute_all(const Macro& macro) {
  const int64_t row_tasks = ceil_div(macro.rows.size(), macro.task_rows);
  const int64_t col_tasks = ceil_div(macro.cols.size(), macro.task_cols);
  gemm_for(row_tasks * col_tasks, macro.job->threads, [&](int64_t task) {
    const int64_t i = task % row_tasks * macro.task_rows, j = task / row_tasks * macro.task_cols;
    compute(macro, {i, std::min(i + macro.task_rows, macro.rows.size())},
            {j, std::min(j + macro.task_cols, macro.cols.size())});
  });
}

// Chooses the task size: the grid of tasks with the least estimated time per thread, counted in tile-rows of work.
void choose_tasks(Macro& macro, int64_t tile_rows, int64_t tile_cols) {
  const int threads = macro.job->threads;
  const int64_t row_tiles = ceil_div(macro.rows.size(), tile_rows), col_tiles = ceil_div(macro.cols.size(), tile_cols);
  const int64_t most_rows = std::max<int64_t>(1, kTaskRows / tile_rows);
  const int64_t most_cols = std::max<int64_t>(1, kTaskCols / tile_cols);
  const int64_t least_i = ceil_div(row_tiles, most_rows), least_j = ceil_div(col_tiles, most_cols);
  double best = 0;
  for (int64_t i = least_i; i <= row_tiles && i <= least_i + 2 * threads; ++i) {
    for (int64_t j = least_j; j <= col_tiles && j <= least_j + 2 * threads; ++j) {
      const int64_t rows = ceil_div(row_tiles, i) * tile_rows, cols = ceil_div(col_tiles, j) * tile_cols;
      const int64_t tasks = ceil_div(row_tiles, rows / tile_rows) * ceil_div(col_tiles, cols / tile_cols);
      // Bringing a row or column into L2 costs about as much as eight elements of C; an uneven end costs a part of a
      // task.
      const double task = static_cast<double>(rows * cols + 8 * (rows + cols));
      const double time = task * (static_cast<double>(ceil_div(tasks, threads)) + (threads > 1 ? 0.1 : 0));
      if (best == 0 || time < best) {
        best = time;
        macro.task_rows = rows;
        macro.task_cols = cols;
      }
    }
  }
}

// Splits `size` into the fewest equal parts of at most `most`, in multiples of `step`.
int64_t part_size(int64_t size, int64_t most, int64_t step) {
  most = std::max(step, most / step * step);
  return std::min(size, round_up(ceil_div(size, ceil_div(size, most)), step));
}

// Tasks begin where panels of every kernel in use begin.
int64_t common_step(const std::vector<Stage>& stages, int GemmKernel::*size) {
  int64_t step = 1;
  for (const Stage& stage : stages) {
    for (int s = 0; s < stage.count; ++s) step = std::lcm(step, stage.segments[s].kernel->*size);
  }
  return step;
}

void place_panels(Stage& stage, int64_t rows, int64_t cols) {  // cols 0: tasks pack their own
  int64_t a_bytes = 0, b_bytes = 0;
  for (int s = 0; s < stage.count; ++s) {
    const Segment& segment = stage.segments[s];
    a_bytes += round_up(round_up(rows, segment.kernel->mr) * segment.row_bytes(), 64);
    b_bytes += round_up(round_up(cols, segment.kernel->nr) * segment.row_bytes(), 64);
  }
  char* a = gemm_scratch().a.at_least(a_bytes);
  char* b = gemm_scratch().b.at_least(b_bytes);
  for (int s = 0; s < stage.count; ++s) {
    Segment& segment = stage.segments[s];
    segment.packed_a = a;
    segment.packed_b = b;
    a += round_up(round_up(rows, segment.kernel->mr) * segment.row_bytes(), 64);
    b += round_up(round_up(cols, segment.kernel->nr) * segment.row_bytes(), 64);
  }
}

}  // namespace

void gemm_blocked(const GemmJob& job) {
  const GemmCall& call = job.call;
  std::vector<Stage> stages = make_stages(job);
  int64_t row_bytes = 0;
  for (const Stage& stage : stages) row_bytes = std::max(row_bytes, stage.row_bytes);
  const int64_t step_m = common_step(stages, &GemmKernel::mr), step_n = common_step(stages, &GemmKernel::nr);
  const int64_t macro_rows = part_size(call.m, kPackedABytes / row_bytes, step_m);
  const int64_t macro_cols = part_size(call.n, kPackedBBytes / row_bytes, step_n);
  const bool one_stage = stages.size() == 1, a_fits = one_stage && macro_rows >= call.m;
  for (int64_t j = 0; j < call.n; j += macro_cols) {
    for (int64_t i = 0; i < call.m; i += macro_rows) {
      Macro macro{&job, &stages[0], {i, std::min(i + macro_rows, call.m)}, {j, std::min(j + macro_cols, call.n)}};
      if (call.c_dtype == DType::f32) {
        macro.sums = {static_cast<float*>(call.c) + i * call.ldc + j, call.ldc};
      } else if (!one_stage) {
        macro.sums.ld = macro.cols.size();
        macro.sums.data = reinterpret_cast<float*>(gemm_scratch().sums.at_least(macro.rows.size() * macro.sums.ld * 4));
      }
      choose_tasks(macro, step_m, step_n);
      macro.b_in_tasks = macro.task_rows >= macro.rows.size();
      for (Stage& stage : stages) {
        place_panels(stage, macro.rows.size(), macro.b_in_tasks ? 0 : macro.cols.size());
        macro.stage = &stage;
        macro.first = &stage == &stages.front();
        macro.last = &stage == &stages.back();
        pack(macro, !a_fits || j == 0, !macro.b_in_tasks && (!one_stage || i == 0));
        compute_all(macro);
      }
    }
  }
}

}  // namespace hearth
