// SPDX-License-Identifier: Apache-2.0
#include "train/step_graph.h"

#include <numeric>

#include "array/transforms.h"
#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"
#include "train/objective_graph.h"

namespace hearth {
namespace {

using Tensors = std::vector<std::pair<std::string, Value>>;  // by name, "<module>.a"

Value sum_all(const Value& x) {
  Dims axes(size_t(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return reduce_sum(x, axes);
}

// The sum of the micro-batches' losses: not finite when one of them was not, even where all gradients are.
Value loss_sum_input(Graph& graph) { return graph.input("loss_sum", {DType::f32, {}}); }

}  // namespace

std::unique_ptr<Graph> step_graph(const LanguageModel& model, const LoraAdapter& adapter, const StepGraphOptions& o,
                                  StepPart part) {
  auto graph = std::make_unique<Graph>();
  const bool random = (adapter.config().dropout > 0 || o.neftune_alpha > 0) && part != StepPart::update;
  const BatchExtras extras{.loss_terms = o.loss_terms,
                           .noise_alpha = o.neftune_alpha,
                           .rng = random ? graph->input("rng", {DType::u64, {2}}) : Value{}};
  const LoraInputs lora = declare_lora(*graph, adapter, true, extras.rng);
  const Tensors& all = lora.all;
  const std::vector<TrainedTensor> tensors = trained_tensors(model, adapter);
  Values trained;
  for (const auto& [name, value] : all) trained.push_back(value);
  if (part == StepPart::update) {
    Values sums;
    for (const auto& [name, value] : all) sums.push_back(graph->input("g." + name, value.type()));
    const Value losses = loss_sum_input(*graph);
    add_update(*graph, tensors, trained, sums, losses, o.update);
    graph->output_in_place("next.loss_sum", scalar_like(losses, 0), "loss_sum");
    for (size_t i = 0; i < all.size(); ++i)
      graph->output_in_place("next.g." + all[i].first, scalar_like(sums[i], 0), "g." + all[i].first);
    return graph;
  }
  BatchGraph batch(*graph, model, o, &lora, extras);
  const ObjectiveLoss objective = training_loss(*graph, batch, o);
  const Value loss = objective.loss;
  if (objective.metrics.valid()) graph->output("metrics", objective.metrics);
  // Derivatives in f16 are too small without a scale; the update divides by it (scalars[3]).
  const bool scaled = o.dtype == DType::f16;
  const Values grads = gradients(scaled ? loss * graph->input("seed", {DType::f32, {}}) : loss, trained);
  graph->output("loss", loss);
  if (part == StepPart::whole) {
    add_update(*graph, tensors, trained, grads, loss, o.update);
    return graph;
  }
  graph->output_in_place("next.loss_sum", loss_sum_input(*graph) + loss, "loss_sum");
  for (size_t i = 0; i < all.size(); ++i) {
    const Value sum = graph->input("g." + all[i].first, all[i].second.type());
    graph->output_in_place("next.g." + all[i].first, sum + grads[i], "g." + all[i].first);
  }
  return graph;
}

std::unique_ptr<Graph> loss_graph(const LanguageModel& model, const LoraAdapter* adapter, const StepGraphOptions& o) {
  auto graph = std::make_unique<Graph>();
  std::optional<LoraInputs> lora;
  if (adapter) lora = declare_lora(*graph, *adapter, false);
  BatchGraph batch(*graph, model, o, lora ? &*lora : nullptr);
  const ObjectiveLoss objective = evaluation_loss(*graph, batch, o);
  graph->output("loss", objective.loss);
  graph->output("hits", objective.hits);
  if (objective.metrics.valid()) graph->output("metrics", objective.metrics);
  return graph;
}

std::unique_ptr<Graph> finite_graph(const LanguageModel& model, const LoraAdapter& adapter, const StepGraphOptions& o) {
  auto graph = std::make_unique<Graph>();
  const LoraInputs lora = declare_lora(*graph, adapter, false);
  std::vector<Value> trace;
  BatchGraph batch(*graph, model, o, &lora, {.trace = &trace});
  const Value loss = batch.loss();
  const auto probe = [&](const std::string& name, const Value& x) {
    graph->output(name, sum_all(convert(x, DType::f32) * 0.0));
  };
  for (const auto& [name, value] : lora.all) probe("lora_" + name, value);
  for (size_t i = 0; i < trace.size(); ++i) {
    const bool last = i + 1 == trace.size();
    const ModelSpec& spec = model.spec();
    const std::string& after = last && spec.final_norm.name.empty() ? spec.output.name : spec.final_norm.name;
    probe((last && spec.final_norm.name.empty() ? "input of " : "output of ") + (i == 0 ? spec.embedding
                                                                                 : last ? after
                                                                                        : spec.layers[i - 1].name),
          trace[i]);
  }
  probe("loss", loss);
  return graph;
}

}  // namespace hearth
