// SPDX-License-Identifier: Apache-2.0
#include "train/step_graph.h"

#include <numeric>

#include "array/transforms.h"
#include "base/error.h"
#include "models/model_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {
namespace {

using Tensors = std::vector<std::pair<std::string, Value>>;  // by name, "<module>.a"

Value sum_all(const Value& x) {
  Dims axes(size_t(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return reduce_sum(x, axes);
}

// Sum of losses of the batch's tokens.
Value batch_loss(Graph& graph, const LanguageModel& model, const StepGraphOptions& o, const LoraInputs* lora,
                 std::vector<Value>* trace = nullptr) {
  WeightInputs weights(graph, model);
  ModelGraph forward{
      .spec = model.spec(),
      .dtype = o.dtype,
      .weight = [&](const std::string& name) { return lora ? lora->weight(weights, name) : weights(name); },
      .lora = lora ? &lora->values : nullptr};
  forward.checkpoint_layers = o.checkpointing;
  forward.trace = trace;
  const Value tokens = graph.input("tokens", {DType::i32, {o.batch, o.block}});
  const Value labels = graph.input("labels", {DType::i32, {o.batch * o.block}});
  if (o.packed) {
    forward.segments = graph.input("segments", tokens.type());
    forward.positions = graph.input("positions", tokens.type());
  }
  const Value hidden = model_hidden(forward, tokens);  // [B,T,E]
  if (trace) trace->push_back(hidden);
  return model_loss(forward, reshape(hidden, {o.batch * o.block, hidden.dim(2)}), labels);
}

struct Scalars {
  Value rate, correction1, correction2, per_token;
};

Scalars scalars(Graph& graph) {
  const Value all = graph.input("scalars", {DType::f32, {4}});
  const auto at = [&](int64_t i) { return reshape(slice(all, {i}, {i + 1}), {}); };
  return {at(0), at(1), at(2), at(3)};
}

// The sum of the micro-batches' losses: not finite when one of them was not, even where all gradients are.
Value loss_sum_input(Graph& graph) { return graph.input("loss_sum", {DType::f32, {}}); }

// Mean gradients, their norm, clipping, AdamW. Nothing changes when loss or norm is not finite.
void add_update(Graph& graph, const Tensors& all, std::vector<Value> sums, const Value& loss,
                const StepGraphOptions& o) {
  Scope scope("update");
  const Scalars s = scalars(graph);
  Value squares;
  for (const Value& sum : sums) {
    const Value square = sum_all(sum * sum);
    squares = squares.valid() ? squares + square : square;
  }
  const Value norm = sqrt(squares) * s.per_token;
  Value factor = s.per_token;
  if (o.clip > 0) factor = factor * minimum(constant(graph, 1), o.clip / (norm + 1e-6));
  const Value finite = binary("and", graph.add("is_finite", {norm}), graph.add("is_finite", {loss}));
  graph.output("grad_norm", norm);
  graph.output("finite", convert(finite, DType::i32));
  for (size_t i = 0; i < all.size(); ++i) {
    const TensorType& type = all[i].second.type();
    const Value m = graph.input("m." + all[i].first, type), v = graph.input("v." + all[i].first, type);
    const bool is_b = all[i].first.ends_with(".b") || type.rank() == 1;  // LoRA+'s faster group, as PEFT makes it
    const Value rate = is_b && o.loraplus_ratio != 1 ? s.rate * o.loraplus_ratio : s.rate;
    const AdamWState next = adamw({all[i].second, m, v}, sums[i] * factor, rate, s.correction1, s.correction2, o.adamw);
    const Value apply = broadcast_to(finite, type.dims);
    graph.output_in_place("p." + all[i].first, select(apply, next.parameter, all[i].second), "lora." + all[i].first);
    graph.output_in_place("next.m." + all[i].first, select(apply, next.m, m), "m." + all[i].first);
    graph.output_in_place("next.v." + all[i].first, select(apply, next.v, v), "v." + all[i].first);
  }
}

}  // namespace

std::unique_ptr<Graph> step_graph(const LanguageModel& model, const LoraAdapter& adapter, const StepGraphOptions& o,
                                  StepPart part) {
  auto graph = std::make_unique<Graph>();
  const bool dropout = adapter.config().dropout > 0 && part != StepPart::update;
  const LoraInputs lora =
      declare_lora(*graph, adapter, true, dropout ? graph->input("rng", {DType::u64, {2}}) : Value{});
  const Tensors& all = lora.all;
  if (part == StepPart::update) {
    std::vector<Value> sums;
    for (const auto& [name, value] : all) sums.push_back(graph->input("g." + name, value.type()));
    const Value losses = loss_sum_input(*graph);
    add_update(*graph, all, sums, losses, o);
    graph->output_in_place("next.loss_sum", scalar_like(losses, 0), "loss_sum");
    for (size_t i = 0; i < all.size(); ++i)
      graph->output_in_place("next.g." + all[i].first, scalar_like(sums[i], 0), "g." + all[i].first);
    return graph;
  }
  const Value loss = batch_loss(*graph, model, o, &lora);
  std::vector<Value> wrt;
  for (const auto& [name, value] : all) wrt.push_back(value);
  const std::vector<Value> grads = gradients(loss, wrt);
  graph->output("loss", loss);
  if (part == StepPart::whole) {
    add_update(*graph, all, grads, loss, o);
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
  graph->output("loss", batch_loss(*graph, model, o, lora ? &*lora : nullptr));
  return graph;
}

std::unique_ptr<Graph> finite_graph(const LanguageModel& model, const LoraAdapter& adapter, const StepGraphOptions& o) {
  auto graph = std::make_unique<Graph>();
  const LoraInputs lora = declare_lora(*graph, adapter, false);
  std::vector<Value> trace;
  const Value loss = batch_loss(*graph, model, o, &lora, &trace);
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
