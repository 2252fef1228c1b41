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

// What the adapters add to rows [N,K] that ids send to experts, [N,out]; not valid for none. The A of all experts is
// one product, of which the numbers of other experts become zero: ranks are small, and so B is one product as well.
Value experts_change(const ModelGraph& model, const std::string& name, const Value& rows, const Value& ids) {
  Value sum;
  for (const LoraValues& lora : model.lora ? model.lora->of(name) : std::vector<LoraValues>{}) {
    const int64_t N = rows.dim(0), E = lora.experts, r = lora.a.dim(0) / E;
    const Value inner = reshape(linear(rows, lora.a), {N, E, r});
    const Value own = compare("EQ", broadcast_in_dim(ids, {N, E, r}, {0}), iota(*ids.graph, DType::i32, {N, E, r}, 1));
    const Value kept = select(own, inner, scalar_like(inner, 0));
    const Value change = linear(reshape(transpose(kept, {0, 2, 1}), {N, r * E}), lora.b) * lora.scale;
    sum = sum.valid() ? sum + change : change;
  }
  return sum;
}

// Every token goes to `used` experts: x [N,C] and indices [N,k] give [N,k,C].
Value through_experts(const ModelGraph& model, const Value& x, const Value& indices, const ExpertsSpec& experts) {
  Scope scope("experts");
  const int64_t N = x.dim(0), C = x.dim(1), k = indices.dim(1);
  const Value rows = reshape(broadcast_in_dim(x, {N, k, C}, {0, 2}), {N * k, C}), ids = reshape(indices, {N * k});
  const auto layer = [&](const Value& in, Part part) {
    return expert_linear(in, ids, weights_of(model, experts, part));
  };
  Value gate = layer(rows, &MlpSpec::gate), up = layer(rows, &MlpSpec::up);
  if (const Value change = experts_change(model, experts.name + ".gate_up_proj", rows, ids); change.valid()) {
    const int64_t F = up.dim(1);
    gate = gate + slice_axis(change, 1, 0, F);
    up = up + slice_axis(change, 1, F, 2 * F);
  }
  const Value inner = activate(gate, experts.all[0].activation) * up;
  const Value y = layer(inner, &MlpSpec::down), change = experts_change(model, experts.name + ".down_proj", inner, ids);
  return reshape(change.valid() ? y + change : y, {N, k, C});
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
