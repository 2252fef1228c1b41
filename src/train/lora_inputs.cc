// SPDX-License-Identifier: Apache-2.0
#include "train/lora_inputs.h"

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/scatter/scatter.h"
#include "ops/shape/shape.h"
#include "runtime/session.h"
#include "train/adapter_set.h"

namespace hearth {

static const std::string kRows = ".rows", kTakenA = ".a0", kTakenB = ".b0";

namespace {

struct Declaration {
  std::string prefix = "lora.";
  bool training = false;
  Value share = {};
};

void declare_modules(Graph& graph, const LoraAdapter& adapter, const Declaration& d, LoraInputs* into) {
  LoraInputs& inputs = *into;
  const auto declare = [&](const std::string& name, const Dims& dims) {
    return inputs.all.emplace_back(name, graph.input(d.prefix + name, {DType::f32, dims})).second;
  };
  for (const auto& [name, m] : adapter.modules()) {
    std::vector<LoraValues>& all = inputs.values.modules[name];
    if (!m.a0.empty()) {  // the base weight is less by what was taken out of it
      all.push_back({.a = graph.input(d.prefix + name + kTakenA, {DType::f32, {m.rank, m.in}}),
                     .b = graph.input(d.prefix + name + kTakenB, {DType::f32, {m.out, m.rank}}),
                     .scale = -m.scale,
                     .share = d.share});
    }
    const Value a = declare(name + ".a", {m.rank, m.in});
    LoraValues values{.a = a,
                      .b = m.b_frozen ? graph.input(d.prefix + name + ".b", {DType::f32, {m.out, m.rank}})
                                      : declare(name + ".b", {m.out, m.rank}),
                      .scale = m.scale,
                      .dropout = d.training ? adapter.config().dropout : 0,
                      .experts = m.experts,
                      .share = d.share};
    if (!m.magnitude.empty()) values.magnitude = declare(name + ".magnitude", {m.out});
    if (!m.b_bias.empty()) values.b_bias = declare(name + ".b_bias", {m.out});
    all.push_back(values);
  }
}

std::string numbered(size_t adapter) { return cat("lora.", adapter, "."); }

}  // namespace

LoraInputs declare_lora(Graph& graph, const LoraAdapter& adapter, bool training, const Value& rng) {
  LoraInputs inputs;
  inputs.values.rng = rng;
  declare_modules(graph, adapter, {.training = training}, &inputs);
  const auto declare = [&](const std::string& name, const Dims& dims) {
    return inputs.all.emplace_back(name, graph.input("lora." + name, {DType::f32, dims})).second;
  };
  for (const auto& [name, weight] : adapter.weights()) {
    (weight.by_rows ? inputs.rows : inputs.whole)[name] = declare(name, weight.dims);
    if (weight.by_rows) inputs.row_ids[name] = graph.input("lora." + name + kRows, {DType::i32, {weight.dims[0], 1}});
  }
  return inputs;
}

LoraInputs declare_lora(Graph& graph, const AdapterSet& set, int64_t rows) {
  LoraInputs inputs;
  const int64_t count = int64_t(set.size());
  if (count == 0) return inputs;
  const Value shares = graph.input("lora.shares", {DType::f32, {count, rows}});
  for (int64_t i = 0; i < count; ++i) {
    const Value share = reshape(slice_axis(shares, 0, i, i + 1), {rows});
    declare_modules(graph, set.adapter(size_t(i)), {.prefix = numbered(size_t(i)), .share = share}, &inputs);
  }
  return inputs;
}

Value LoraInputs::weight(WeightInputs& weights, const std::string& name) const {
  const auto replaced = whole.find(name);
  if (replaced != whole.end()) return replaced->second;
  const auto some = rows.find(name);
  if (some == rows.end()) return weights(name);
  const ScatterDims by_row{.update_window_dims = {1},
                           .inserted_window_dims = {0},
                           .scatter_dims_to_operand_dims = {0},
                           .index_vector_dim = 1};
  return scatter_set(convert(weights(name), DType::f32), row_ids.at(name), some->second, by_row);
}

void bind_lora(Session& session, LoraAdapter& adapter, const std::string& prefix) {
  std::map<std::string, void*> places;
  for (const Trainable& t : adapter.tensors()) places[prefix + t.name] = t.values->data();
  for (auto& [name, weight] : adapter.weights()) {
    if (weight.by_rows) places[prefix + name + kRows] = weight.rows.data();
  }
  for (auto& [name, m] : adapter.modules()) {
    places[prefix + name + kTakenA] = m.a0.data();
    places[prefix + name + kTakenB] = m.b0.data();
  }
  for (size_t i = 0; i < session.inputs(); ++i) {
    const auto found = places.find(session.input_name(i));
    if (found != places.end()) session.bind_input(i, found->second);
  }
}

void bind_lora(Session& session, AdapterSet& set) {
  for (size_t i = 0; i < set.size(); ++i) bind_lora(session, set.adapter(i), numbered(i));
}

}  // namespace hearth
