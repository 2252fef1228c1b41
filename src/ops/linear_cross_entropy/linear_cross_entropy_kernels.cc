// SPDX-License-Identifier: Apache-2.0
// Kernels "linear_cross_entropy" and "linear_cross_entropy_grad": per chunk of rows a matmul into the workspace, the
// rows' losses (one thread a row), and for the gradient the products with their derivative. Bound by the matmuls.
// Inputs: x, weight, labels, [u, b], [bias]; attribute scale with u and b. Outputs: loss, and of the gradient dx, [du,
// db].
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "device/kernel.h"
#include "ops/linear_cross_entropy/cross_entropy_rows.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/matmul/gemm.h"

namespace hearth {

const CrossEntropyRows& cross_entropy_rows(Isa isa) {
  if (isa >= Isa::avx512) return cross_entropy_rows_avx512;
  return isa >= Isa::avx2 ? cross_entropy_rows_avx2 : cross_entropy_rows_scalar;
}

namespace {

// C[m,n] = the terms' sum, added to C where `add`.
void product(std::initializer_list<GemmTerm> terms, int64_t m, int64_t n, void* c, DType c_dtype, bool add = false) {
  GemmCall call{};
  call.m = m;
  call.n = n;
  call.term_count = int(terms.size());
  std::copy(terms.begin(), terms.end(), call.terms);
  call.c = c;
  call.c_dtype = c_dtype;
  call.ldc = n;
  if (add) {
    call.addend = c;
    call.addend_dtype = c_dtype;
    call.ld_addend = n;
  }
  gemm(call);
}

// Rows from `first` on of a dense matrix.
MatrixRef rows_of(const TensorArg& matrix, int64_t first) {
  const int64_t columns = matrix.dim(1);
  return {matrix.as<char>() + first * columns * size_bytes(matrix.dtype()), matrix.dtype(), columns, 1};
}
MatrixRef transposed(MatrixRef m) { return {m.data, m.dtype, m.col_stride, m.row_stride}; }

// The tensors of a call, and the chunk's part of the workspace.
struct Call {
  const TensorArg &x, &w;
  const TensorArg *u = nullptr, *b = nullptr;  // the low-rank term, or null
  int64_t rank = 0;
  float scale = 1;
  float* z = nullptr;        // [chunk,V]
  uint16_t* dz16 = nullptr;  // [chunk,V], when the matmul is 16-bit
  std::vector<float> bias = {};
  float soft_cap = 0;
  int64_t C() const { return x.dim(1); }
  int64_t V() const { return w.dim(0); }
};

void logits(const Call& c, int64_t start, int64_t rows) {
  const GemmTerm whole = {rows_of(c.x, start), transposed(rows_of(c.w, 0)), c.C(), 1.0f};
  if (!c.u) return product({whole}, rows, c.V(), c.z, DType::f32);
  const GemmTerm low_rank = {rows_of(*c.u, start), transposed(rows_of(*c.b, 0)), c.rank, c.scale};
  product({whole, low_rank}, rows, c.V(), c.z, DType::f32);
}

// Loss of one row, and its derivative by the products' sum in place (and, for 16-bit matmuls, rounded into dz16).
double row(const CrossEntropyRows& with, const Call& c, float* z, int32_t label, bool grad, uint16_t* dz16) {
  const int64_t V = c.V();
  const bool counts = label >= 0 && label < V;
  if (!counts) {
    if (grad) std::memset(z, 0, size_t(V) * sizeof(float));
    if (grad && dz16) std::memset(dz16, 0, size_t(V) * sizeof(uint16_t));
    return 0;
  }
  if (!c.bias.empty() || c.soft_cap > 0) with.bend(z, c.bias.empty() ? nullptr : c.bias.data(), V, c.soft_cap);
  double loss;
  if (grad && c.soft_cap > 0) {
    thread_local std::vector<float> bent;  // the derivative of the cap needs the logits once more
    bent.assign(z, z + V);
    loss = with.loss(bent.data(), V, label, z);
    with.unbend(z, bent.data(), V, c.soft_cap);
  } else {
    loss = with.loss(z, V, label, grad ? z : nullptr);
  }
  if (grad && dz16) {
    for (int64_t i = 0; i < V; ++i) dz16[i] = c.x.dtype() == DType::bf16 ? bf16(z[i]).bits : f32_to_f16(z[i]);
  }
  return loss;
}

// dx = dz weight,  du = scale dz b,  db += scale dz^T u
void derivatives(const Call& c, const KernelArgs& args, int64_t start, int64_t rows) {
  const int64_t V = c.V();
  const MatrixRef dz = c.dz16 ? MatrixRef{c.dz16, c.x.dtype(), V, 1} : MatrixRef{c.z, DType::f32, V, 1};
  const auto out = [&](size_t i) { return const_cast<void*>(rows_of(args.out[i], start).data); };
  product({{dz, rows_of(c.w, 0), V, 1.0f}}, rows, c.C(), out(1), c.x.dtype());
  if (!c.u) return;
  product({{dz, rows_of(*c.b, 0), V, c.scale}}, rows, c.rank, out(2), c.u->dtype());
  product({{transposed(dz), rows_of(*c.u, start), rows, c.scale}}, V, c.rank, args.out[3].data, DType::f32, true);
}

std::vector<float> floats_of(const TensorArg& x) {
  std::vector<float> values(size_t(x.dim(0)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = x.dtype() == DType::f32    ? x.as<const float>()[i]
                : x.dtype() == DType::bf16 ? float(x.as<const bf16>()[i])
                                           : f16_to_f32(x.as<const uint16_t>()[i]);
  }
  return values;
}

void run(const KernelArgs& args, bool grad) {
  Call call{.x = args.in[0], .w = args.in[1]};
  if (args.attrs.has("has_bias")) call.bias = floats_of(args.in[args.in.size() - 1]);
  if (args.attrs.has("soft_cap")) call.soft_cap = float(args.attrs.real("soft_cap"));
  if (args.attrs.has("scale")) {
    call.u = &args.in[3];
    call.b = &args.in[4];
    call.rank = call.u->dim(1);
    call.scale = float(args.attrs.real("scale"));
  }
  const int64_t N = call.x.dim(0), V = call.V(), chunk = cross_entropy_chunk(N, V);
  HEARTH_CHECK(args.workspace_bytes >= cross_entropy_workspace(N, V, call.x.dtype()), format,
               "linear_cross_entropy: the plan gives it a workspace of ", args.workspace_bytes,
               " bytes, which is too small");
  auto* losses = static_cast<double*>(args.workspace);
  call.z = reinterpret_cast<float*>(losses + (chunk + 7) / 8 * 8);
  if (size_bytes(call.x.dtype()) == 2) call.dz16 = reinterpret_cast<uint16_t*>(call.z + chunk * V);
  if (grad && call.u) std::memset(args.out[3].data, 0, size_t(V * call.rank) * sizeof(float));
  const auto* labels = args.in[2].as<const int32_t>();
  const CrossEntropyRows& with = cross_entropy_rows(isa());
  double total = 0;
  for (int64_t start = 0; start < N; start += chunk) {
    const int64_t rows = std::min(chunk, N - start);
    logits(call, start, rows);
    parallel_for(rows, [&](int64_t r, int) {
      uint16_t* dz16 = call.dz16 ? call.dz16 + r * V : nullptr;
      losses[r] = row(with, call, call.z + r * V, labels[start + r], grad, dz16);
    });
    for (int64_t r = 0; r < rows; ++r) total += losses[r];
    if (grad) derivatives(call, args, start, rows);
  }
  *args.out[0].as<float>() = float(total);
}

void forward(const KernelArgs& args) { run(args, false); }
void backward(const KernelArgs& args) { run(args, true); }

bool is_matrix(const TensorType& type) { return type.rank() == 2 && is_float(type.dtype) && type.dtype != DType::f64; }

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  const bool low_rank = attrs.has("scale"), bias = attrs.has("has_bias");
  HEARTH_CHECK(
      in.size() == 3 + (low_rank ? 2u : 0u) + (bias ? 1u : 0u) && (out.size() == 1 || out.size() == (low_rank ? 4 : 2)),
      format, "linear_cross_entropy: wrong number of tensors");
  for (const size_t i : {0, 1, 3, 4}) {
    HEARTH_CHECK((i > 1 && !low_rank) || is_matrix(in[i]), format, "linear_cross_entropy: input ", i, " is ", in[i]);
  }
  const int64_t N = in[0].dims[0], V = in[1].dims[0];
  HEARTH_CHECK(in[0].dims[1] == in[1].dims[1] && (in[2] == TensorType{DType::i32, {N}}) &&
                   (out[0] == TensorType{DType::f32, {}}) && (out.size() == 1 || out[1] == in[0]),
               format, "linear_cross_entropy: tensors do not fit");
  if (attrs.has("soft_cap"))
    HEARTH_CHECK(attrs.real("soft_cap") > 0, format, "linear_cross_entropy: a soft cap of ", attrs.real("soft_cap"));
  if (bias) {
    const TensorType& b = in.back();
    HEARTH_CHECK(is_float(b.dtype) && b.dtype != DType::f64 && b.dims == Dims{V}, format,
                 "linear_cross_entropy: the bias does not fit: ", b);
  }
  if (!low_rank) return;
  attrs.real("scale");
  const int64_t rank = in[3].dims[1];
  HEARTH_CHECK((in[3] == TensorType{in[0].dtype, {N, rank}}) && in[4].dims == (Dims{V, rank}) &&
                   (out.size() == 1 || (out[2] == in[3] && out[3] == (TensorType{DType::f32, {V, rank}}))),
               format, "linear_cross_entropy: the low-rank term does not fit: u ", in[3], ", b ", in[4]);
}

}  // namespace

std::vector<KernelInfo> linear_cross_entropy_kernels() {
  return {{"linear_cross_entropy", forward, check}, {"linear_cross_entropy_grad", backward, check}};
}

}  // namespace hearth
