// SPDX-License-Identifier: Apache-2.0
// Mixture of experts. Source: Shazeer et al. 2017, arXiv:1701.06538; Jiang et al. 2024, arXiv:2401.04088.
#include "base/error.h"
#include "models/layer_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/expert_linear/expert_linear.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"
#include "ops/sort/sort.h"

namespace hearth {
namespace {

using Part = LinearSpec MlpSpec::*;

std::vector<Value> weights_of(const ModelGraph& model, const ExpertsSpec& experts, Part part) {
  std::vector<Value> weights;
  for (const MlpSpec& expert : experts.all) weights.push_back(model.weight((expert.*part).name + ".weight"));
  return weights;
}

// Every token goes to `used` experts: x [N,C] and indices [N,k] give [N,k,C].
Value through_experts(const ModelGraph& model, const Value& x, const Value& indices, const ExpertsSpec& experts) {
  Scope scope("experts");
  const int64_t N = x.dim(0), C = x.dim(1), k = indices.dim(1);
  const Value rows = reshape(broadcast_in_dim(x, {N, k, C}, {0, 2}), {N * k, C}), ids = reshape(indices, {N * k});
  const auto layer = [&](const Value& in, Part part) {
    return expert_linear(in, ids, weights_of(model, experts, part));
  };
  const Value gate = activate(layer(rows, &MlpSpec::gate), experts.all[0].activation);
  return reshape(layer(gate * layer(rows, &MlpSpec::up), &MlpSpec::down), {N, k, C});
}

}  // namespace

Value experts_graph(const LayerContext& context, const Value& x, const ExpertsSpec& experts) {
  const ModelGraph& model = context.model;
  const Value rows = reshape(x, {x.dim(0) * x.dim(1), x.dim(2)});                                    // [N,C]
  const Value logits = convert(linear(rows, model.weight(experts.router + ".weight")), DType::f32);  // [N,E]
  const Sorted best = top_k(softmax(logits), experts.used);                                          // [N,k]
  const Value shares = experts.normalize ? best.values / sum_last(best.values) : best.values;
  const Value outputs = through_experts(model, rows, best.indices, experts);  // [N,k,C]
  const Value weighted = outputs * convert(reshape(shares, {rows.dim(0), experts.used, 1}), x.dtype());
  const Value y = reshape(reduce_sum(weighted, {1}), x.dims());
  if (experts.shared.down.name.empty()) return y;
  return y + mlp_graph(context, x, experts.shared) * logistic(project(context, x, experts.shared_gate));
}

}  // namespace hearth
