// SPDX-License-Identifier: Apache-2.0
// Products of f64 and wide integers with few rows or few columns: bound by memory, so the large operand is read once,
// where it lies. Each sum runs over k in one order, whatever the threads.
#include <algorithm>
#include <cstring>

#include "ops/matmul/gemm_driver.h"

namespace hearth {
namespace {

constexpr int64_t kChunkBytes = 256 << 10;  // of the large operand, least of a task
constexpr int64_t kSumsBytes = 16 << 10;    // of the sums of a vector in a task: they stay in L1

// x[s, k] with k contiguous.
char* gathered_rows(const PanelSource& s, int64_t bytes) {
  char* to = gemm_scratch().a.at_least(s.count * s.k * bytes);
  for (int64_t i = 0; i < s.count; ++i) {
    if (s.stride_k == 1) {
      std::memcpy(to + i * s.k * bytes, element_of(s, i, 0), size_t(s.k * bytes));
      continue;
    }
    for (int64_t k = 0; k < s.k; ++k) std::memcpy(to + (i * s.k + k) * bytes, element_of(s, i, k), size_t(bytes));
  }
  return to;
}

}  // namespace

bool gemm_wide_skinny(const GemmJob& job) {
  const GemmCall& call = job.call;
  const GemmKernel& kernel = *job.wide;
  const int64_t bytes = size_bytes(call.c_dtype);
  const bool swapped = call.n < call.m;
  if (std::min(call.m, call.n) > kMostWideRows || !kernel.dot_rows || kernel.element_bytes != bytes) return false;
  const PanelSource a = rows_of_a(call.terms[0], call.m), b = columns_of_b(call.terms[0], call.n);
  const PanelSource &small = swapped ? b : a, &large = swapped ? a : b;
  const bool along_k = large.stride_k == 1;
  if (!along_k && large.stride_i != 1) return false;
  const char* x = gathered_rows(small, bytes);
  const int64_t least = std::max<int64_t>(64, kChunkBytes / (large.k * bytes)),
                even = ceil_div(large.count, 4 * job.threads),
                chunk = std::min(round_up(std::max(least, even), 64), along_k ? large.count : kSumsBytes / bytes);
  gemm_for(ceil_div(large.count, chunk), job.threads, [&](int64_t task) {
    const int64_t first = task * chunk;
    WideRows rows{.w = element_of(large, first, 0),
                  .w_stride = along_k ? large.stride_i : large.stride_k,
                  .x = x,
                  .x_stride = large.k,
                  .ld_out = chunk,
                  .m = small.count,
                  .rows = std::min(chunk, large.count - first),
                  .k = large.k};
    char* sums = gemm_scratch().block.at_least(small.count * chunk * bytes);
    rows.out = sums;
    (along_k ? kernel.dot_rows : kernel.sum_rows)(rows);
    for (int64_t s = 0; s < small.count; ++s) {
      if (!swapped) {
        std::memcpy(static_cast<char*>(call.c) + (s * call.ldc + first) * bytes, sums + s * chunk * bytes,
                    size_t(rows.rows * bytes));
        continue;
      }
      for (int64_t r = 0; r < rows.rows; ++r)
        std::memcpy(static_cast<char*>(call.c) + ((first + r) * call.ldc + s) * bytes, sums + (s * chunk + r) * bytes,
                    size_t(bytes));
    }
  });
  return true;
}

}  // namespace hearth
