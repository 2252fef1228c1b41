// SPDX-License-Identifier: Apache-2.0
// Kernels "linear_cross_entropy" and "linear_cross_entropy_grad": per chunk of rows a matmul into the workspace, the
// rows' losses (one thread a row), and for the gradient the products with their derivative. Bound by the matmuls.
// Inputs: x, weight, labels, [u, b], [bias]; attribute scale with u and b. Outputs: loss, and of the gradient dx, [du,
// db].
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/linear_cross_entropy/linear_logits.h"

namespace hearth {
namespace {

// Loss of one row of the chunk, and its derivative in place; rows whose label does not count give zeros.
double row(const CrossEntropyRows& with, const LogitsCall& call, int64_t r, int32_t label, bool grad) {
  const int64_t V = call.V();
  float* z = call.z + r * V;
  const bool counts = label >= 0 && label < V;
  const double loss = counts ? row_loss(with, call, z, label, grad) : 0;
  if (!grad) return loss;
  if (!counts) std::memset(z, 0, size_t(V) * sizeof(float));
  round_row(call, r);
  return loss;
}

void run(const KernelArgs& args, bool grad) {
  const LogitsCall call = logits_call(args);
  const int64_t N = call.N(), V = call.V(), chunk = cross_entropy_chunk(N, V);
  LogitsDerivatives derivatives;
  if (grad) {
    derivatives.dx = &args.out[1];
    if (call.u) {
      derivatives.du = &args.out[2];
      derivatives.db = &args.out[3];
      std::memset(args.out[3].data, 0, size_t(V * call.rank) * sizeof(float));
    }
  }
  const auto* labels = args.in[2].as<const int32_t>();
  const CrossEntropyRows& with = cross_entropy_rows(isa());
  double total = 0;
  for (int64_t start = 0; start < N; start += chunk) {
    const int64_t rows = std::min(chunk, N - start);
    chunk_logits(call, start, rows);
    parallel_for(rows, [&](int64_t r, int) { call.losses[r] = row(with, call, r, labels[start + r], grad); });
    for (int64_t r = 0; r < rows; ++r) total += call.losses[r];
    if (grad) chunk_derivatives(call, derivatives, start, rows);
  }
  *args.out[0].as<float>() = float(total);
}

void forward(const KernelArgs& args) { run(args, false); }
void backward(const KernelArgs& args) { run(args, true); }

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_logits_call("linear_cross_entropy", in, attrs);
  const bool low_rank = attrs.has("scale");
  HEARTH_CHECK(in.size() == 3 + (low_rank ? 2u : 0u) + (attrs.has("has_bias") ? 1u : 0u) &&
                   (out.size() == 1 || out.size() == (low_rank ? 4 : 2)),
               format, "linear_cross_entropy: wrong number of tensors");
  HEARTH_CHECK((out[0] == TensorType{DType::f32, {}}) && (out.size() == 1 || out[1] == in[0]), format,
               "linear_cross_entropy: tensors do not fit");
  HEARTH_CHECK(out.size() < 4 || (out[2] == in[3] && (out[3] == TensorType{DType::f32, in[4].dims})), format,
               "linear_cross_entropy: the low-rank term does not fit: u ", in[3], ", b ", in[4]);
}

}  // namespace

std::vector<KernelInfo> linear_cross_entropy_kernels() {
  return {{"linear_cross_entropy", forward, check}, {"linear_cross_entropy_grad", backward, check}};
}

}  // namespace hearth
