// SPDX-License-Identifier: Apache-2.0
// Kernel "expert_linear". Inputs: x, ids, weights; attribute transposed. Rows are moved together by expert (bound by
// memory, threads own runs of rows), then one matrix product on all threads for each expert that has rows, then moved
// back. Bound by the products, which read each used weight once.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/expert_linear/expert_linear_workspace.h"
#include "ops/matmul/gemm.h"

namespace hearth {
namespace {

constexpr size_t kFirstWeight = 2;

// A counting sort: places[begins[e]] .. places[begins[e + 1] - 1] are the rows of expert e, rising. Rows of no expert
// are in none.
void sort_by_expert(const int32_t* ids, int64_t rows, int64_t experts, int64_t* begins, int64_t* places) {
  std::fill(begins, begins + experts + 1, 0);
  for (int64_t i = 0; i < rows; ++i) {
    if (ids[i] >= 0 && ids[i] < experts) ++begins[ids[i]];
  }
  int64_t end = 0;
  for (int64_t e = 0; e <= experts; ++e) begins[e] = end += begins[e];
  for (int64_t i = rows; i-- > 0;) {
    if (ids[i] >= 0 && ids[i] < experts) places[--begins[ids[i]]] = i;
  }
}

void multiply(const KernelArgs& args, int64_t expert, int64_t rows, const char* x, char* y) {
  const TensorArg& w = args.in[kFirstWeight + size_t(expert)];
  const DType dtype = args.in[0].dtype();
  const int64_t K = args.in[0].dim(1), M = args.out[0].dim(1), columns = w.dim(1);
  const bool transposed = args.attrs.integer("transposed") != 0;
  GemmCall call{};
  call.m = rows;
  call.n = M;
  call.terms[0] = {{x, dtype, K, 1}, {w.data, w.dtype(), transposed ? columns : 1, transposed ? 1 : columns}, K, 1.0f};
  call.c = y;
  call.c_dtype = dtype;
  call.ldc = M;
  gemm(call);
}

void run(const KernelArgs& args) {
  const int64_t N = args.in[0].dim(0), K = args.in[0].dim(1), M = args.out[0].dim(1);
  const int64_t experts = int64_t(args.in.size() - kFirstWeight), size = size_bytes(args.in[0].dtype());
  HEARTH_CHECK(args.workspace_bytes >= expert_linear_workspace(N, K, M, args.in[0].dtype(), experts), format,
               "expert_linear: the plan gives it a workspace of ", args.workspace_bytes, " bytes, which is too small");
  auto* begins = static_cast<int64_t*>(args.workspace);
  int64_t* places = begins + experts + 1;
  const auto aligned = [](char* p) { return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(p) + 63) / 64 * 64); };
  char* x = aligned(reinterpret_cast<char*>(places + N));
  char* y = aligned(x + N * K * size);
  sort_by_expert(args.in[1].as<const int32_t>(), N, experts, begins, places);
  const int64_t sorted = begins[experts];
  constexpr int64_t kRowsOfAThread = 16;
  const auto* from = args.in[0].as<const char>();
  parallel_ranges(sorted, kRowsOfAThread, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(x + i * K * size, from + places[i] * K * size, size_t(K * size));
  });
  for (int64_t e = 0; e < experts; ++e) {
    const int64_t first = begins[e], rows = begins[e + 1] - first;
    if (rows > 0) multiply(args, e, rows, x + first * K * size, y + first * M * size);
  }
  auto* to = args.out[0].as<char>();
  if (sorted < N) std::memset(to, 0, size_t(N * M * size));
  parallel_ranges(sorted, kRowsOfAThread, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(to + places[i] * M * size, y + i * M * size, size_t(M * size));
  });
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const bool transposed = attrs.integer("transposed") != 0;
  HEARTH_CHECK(in.size() > kFirstWeight && out.size() == 1, format, "expert_linear: wrong number of tensors");
  const TensorType &x = in[0], &w = in[kFirstWeight];
  const auto fits = [](const TensorType& t) { return t.rank() == 2 && is_float(t.dtype) && t.dtype != DType::f64; };
  HEARTH_CHECK(fits(x) && fits(w) && (in[1] == TensorType{DType::i32, {x.dims[0]}}), format, "expert_linear: x ", x,
               ", ids ", in[1], " and weights ", w, " do not fit");
  for (size_t i = kFirstWeight; i < in.size(); ++i)
    HEARTH_CHECK(in[i] == w, format, "expert_linear: weights differ: ", in[i], " and ", w);
  HEARTH_CHECK(w.dims[transposed ? 0 : 1] == x.dims[1] &&
                   (out[0] == TensorType{x.dtype, {x.dims[0], w.dims[transposed ? 1 : 0]}}),
               format, "expert_linear: result ", out[0], " does not fit x ", x, " and weights ", w);
}

}  // namespace

std::vector<KernelInfo> expert_linear_kernels() { return {{"expert_linear", run, check}}; }

}  // namespace hearth
