// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/gemm_stages.h"

#include <algorithm>
#include <numeric>

namespace hearth {
namespace {

// Each further stage passes over C again. Measured: Zen 5, gemm_bench 2048^3 f32, one thread: 2048 bytes 214 GFLOP/s,
// 4096 218, 8192 226.
constexpr int64_t kStageBytes = 8192;  // of one row of A over one stage of k
constexpr int64_t kPanelsPerTask = 4;

const GemmKernel& kernel_for(const GemmJob& job, const GemmTerm& term) {
  const GemmKernels& kernels = *job.kernels;
  if (job.wide) return *job.wide;
  const bool pairs = term.a.dtype == DType::bf16 && term.b.dtype == DType::bf16 && kernels.bf16.tile;
  return pairs ? kernels.bf16 : kernels.f32;
}

PanelSource part_of(const PanelSource& whole, int64_t i, int64_t count, int64_t k0, int64_t k) {
  return {element_of(whole, i, k0), whole.dtype, whole.stride_i, whole.stride_k, count, k};
}

// For kernels that take k in blocks: a panel is read as many short streams, which the processor does not follow by
// itself. Measured: 16 cores with AMX, weights in memory, eight pairs of runs in turn: bf16 1.08 times as fast, f32
// (whole k, panels of up to 256 KiB) 0.98, so not there.
void fetch(const GemmKernel& kernel, const PanelSource& s) {
  if (kernel.k_block) fetch_lines(s);
}

// One side of a segment: the panels that `range` covers.
struct PackSide {
  Segment* segment;
  bool is_a;
  Range range;
  int64_t width() const { return is_a ? segment->kernel->mr : segment->kernel->nr; }
  int64_t panels() const { return ceil_div(range.size(), width()); }
  int64_t tasks() const { return ceil_div(panels(), kPanelsPerTask); }
  int64_t bytes() const { return round_up(panels() * width() * segment->row_bytes(), 64); }
  void pack(int64_t task) const {
    const int64_t first = task * kPanelsPerTask, end = std::min(first + kPanelsPerTask, panels());
    for (int64_t panel = first; panel < end; ++panel) {
      const int64_t i = range.begin + panel * width();
      char* to = (is_a ? segment->packed_a : segment->packed_b) + panel * width() * segment->row_bytes();
      if (is_a) {
        pack_rows_of_a(*segment, {i, std::min(i + width(), range.end)}, 0, segment->k, to);
        continue;
      }
      fetch_panel_of_b(*segment, i, range.end, 0, segment->k);
      pack_panel_of_b(*segment, i, range.end, 0, segment->k, to);
    }
  }
};

}  // namespace

// The second term joins the last stage of the first when it is short.
std::vector<Stage> make_stages(const GemmJob& job) {
  const GemmCall& call = job.call;
  std::vector<Stage> stages;
  for (int t = 0; t < call.term_count; ++t) {
    const GemmTerm& term = call.terms[t];
    const GemmKernel& kernel = kernel_for(job, term);
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

int64_t common_step(const std::vector<Stage>& stages, int GemmKernel::*size) {
  int64_t step = 1;
  for (const Stage& stage : stages) {
    for (int s = 0; s < stage.count; ++s) step = std::lcm(step, stage.segments[s].kernel->*size);
  }
  return step;
}

void pack_rows_of_a(const Segment& segment, Range rows, int64_t k0, int64_t k, char* to) {
  const GemmKernel& kernel = *segment.kernel;
  const int64_t panel_bytes = kernel.mr * round_up(k, kernel.k_step) * kernel.element_bytes;
  const auto panel = [&](int64_t i) {
    return part_of(segment.a, i, std::min<int64_t>(kernel.mr, rows.end - i), segment.k0 + k0, k);
  };
  fetch(kernel, panel(rows.begin));
  for (int64_t i = rows.begin; i < rows.end; i += kernel.mr, to += panel_bytes) {
    if (i + kernel.mr < rows.end) fetch(kernel, panel(i + kernel.mr));
    kernel.pack_a(kernel.any_strides ? panel(i) : gathered(panel(i)), to);
  }
}

static PanelSource panel_of_b(const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k) {
  return part_of(segment.b, col, std::min<int64_t>(segment.kernel->nr, end - col), segment.k0 + k0, k);
}

void pack_panel_of_b(const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k, char* to) {
  const PanelSource source = panel_of_b(segment, col, end, k0, k);
  segment.kernel->pack_b(segment.kernel->any_strides ? source : gathered(source), to);
}

void fetch_panel_of_b(const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k) {
  fetch(*segment.kernel, panel_of_b(segment, col, end, k0, k));
}

void pack_stage(Stage& stage, Range rows, Range cols, int threads) {
  PackSide sides[4];
  int count = 0;
  int64_t tasks = 0, bytes[2] = {0, 0};
  for (int s = 0; s < stage.count; ++s) {
    if (rows.size() > 0) sides[count++] = {&stage.segments[s], true, rows};
    if (cols.size() > 0) sides[count++] = {&stage.segments[s], false, cols};
  }
  for (int s = 0; s < count; ++s) bytes[sides[s].is_a ? 0 : 1] += sides[s].bytes();
  char* a = gemm_scratch().a.at_least(bytes[0]);
  char* b = gemm_scratch().b.at_least(bytes[1]);
  for (int s = 0; s < count; ++s) {
    Segment& segment = *sides[s].segment;
    char*& place = sides[s].is_a ? a : b;
    (sides[s].is_a ? segment.packed_a : segment.packed_b) = place;
    place += sides[s].bytes();
    tasks += sides[s].tasks();
  }
  gemm_for(tasks, threads, [&](int64_t task) {
    int side = 0;
    for (; task >= sides[side].tasks(); ++side) task -= sides[side].tasks();
    sides[side].pack(task);
  });
}

}  // namespace hearth
