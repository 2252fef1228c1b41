// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the drivers of gemm share: scratch memory, views of the operands, work for one or all threads.

#include <functional>

#include "ops/matmul/gemm.h"
#include "ops/matmul/gemm_kernels.h"

namespace hearth {

// Grow-only memory of one thread, aligned to 64 bytes (large ones to 2 MiB, on huge pages where the system has them).
class GemmBuffer {
 public:
  GemmBuffer() = default;
  GemmBuffer(const GemmBuffer&) = delete;
  GemmBuffer& operator=(const GemmBuffer&) = delete;
  ~GemmBuffer();
  char* at_least(int64_t bytes);
  void release();

 private:
  char* data_ = nullptr;
  int64_t bytes_ = 0;
};

struct GemmScratch {
  // Packed A and B that all threads read, f32 sums of C; one task's sums, its rows of A, its panel of B; elements
  // gathered over odd strides.
  GemmBuffer a, b, sums, block, own_a, own_b, strided;
};
GemmScratch& gemm_scratch();  // of this thread

// An operand seen along i (rows of A, columns of B) and k. Strides of axes of size 1 are free: they become what is
// fast.
PanelSource rows_of_a(const GemmTerm& term, int64_t m);
PanelSource columns_of_b(const GemmTerm& term, int64_t n);
const char* element_of(const PanelSource& s, int64_t i, int64_t k);
// The same elements with a stride of 1, copied to scratch when neither stride is: what packing wants.
PanelSource gathered(const PanelSource& s);

// Asks for all lines of a panel, into L2, where one of its strides is 1.
void fetch_lines(const PanelSource& s);

// Calls body(index) for all indices, on the pool unless threads is 1.
void gemm_for(int64_t count, int threads, const std::function<void(int64_t index)>& body);

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// The terms whose K is not 0.
struct GemmJob {
  const GemmKernels* kernels;
  int threads;
  GemmCall call;
  const GemmKernel* wide = nullptr;  // of all terms, where they are not of f32, f16 and bf16
};

// gemm_skinny.cc, gemm_wide_skinny.cc; false: not their kind of shape, nothing done.
bool gemm_skinny(const GemmJob& job);
bool gemm_wide_skinny(const GemmJob& job);  // where job.wide is set

}  // namespace hearth
