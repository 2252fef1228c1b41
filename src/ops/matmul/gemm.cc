// SPDX-License-Identifier: Apache-2.0
// Entry of every CPU matrix product. Few rows or columns: gemm_skinny.cc reads the large operand once, where it lies.
// All others: C is cut into macro blocks, these into tasks, disjoint blocks of tiles, which threads compute from packed
// panels. An operand that few tasks read is packed by each of them, a block of k at a time, and never leaves its core's
// L2; one that many read is packed before by all threads, for all. A is not packed at all where tiles can read it as it
// is stored and that costs less. Source: Goto and van de Geijn 2008, "Anatomy of high-performance matrix
// multiplication".
#include "ops/matmul/gemm.h"

#include <algorithm>
#include <cstring>

#include "base/threads.h"
#include "ops/matmul/gemm_cut.h"

namespace hearth {
namespace {

constexpr int64_t kPackedABytes = 8 << 20;  // that all threads read, per macro block
constexpr int64_t kPackedBBytes = 16 << 20;
constexpr int64_t kOneThreadWork = 1 << 18;  // multiply-adds below which waking the pool costs more than it saves

// Where the sums of a macro block live while stages follow each other.
struct Sums {
  char* data = nullptr;  // element (0, 0) of the macro block; null: each task has its own
  int64_t ld = 0;        // elements
  int64_t bytes = 4;     // of an element
};

struct Macro {
  const GemmJob* job;
  const Stage* stage;
  Range rows, cols;
  Cut cut;
  bool first = true, last = true;  // stage
  Sums sums = {};
};

// The panels of A of a task's rows over the steps [k0, k0 + k).
struct RowPanels {
  const char* data;
  int64_t row_bytes;
  void (*tile)(const Tile& tile);
};

RowPanels panels_of_a(const Macro& macro, const Segment& segment, Range rows, int64_t k0, int64_t k) {
  const GemmKernel& kernel = *segment.kernel;
  if (!macro.cut.own_a)
    return {segment.packed_a + rows.begin * segment.row_bytes() + k0 * kernel.mr * kernel.element_bytes,
            segment.row_bytes(), kernel.tile};
  if (macro.cut.stored_a)
    return {element_of(segment.a, macro.rows.begin + rows.begin, segment.k0 + k0),
            segment.a.stride_i * kernel.element_bytes, kernel.stored_tile};
  const int64_t row_bytes = round_up(k, kernel.k_step) * kernel.element_bytes;
  char* to = gemm_scratch().own_a.at_least(round_up(rows.size(), kernel.mr) * row_bytes);
  pack_rows_of_a(segment, {macro.rows.begin + rows.begin, macro.rows.begin + rows.end}, k0, k, to);
  return {to, row_bytes, kernel.tile};
}

// The panel of B from column col; of a task's own panels the next one, before `end`, is asked for.
const char* panel_of_b(const Macro& macro, const Segment& segment, int64_t col, int64_t end, int64_t k0, int64_t k) {
  const GemmKernel& kernel = *segment.kernel;
  if (!macro.cut.own_b) return segment.packed_b + col * segment.row_bytes() + k0 * kernel.nr * kernel.element_bytes;
  char* to = gemm_scratch().own_b.at_least(kernel.nr * round_up(k, kernel.k_step) * kernel.element_bytes);
  const int64_t first = macro.cols.begin, next = col + kernel.nr;
  pack_panel_of_b(segment, first + col, first + end, k0, k, to);
  if (next < end) fetch_panel_of_b(segment, first + next, first + end, k0, k);
  return to;
}

// All tiles of one task over one segment: a block of k at a time, so that the rows of A stay in L2 while the panels of
// B pass. rows and cols count from the macro block's corner.
void run_tiles(const Macro& macro, const Segment& segment, Range rows, Range cols, const Tile& whole) {
  const GemmKernel& kernel = *segment.kernel;
  const int64_t depth = kernel.k_block ? kernel.k_block : segment.k;
  Tile tile = whole;
  const int64_t final_bytes = size_bytes(whole.final_dtype);
  tile.alpha = segment.scale;
  if (kernel.begin) kernel.begin();
  for (int64_t k0 = 0; k0 < segment.k; k0 += depth) {
    tile.k = std::min(depth, segment.k - k0);
    const RowPanels a = panels_of_a(macro, segment, rows, k0, tile.k);
    if (macro.cut.own_b)
      fetch_panel_of_b(segment, macro.cols.begin + cols.begin, macro.cols.begin + cols.end, k0, tile.k);
    tile.a_stride = a.row_bytes;
    const bool last = whole.final_out && k0 + depth >= segment.k;
    tile.ld_init = k0 == 0 ? whole.ld_init : whole.ld_out;
    for (int64_t j = cols.begin; j < cols.end; j += kernel.nr) {
      tile.cols = std::min<int64_t>(kernel.nr, cols.end - j);
      tile.b = panel_of_b(macro, segment, j, cols.end, k0, tile.k);
      for (int64_t i = rows.begin; i < rows.end; i += kernel.mr) {
        const int64_t row = i - rows.begin, col = j - cols.begin;
        const void* init = k0 == 0 ? whole.init : whole.out;
        tile.rows = std::min<int64_t>(kernel.mr, rows.end - i);
        tile.a = a.data + row * a.row_bytes;
        tile.out = static_cast<char*>(whole.out) + (row * whole.ld_out + col) * kernel.sum_bytes;
        tile.init = init ? static_cast<const char*>(init) + (row * tile.ld_init + col) * kernel.sum_bytes : nullptr;
        tile.final_out =
            last ? static_cast<char*>(whole.final_out) + (row * whole.ld_final + col) * final_bytes : nullptr;
        a.tile(tile);
      }
    }
  }
  if (kernel.end) kernel.end();
}

// What a task's sums start from: those of the stage before, the addend, or nothing.
void start_from(const Macro& macro, int64_t row, int64_t col, Range rows, Range cols, Tile* tile) {
  const GemmCall& call = macro.job->call;
  if (macro.first && !call.addend) return;
  tile->init = tile->out;
  tile->ld_init = tile->ld_out;
  if (!macro.first) return;
  const char* addend =
      static_cast<const char*>(call.addend) + (row * call.ld_addend + col) * size_bytes(call.addend_dtype);
  if (call.addend_dtype == DType::f32) {
    tile->init = reinterpret_cast<const float*>(addend);
    tile->ld_init = call.ld_addend;
  } else {
    for (int64_t i = 0; i < rows.size(); ++i)
      macro.job->kernels->widen(addend + i * call.ld_addend * size_bytes(call.addend_dtype), call.addend_dtype,
                                cols.size(), static_cast<float*>(tile->out) + i * tile->ld_out);
  }
}

void compute_task(const Macro& macro, Range rows, Range cols) {
  const GemmCall& call = macro.job->call;
  const int64_t row = macro.rows.begin + rows.begin, col = macro.cols.begin + cols.begin;
  Tile tile;
  tile.ld_out = macro.sums.data ? macro.sums.ld : cols.size();
  tile.out = macro.sums.data ? macro.sums.data + (rows.begin * macro.sums.ld + cols.begin) * macro.sums.bytes
                             : gemm_scratch().block.at_least(rows.size() * cols.size() * macro.sums.bytes);
  start_from(macro, row, col, rows, cols, &tile);
  for (int s = 0; s < macro.stage->count; ++s) {
    if (s + 1 == macro.stage->count && macro.last && size_bytes(call.c_dtype) != macro.sums.bytes) {
      tile.final_out = static_cast<char*>(call.c) + (row * call.ldc + col) * size_bytes(call.c_dtype);
      tile.final_dtype = call.c_dtype;
      tile.ld_final = call.ldc;
    }
    run_tiles(macro, macro.stage->segments[s], rows, cols, tile);
    tile.init = tile.out;
    tile.ld_init = tile.ld_out;
  }
}

// Part i of `count`, equal to one step.
Range share(int64_t size, int64_t step, int64_t i, int64_t count) {
  const int64_t steps = ceil_div(size, step);
  return {steps * i / count * step, std::min(steps * (i + 1) / count * step, size)};
}

void compute(const Macro& macro) {
  const Cut& cut = macro.cut;
  const int64_t rows = macro.rows.size(), cols = macro.cols.size();
  const int64_t row_tasks = ceil_div(rows, cut.task_rows), col_tasks = ceil_div(cols, cut.task_cols);
  gemm_for(row_tasks * col_tasks, macro.job->threads, [&](int64_t task) {
    compute_task(macro, share(rows, cut.step_m, task % row_tasks, row_tasks),
                 share(cols, cut.step_n, task / row_tasks, col_tasks));
  });
}

// Splits `size` into the fewest equal parts of at most `most`, in multiples of `step`.
int64_t part_size(int64_t size, int64_t most, int64_t step) {
  most = std::max(step, most / step * step);
  return std::min(size, round_up(ceil_div(size, ceil_div(size, most)), step));
}

void gemm_blocked(const GemmJob& job) {
  const GemmCall& call = job.call;
  std::vector<Stage> stages = make_stages(job);
  int64_t row_bytes = 0;
  for (const Stage& stage : stages) row_bytes = std::max(row_bytes, stage.row_bytes);
  CutSizes sizes = cut_sizes(job, stages);
  Cut cut = choose_cut(sizes);
  const int64_t macro_rows = cut.own_a ? call.m : part_size(call.m, kPackedABytes / row_bytes, sizes.step_m);
  const int64_t macro_cols = cut.own_b ? call.n : part_size(call.n, kPackedBBytes / row_bytes, sizes.step_n);
  if (macro_rows < call.m || macro_cols < call.n) {
    const Cut whole = cut;
    sizes.m = macro_rows;
    sizes.n = macro_cols;
    cut = choose_cut(sizes);
    cut.own_a = whole.own_a;
    cut.own_b = whole.own_b;
    cut.stored_a = whole.stored_a;
  }
  const bool one_stage = stages.size() == 1, a_fits = one_stage && macro_rows >= call.m;
  const int64_t sum_bytes = stages[0].segments[0].kernel->sum_bytes;
  for (int64_t j = 0; j < call.n; j += macro_cols) {
    for (int64_t i = 0; i < call.m; i += macro_rows) {
      Macro macro{&job, nullptr, {i, std::min(i + macro_rows, call.m)}, {j, std::min(j + macro_cols, call.n)}, cut};
      macro.sums.bytes = sum_bytes;
      if (size_bytes(call.c_dtype) == sum_bytes) {
        macro.sums.data = static_cast<char*>(call.c) + (i * call.ldc + j) * sum_bytes;
        macro.sums.ld = call.ldc;
      } else if (!one_stage) {
        macro.sums.ld = macro.cols.size();
        macro.sums.data = gemm_scratch().sums.at_least(macro.rows.size() * macro.sums.ld * sum_bytes);
      }
      for (Stage& stage : stages) {
        macro.stage = &stage;
        macro.first = &stage == &stages.front();
        macro.last = &stage == &stages.back();
        const bool pack_a = !cut.own_a && (!a_fits || j == 0), pack_b = !cut.own_b && (!one_stage || i == 0);
        if (pack_a || pack_b)
          pack_stage(stage, pack_a ? macro.rows : Range{0, 0}, pack_b ? macro.cols : Range{0, 0}, job.threads);
        compute(macro);
      }
    }
  }
}

// C = addend, or 0: what an empty sum leaves.
void fill(const GemmJob& job) {
  const GemmCall& call = job.call;
  if (job.wide) {
    const int64_t bytes = size_bytes(call.c_dtype);
    for (int64_t i = 0; i < call.m; ++i)
      std::memset(static_cast<char*>(call.c) + i * call.ldc * bytes, 0, size_t(call.n * bytes));
    return;
  }
  float* row = reinterpret_cast<float*>(gemm_scratch().block.at_least(call.n * 4));
  for (int64_t i = 0; i < call.m; ++i) {
    const char* from = static_cast<const char*>(call.addend) + i * call.ld_addend * size_bytes(call.addend_dtype);
    if (call.addend)
      job.kernels->widen(from, call.addend_dtype, call.n, row);
    else
      std::fill(row, row + call.n, 0.0f);
    job.kernels->narrow(row, call.n, call.c_dtype,
                        static_cast<char*>(call.c) + i * call.ldc * size_bytes(call.c_dtype));
  }
}

// The kernel for all terms of a dtype; null: each term has its own, of f32 panels or of bf16 ones.
const GemmKernel* wide_kernel(const WideKernels& kernels, DType dtype) {
  switch (dtype) {
    case DType::f64: return &kernels.f64;
    case DType::complex64: return &kernels.complex64;
    case DType::complex128: return &kernels.complex128;
    case DType::i64:
    case DType::u64: return &kernels.i64;
    default: return is_int(dtype) ? &kernels.i32 : nullptr;
  }
}

// The product of real matrices that a complex one is (gemm_kernels.h), or the same one.
GemmCall real_call(GemmCall call) {
  if (!is_complex(call.c_dtype)) return call;
  GemmTerm& term = call.terms[0];
  call.n *= 2;
  call.ldc *= 2;
  term.k *= 2;
  term.a.row_stride *= 2;  // its columns are parts: next to each other where those of the complex one are
  call.c_dtype = term.a.dtype = term.b.dtype = real_part(call.c_dtype);
  return call;
}

void run(const GemmKernels& kernels, const GemmCall& call, int threads) {
  if (call.m <= 0 || call.n <= 0) return;
  const GemmCall real = real_call(call);
  GemmJob job{&kernels, threads, real, wide_kernel(kernels.wide(), call.c_dtype)};
  job.call.term_count = 0;
  for (int i = 0; i < call.term_count; ++i) {
    if (call.terms[i].k > 0) job.call.terms[job.call.term_count++] = real.terms[i];
  }
  if (job.call.term_count == 0) return fill(job);
  int64_t k = 0;
  for (int i = 0; i < job.call.term_count; ++i) k += job.call.terms[i].k;
  // An element that is used once or twice is waited for, not computed with.
  if (std::max(real.m, int64_t{8}) * std::max(real.n, int64_t{8}) * k <= kOneThreadWork) job.threads = 1;
  if (!(job.wide ? gemm_wide_skinny(job) : gemm_skinny(job))) gemm_blocked(job);
}

}  // namespace

const GemmKernels& gemm_kernels(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::avx2: return gemm_kernels_avx2();
    case Isa::avx512: return gemm_kernels_avx512();
    case Isa::avx512_bf16: return gemm_kernels_avx512_bf16();
    case Isa::amx: return gemm_kernels_amx();
    case Isa::scalar: break;
  }
#else
  (void)isa;
#endif
  return gemm_kernels_scalar();
}

void gemm(const GemmCall& call) { run(gemm_kernels(isa()), call, num_threads()); }

void gemm_on_this_thread(const GemmCall& call) { run(gemm_kernels(isa()), call, 1); }

void gemm_with(Isa isa, const GemmCall& call) { run(gemm_kernels(isa), call, num_threads()); }

}  // namespace hearth
