// SPDX-License-Identifier: Apache-2.0
// Mixture of experts. Source: Shazeer et al. 2017, arXiv:1701.06538; Jiang et al. 2024, arXiv:2401.04088.
#include "models/layer_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/softmax/softmax.h"
#include "ops/sort/sort.h"

namespace hearth {

Value experts_graph(const LayerContext& context, const Value& x, const ExpertsSpec& experts) {
  const ModelGraph& model = context.model;
  const Value logits = convert(linear(x, model.weight(experts.router + ".weight")), DType::f32);  // [B,T,E]
  const Sorted best = top_k(softmax(logits), experts.used);                                       // [B,T,k]
  const Value shares = experts.normalize ? best.values / sum_last(best.values) : best.values;
  Value y;
  for (int64_t e = 0; e < experts.count; ++e) {
    const Value chosen = compare("EQ", best.indices, scalar_like(best.indices, double(e)));
    const Value share = sum_last(select(chosen, shares, scalar_like(shares, 0)));  // [B,T,1]
    const Value part = mlp_graph(context, x, experts.all[size_t(e)]) * convert(share, x.dtype());
    y = y.valid() ? y + part : part;
  }
  if (experts.shared.down.name.empty()) return y;
  return y + mlp_graph(context, x, experts.shared) * logistic(project(context, x, experts.shared_gate));
}

}  // namespace hearth
