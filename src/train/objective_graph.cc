// SPDX-License-Identifier: Apache-2.0
#include "train/objective_graph.h"

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "ops/special/special.h"
#include "train/distillation_graph.h"

namespace hearth {
namespace {

// Of every row of the batch, as [pairs,2].
struct Answers {
  Value log_probs;  // summed over the answer's tokens, or their mean
  Value tokens;     // f32: how many there are; 0 in rows that only fill up the batch
};

Answers answers(BatchGraph& batch, const StepGraphOptions& o) {
  const Dims rows = {o.batch / 2, 2, o.block};
  const Value labels = batch.labels(), counts = compare("GE", labels, scalar_like(labels, 0));
  Answers a;
  a.tokens = reduce_sum(reshape(convert(counts, DType::f32), rows), {2});
  a.log_probs = reduce_sum(reshape(convert(batch.log_probs().log_prob, DType::f32), rows), {2});
  if (o.objective.preference.loss == PreferenceLoss::ipo)
    a.log_probs = a.log_probs / maximum(a.tokens, constant(*labels.graph, 1));
  return a;
}

// log(1 + exp(x)) = -log sigmoid(-x)
Value softplus(const Value& x) { return logaddexp(x, scalar_like(x, 0)); }

// Of each pair, by d [pairs].
Value pair_losses(const Value& d, const PreferenceOptions& o) {
  const Value x = d * o.beta;
  switch (o.loss) {
    case PreferenceLoss::sigmoid:
      if (o.label_smoothing == 0) return softplus(0.0 - x);
      return softplus(0.0 - x) * (1 - o.label_smoothing) + softplus(x) * o.label_smoothing;
    case PreferenceLoss::ipo: {
      const Value off = d - 1 / (2 * o.beta);
      return off * off;
    }
    case PreferenceLoss::hinge: return maximum(1.0 - x, scalar_like(x, 0));
  }
  HEARTH_FAIL(bug, "an unknown loss of preferences");
}

ObjectiveLoss preference_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& o) {
  const int64_t pairs = o.batch / 2;
  const Answers a = answers(batch, o);
  const Value reference = reshape(graph.input("reference", {DType::f32, {o.batch}}), {pairs, 2});
  const auto column = [&](const Value& x, int64_t i) { return reshape(slice(x, {0, i}, {pairs, i + 1}), {pairs}); };
  const Value ratios = a.log_probs - reference, there = compare("GT", column(a.tokens, 0), constant(graph, 0));
  const Value chosen = column(ratios, 0), rejected = column(ratios, 1), d = chosen - rejected;
  const auto total = [&](const Value& x) { return reduce_sum(select(there, x, scalar_like(x, 0)), {0}); };
  const Value better = convert(compare("GT", chosen, rejected), DType::f32);
  const double beta = o.objective.preference.beta;
  std::vector<Value> metrics;
  for (const Value& metric :
       {better, d * beta, chosen * beta, rejected * beta, column(a.log_probs, 0), column(a.log_probs, 1)})
    metrics.push_back(reshape(total(metric), {1}));
  return {.loss = total(pair_losses(d, o.objective.preference)),
          .hits = convert(total(better), DType::i32),
          .metrics = concatenate(metrics, 0)};
}

}  // namespace

ObjectiveLoss training_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& o) {
  if (o.objective.prefers()) return preference_loss(graph, batch, o);
  if (!o.objective.distils()) return {.loss = batch.loss()};
  const DistillationLoss d = distillation_loss(graph, batch, o);
  return {.loss = d.loss, .metrics = concatenate({reshape(d.divergence, {1}), reshape(d.cross_entropy, {1})}, 0)};
}

ObjectiveLoss evaluation_loss(Graph& graph, BatchGraph& batch, const StepGraphOptions& o) {
  if (o.objective.prefers()) return preference_loss(graph, batch, o);
  const TokenLogProbs scores = batch.log_probs();
  return {.loss = 0.0 - reduce_sum(scores.log_prob, {0}), .hits = reduce_sum(scores.top, {0})};
}

}  // namespace hearth
