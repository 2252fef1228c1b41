// SPDX-License-Identifier: Apache-2.0
#include "ops/linear_cross_entropy/linear_logits.h"

#include <algorithm>
#include <initializer_list>

#include "base/error.h"
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

std::vector<float> floats_of(const TensorArg& x) {
  std::vector<float> values(size_t(x.dim(0)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = x.dtype() == DType::f32    ? x.as<const float>()[i]
                : x.dtype() == DType::bf16 ? float(x.as<const bf16>()[i])
                                           : f16_to_f32(x.as<const uint16_t>()[i]);
  }
  return values;
}

bool is_matrix(const TensorType& type) { return type.rank() == 2 && is_float(type.dtype) && type.dtype != DType::f64; }

}  // namespace

LogitsCall logits_call(const KernelArgs& args) {
  LogitsCall call{.x = args.in[0], .w = args.in[1]};
  size_t next = 3;
  if (args.attrs.has("scale")) {
    call.u = &args.in[next++];
    call.b = &args.in[next++];
    call.rank = call.u->dim(1);
    call.scale = float(args.attrs.real("scale"));
  }
  if (args.attrs.has("has_bias")) call.bias = floats_of(args.in[next]);
  if (args.attrs.has("soft_cap")) call.soft_cap = float(args.attrs.real("soft_cap"));
  if (args.attrs.has("label_smoothing")) call.label_smoothing = args.attrs.real("label_smoothing");
  if (args.attrs.has("z_loss")) call.z_loss = args.attrs.real("z_loss");
  const int64_t chunk = cross_entropy_chunk(call.N(), call.V());
  HEARTH_CHECK(args.workspace_bytes >= cross_entropy_workspace(call.N(), call.V(), call.x.dtype()), format,
               "linear_cross_entropy: the plan gives it a workspace of ", args.workspace_bytes,
               " bytes, which is too small");
  call.losses = static_cast<double*>(args.workspace);
  call.z = reinterpret_cast<float*>(call.losses + (chunk + 7) / 8 * 8);
  if (size_bytes(call.x.dtype()) == 2) call.dz16 = reinterpret_cast<uint16_t*>(call.z + chunk * call.V());
  return call;
}

void chunk_logits(const LogitsCall& c, int64_t start, int64_t rows) {
  const GemmTerm whole = {rows_of(c.x, start), transposed(rows_of(c.w, 0)), c.C(), 1.0f};
  if (!c.u) return product({whole}, rows, c.V(), c.z, DType::f32);
  const GemmTerm low_rank = {rows_of(*c.u, start), transposed(rows_of(*c.b, 0)), c.rank, c.scale};
  product({whole, low_rank}, rows, c.V(), c.z, DType::f32);
}

// The loss of bent logits with its terms; with `dz` (may be z) its derivative by them.
static double loss_with_terms(const CrossEntropyRows& with, const LogitsCall& c, const float* z, int32_t label,
                              float* dz) {
  const double s = c.label_smoothing, own = z[label];
  if (s == 0 && c.z_loss == 0) return with.loss(z, c.V(), label, dz);
  const double mean = s > 0 ? with.sum(z, c.V()) / double(c.V()) : 0, plain = with.loss(z, c.V(), label, dz);
  const double lse = plain + own;
  if (dz) {
    dz[label] += 1;  // the softmax alone
    with.rescale(dz, c.V(), float(1 + 2 * c.z_loss * lse), float(s / double(c.V())));
    dz[label] -= float(1 - s);
  }
  return plain + s * (own - mean) + c.z_loss * lse * lse;
}

double row_loss(const CrossEntropyRows& with, const LogitsCall& c, float* z, int32_t label, bool grad) {
  const int64_t V = c.V();
  if (!c.bias.empty() || c.soft_cap > 0) with.bend(z, c.bias.empty() ? nullptr : c.bias.data(), V, c.soft_cap);
  if (!grad || c.soft_cap == 0) return loss_with_terms(with, c, z, label, grad ? z : nullptr);
  thread_local std::vector<float> bent;  // the derivative of the cap needs the logits once more
  bent.assign(z, z + V);
  const double loss = loss_with_terms(with, c, bent.data(), label, z);
  with.unbend(z, bent.data(), V, c.soft_cap);
  return loss;
}

void round_row(const LogitsCall& c, int64_t row) {
  if (!c.dz16) return;
  const int64_t V = c.V();
  const float* z = c.z + row * V;
  uint16_t* rounded = c.dz16 + row * V;
  for (int64_t i = 0; i < V; ++i) rounded[i] = c.x.dtype() == DType::bf16 ? bf16(z[i]).bits : f32_to_f16(z[i]);
}

void chunk_derivatives(const LogitsCall& c, const LogitsDerivatives& out, int64_t start, int64_t rows) {
  const int64_t V = c.V();
  const MatrixRef dz = c.dz16 ? MatrixRef{c.dz16, c.x.dtype(), V, 1} : MatrixRef{c.z, DType::f32, V, 1};
  const auto place = [&](const TensorArg* tensor) { return const_cast<void*>(rows_of(*tensor, start).data); };
  product({{dz, rows_of(c.w, 0), V, 1.0f}}, rows, c.C(), place(out.dx), c.x.dtype());
  if (!c.u) return;
  product({{dz, rows_of(*c.b, 0), V, c.scale}}, rows, c.rank, place(out.du), c.u->dtype());
  product({{transposed(dz), rows_of(*c.u, start), rows, c.scale}}, V, c.rank, out.db->data, DType::f32, true);
}

void check_logits_call(const std::string& op, const std::vector<TensorType>& in, const Attrs& attrs) {
  const bool low_rank = attrs.has("scale"), bias = attrs.has("has_bias");
  const size_t bias_at = low_rank ? 5 : 3;
  HEARTH_CHECK(in.size() >= bias_at + bias, format, op, ": wrong number of tensors");
  for (const size_t i : {0, 1, 3, 4}) {
    HEARTH_CHECK((i > 1 && !low_rank) || is_matrix(in[i]), format, op, ": input ", i, " is ", in[i]);
  }
  const int64_t N = in[0].dims[0], V = in[1].dims[0];
  HEARTH_CHECK(in[0].dims[1] == in[1].dims[1] && (in[2] == TensorType{DType::i32, {N}}), format, op,
               ": tensors do not fit");
  if (attrs.has("soft_cap"))
    HEARTH_CHECK(attrs.real("soft_cap") > 0, format, op, ": a soft cap of ", attrs.real("soft_cap"));
  for (const char* name : {"label_smoothing", "z_loss"})
    HEARTH_CHECK(!attrs.has(name) || attrs.real(name) > 0, format, op, ": ", name, " of ", attrs.real(name));
  if (bias) {
    const TensorType& b = in[bias_at];
    HEARTH_CHECK(is_float(b.dtype) && b.dtype != DType::f64 && b.dims == Dims{V}, format, op,
                 ": the bias does not fit: ", b);
  }
  if (!low_rank) return;
  attrs.real("scale");
  HEARTH_CHECK((in[3] == TensorType{in[0].dtype, {N, in[3].dims[1]}}) && in[4].dims == (Dims{V, in[3].dims[1]}), format,
               op, ": the low-rank term does not fit: u ", in[3], ", b ", in[4]);
}

}  // namespace hearth
