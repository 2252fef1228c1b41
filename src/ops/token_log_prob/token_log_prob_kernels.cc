// SPDX-License-Identifier: Apache-2.0
// Kernels "token_log_prob" and "token_log_prob_grad": per chunk of rows a matmul into the workspace, then one thread a
// row; for the gradient the products with the logits' derivative. Bound by the matmuls. Inputs: those of a LogitsCall,
// and of the gradient the derivative by each row's log-probability. Outputs: log_prob, top; of the gradient dx, [du,
// db].
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "ops/linear_cross_entropy/linear_cross_entropy_chunk.h"
#include "ops/linear_cross_entropy/linear_logits.h"

namespace hearth {
namespace {

bool counts(const LogitsCall& call, int32_t label) { return label >= 0 && label < call.V(); }

void forward(const KernelArgs& args) {
  const LogitsCall call = logits_call(args);
  const CrossEntropyRows& with = cross_entropy_rows(isa());
  const int64_t N = call.N(), V = call.V(), chunk = cross_entropy_chunk(N, V);
  const auto* labels = args.in[2].as<const int32_t>();
  auto* log_prob = args.out[0].as<float>();
  auto* top = args.out[1].as<int32_t>();
  for (int64_t start = 0; start < N; start += chunk) {
    const int64_t rows = std::min(chunk, N - start);
    chunk_logits(call, start, rows);
    parallel_for(rows, [&](int64_t r, int) {
      float* z = call.z + r * V;
      const int32_t label = labels[start + r];
      const bool counted = counts(call, label);
      log_prob[start + r] = counted ? float(-row_loss(with, call, z, label, false)) : 0;
      top[start + r] = counted && with.is_top(z, V, label);  // of the logits that row_loss has bent
    });
  }
}

void backward(const KernelArgs& args) {
  const LogitsCall call = logits_call(args);
  const CrossEntropyRows& with = cross_entropy_rows(isa());
  const int64_t N = call.N(), V = call.V(), chunk = cross_entropy_chunk(N, V);
  const auto* labels = args.in[2].as<const int32_t>();
  const auto* g = args.in[args.in.size() - 1].as<const float>();
  LogitsDerivatives derivatives{.dx = &args.out[0]};
  if (call.u) {
    derivatives.du = &args.out[1];
    derivatives.db = &args.out[2];
    std::memset(args.out[2].data, 0, size_t(V * call.rank) * sizeof(float));
  }
  for (int64_t start = 0; start < N; start += chunk) {
    const int64_t rows = std::min(chunk, N - start);
    chunk_logits(call, start, rows);
    parallel_for(rows, [&](int64_t r, int) {
      float* z = call.z + r * V;
      const int32_t label = labels[start + r];
      if (counts(call, label)) {
        row_loss(with, call, z, label, true);
        const float factor = -g[start + r];
        for (int64_t i = 0; i < V; ++i) z[i] *= factor;
      } else {
        std::memset(z, 0, size_t(V) * sizeof(float));
      }
      round_row(call, r);
    });
    chunk_derivatives(call, derivatives, start, rows);
  }
}

void check(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_logits_call("token_log_prob", in, attrs);
  const int64_t N = in[0].dims[0];
  HEARTH_CHECK(in.size() == 3 + (attrs.has("scale") ? 2u : 0u) + (attrs.has("has_bias") ? 1u : 0u) && out.size() == 2 &&
                   (out[0] == TensorType{DType::f32, {N}}) && (out[1] == TensorType{DType::i32, {N}}),
               format, "token_log_prob: tensors do not fit");
}

void check_grad(const std::vector<TensorType>& in, const std::vector<TensorType>& out, const Attrs& attrs) {
  check_logits_call("token_log_prob_grad", in, attrs);
  const bool low_rank = attrs.has("scale");
  HEARTH_CHECK(in.size() == 4 + (low_rank ? 2u : 0u) + (attrs.has("has_bias") ? 1u : 0u) &&
                   out.size() == (low_rank ? 3 : 1) && (in.back() == TensorType{DType::f32, {in[0].dims[0]}}) &&
                   out[0] == in[0] &&
                   (!low_rank || (out[1] == in[3] && (out[2] == TensorType{DType::f32, in[4].dims}))),
               format, "token_log_prob_grad: tensors do not fit");
}

}  // namespace

std::vector<KernelInfo> token_log_prob_kernels() {
  return {{"token_log_prob", forward, check}, {"token_log_prob_grad", backward, check_grad}};
}

}  // namespace hearth
