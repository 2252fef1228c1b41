// SPDX-License-Identifier: Apache-2.0
// Entry of every CPU matrix product: picks kernels for the processor and one of two drivers. gemm_skinny.cc reads large
// operands once where they lie (few rows or columns); gemm_blocked.cc packs panels and reuses them.
#include "ops/matmul/gemm.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "base/threads.h"
#include "ops/matmul/gemm_driver.h"

namespace hearth {

GemmBuffer::~GemmBuffer() { release(); }

void GemmBuffer::release() {
  std::free(data_);
  data_ = nullptr;
  bytes_ = 0;
}

char* GemmBuffer::at_least(int64_t bytes) {
  if (bytes <= bytes_) return data_;
  constexpr int64_t huge_page = 2 << 20;
  release();
  const int64_t alignment = bytes >= huge_page ? huge_page : 64, size = round_up(bytes + 64, alignment);
  data_ = static_cast<char*>(std::aligned_alloc(alignment, size));
  if (!data_) throw std::bad_alloc();
  bytes_ = size;
#if defined(__linux__)
  if (alignment == huge_page) madvise(data_, size, MADV_HUGEPAGE);  // a hint; small pages only cost time
#endif
  return data_;
}

GemmScratch& gemm_scratch() {
  static thread_local GemmScratch scratch;
  return scratch;
}

void gemm_release_scratch() {
  GemmScratch& s = gemm_scratch();
  for (GemmBuffer* buffer : {&s.a, &s.b, &s.sums, &s.block, &s.own_panel, &s.strided}) buffer->release();
}

static PanelSource make_source(const MatrixRef& ref, int64_t stride_i, int64_t stride_k, int64_t count, int64_t k) {
  PanelSource s{ref.data, ref.dtype, stride_i, stride_k, count, k};
  if (k == 1 && s.stride_i != 1) s.stride_k = 1;
  if (count == 1 && s.stride_k != 1) s.stride_i = 1;
  return s;
}

PanelSource rows_of_a(const GemmTerm& term, int64_t m) {
  return make_source(term.a, term.a.row_stride, term.a.col_stride, m, term.k);
}

PanelSource columns_of_b(const GemmTerm& term, int64_t n) {
  return make_source(term.b, term.b.col_stride, term.b.row_stride, n, term.k);
}

const char* element_of(const PanelSource& s, int64_t i, int64_t k) {
  return static_cast<const char*>(s.data) + (i * s.stride_i + k * s.stride_k) * size_bytes(s.dtype);
}

void gemm_for(int64_t count, int threads, const std::function<void(int64_t index)>& body) {
  if (threads > 1) return parallel_for(count, [&](int64_t index, int) { body(index); });
  for (int64_t i = 0; i < count; ++i) body(i);
}

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

// C = addend, or 0: what an empty sum leaves.
static void fill(const GemmJob& job) {
  const GemmCall& call = job.call;
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

// Multiply-adds below which waking the pool costs more than it saves.
static constexpr int64_t kOneThreadWork = 1 << 20;

static void run(const GemmKernels& kernels, const GemmCall& call, int threads) {
  if (call.m <= 0 || call.n <= 0) return;
  GemmJob job{&kernels, threads, call};
  job.call.term_count = 0;
  for (int i = 0; i < call.term_count; ++i) {
    if (call.terms[i].k > 0) job.call.terms[job.call.term_count++] = call.terms[i];
  }
  if (job.call.term_count == 0) return fill(job);
  int64_t k = 0;
  for (int i = 0; i < job.call.term_count; ++i) k += job.call.terms[i].k;
  if (call.m * call.n * k <= kOneThreadWork) job.threads = 1;
  if (!gemm_skinny(job)) gemm_blocked(job);
}

void gemm(const GemmCall& call) { run(gemm_kernels(isa()), call, num_threads()); }

void gemm_on_this_thread(const GemmCall& call) { run(gemm_kernels(isa()), call, 1); }

void gemm_with(Isa isa, const GemmCall& call) { run(gemm_kernels(isa), call, num_threads()); }

}  // namespace hearth
