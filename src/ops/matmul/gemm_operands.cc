// SPDX-License-Identifier: Apache-2.0
// Scratch memory of gemm and views of its operands.
#include <cstdlib>
#include <cstring>
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
  for (GemmBuffer* buffer : {&s.a, &s.b, &s.sums, &s.block, &s.own_a, &s.own_b, &s.strided}) buffer->release();
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

PanelSource gathered(const PanelSource& s) {
  if (s.stride_i == 1 || s.stride_k == 1) return s;
  const int64_t bytes = size_bytes(s.dtype);
  char* to = gemm_scratch().strided.at_least(s.count * s.k * bytes);
  for (int64_t i = 0; i < s.count; ++i) {
    for (int64_t k = 0; k < s.k; ++k) std::memcpy(to + (i * s.k + k) * bytes, element_of(s, i, k), bytes);
  }
  return {to, s.dtype, s.k, 1, s.count, s.k};
}

void fetch_lines(const PanelSource& s) {
  const int64_t bytes = size_bytes(s.dtype);
  const bool along_k = s.stride_k == 1;
  if (!along_k && s.stride_i != 1) return;
  const int64_t streams = along_k ? s.count : s.k, length = (along_k ? s.k : s.count) * bytes;
  const char* start = static_cast<const char*>(s.data);
  for (int64_t i = 0; i < streams; ++i, start += (along_k ? s.stride_i : s.stride_k) * bytes)
    for (int64_t at = 0; at < length; at += 64) __builtin_prefetch(start + at, 0, 2);
}

void gemm_for(int64_t count, int threads, const std::function<void(int64_t index)>& body) {
  if (threads > 1) return parallel_for(count, [&](int64_t index, int) { body(index); });
  for (int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace hearth
