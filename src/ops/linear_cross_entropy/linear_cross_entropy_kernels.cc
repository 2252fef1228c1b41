// SPDX-License-Identifier: Apache-2.0
// Kernels "linear_cross_entropy" and "linear_cross_entropy_grad": per chunk of rows a matmul into the workspace, the
// rows' losses (one thread a row), and for the gradient a second matmul. Bound by the matmuls.
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/linear_cross_entropy/cross_entropy_rows.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/matmul/gemm.h"

namespace hearth {

CrossEntropyRow cross_entropy_row(Isa isa) {
  if (isa >= Isa::avx512) return cross_entropy_row_avx512;
  return isa >= Isa::avx2 ? cross_entropy_row_avx2 : cross_entropy_row_scalar;
}

namespace {

void gemm_one(MatrixRef a, MatrixRef b, int64_t m, int64_t n, int64_t k, void* c, DType c_dtype) {
  GemmCall call{};
  call.m = m;
  call.n = n;
  call.terms[0] = {a, b, k, 1.0f};
  call.term_count = 1;
  call.c = c;
  call.c_dtype = c_dtype;
  call.ldc = n;
  gemm(call);
}

// Loss of one row, and its derivative in place (and, for 16-bit matmuls, rounded into dz16).
double row(CrossEntropyRow compute, float* z, int64_t V, int32_t label, bool grad, DType dtype, uint16_t* dz16) {
  const bool counts = label >= 0 && label < V;
  double loss = 0;
  if (counts)
    loss = compute(z, V, label, grad ? z : nullptr);
  else if (grad)
    std::memset(z, 0, size_t(V) * sizeof(float));
  if (grad && dz16) {
    for (int64_t i = 0; i < V; ++i) dz16[i] = dtype == DType::bf16 ? bf16(z[i]).bits : f32_to_f16(z[i]);
  }
  return loss;
}

void run(const KernelArgs& args, bool grad) {
  const TensorArg &x = args.in[0], &w = args.in[1];
  const int64_t N = x.dim(0), C = x.dim(1), V = w.dim(0), chunk = cross_entropy_chunk(N, V);
  const bool half = size_bytes(x.dtype()) == 2;
  auto* losses = static_cast<double*>(args.workspace);
  auto* z = reinterpret_cast<float*>(losses + (chunk + 7) / 8 * 8);
  auto* dz16 = half ? reinterpret_cast<uint16_t*>(z + chunk * V) : nullptr;
  const auto* labels = args.in[2].as<const int32_t>();
  const int64_t element = size_bytes(x.dtype());
  const CrossEntropyRow compute = cross_entropy_row(isa());
  double total = 0;
  for (int64_t start = 0; start < N; start += chunk) {
    const int64_t rows = std::min(chunk, N - start);
    gemm_one({x.as<char>() + start * C * element, x.dtype(), C, 1}, {w.data, w.dtype(), 1, C}, rows, V, C, z,
             DType::f32);
    parallel_for(rows, [&](int64_t r, int) {
      losses[r] = row(compute, z + r * V, V, labels[start + r], grad, x.dtype(), dz16 ? dz16 + r * V : nullptr);
    });
    for (int64_t r = 0; r < rows; ++r) total += losses[r];
    if (grad) {
      const MatrixRef dz = half ? MatrixRef{dz16, x.dtype(), V, 1} : MatrixRef{z, DType::f32, V, 1};
      gemm_one(dz, {w.data, w.dtype(), C, 1}, rows, C, V, args.out[1].as<char>() + start * C * element, x.dtype());
    }
  }
  *args.out[0].as<float>() = float(total);
}

void forward(const KernelArgs& args) { run(args, false); }
void backward(const KernelArgs& args) { run(args, true); }

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs&) {
  HEARTH_CHECK(in.size() == 3 && !out.empty() && out.size() <= 2, format,
               "linear_cross_entropy: wrong number of tensors");
  for (int i = 0; i < 2; ++i) {
    HEARTH_CHECK(in[size_t(i)].rank() == 2 && is_float(in[size_t(i)].dtype) && in[size_t(i)].dtype != DType::f64,
                 format, "linear_cross_entropy: input ", i, " is ", in[size_t(i)]);
  }
  HEARTH_CHECK(in[0].dims[1] == in[1].dims[1] && (in[2] == TensorType{DType::i32, {in[0].dims[0]}}) &&
                   (out[0] == TensorType{DType::f32, {}}) && (out.size() == 1 || out[1] == in[0]),
               format, "linear_cross_entropy: tensors do not fit");
}

}  // namespace

std::vector<KernelInfo> linear_cross_entropy_kernels() {
  return {{"linear_cross_entropy", forward, check}, {"linear_cross_entropy_grad", backward, check}};
}

}  // namespace hearth
