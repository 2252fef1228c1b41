// SPDX-License-Identifier: Apache-2.0
#include "train/lora_inputs.h"

#include "ops/elementwise/elementwise.h"
#include "ops/scatter/scatter.h"
#include "runtime/session.h"

namespace hearth {

static const std::string kRows = ".rows", kTakenA = ".a0", kTakenB = ".b0";

LoraInputs declare_lora(Graph& graph, const LoraAdapter& adapter, bool training, const Value& rng) {
  LoraInputs inputs;
  inputs.values.rng = rng;
  const auto declare = [&](const std::string& name, const Dims& dims) {
    return inputs.all.emplace_back(name, graph.input("lora." + name, {DType::f32, dims})).second;
  };
  for (const auto& [name, m] : adapter.modules()) {
    std::vector<LoraValues>& all = inputs.values.modules[name];
    if (!m.a0.empty()) {  // the base weight is less by what was taken out of it
      all.push_back({.a = graph.input("lora." + name + kTakenA, {DType::f32, {m.rank, m.in}}),
                     .b = graph.input("lora." + name + kTakenB, {DType::f32, {m.out, m.rank}}),
                     .scale = -m.scale});
    }
    LoraValues values{.a = declare(name + ".a", {m.rank, m.in}),
                      .b = declare(name + ".b", {m.out, m.rank}),
                      .scale = m.scale,
                      .dropout = training ? adapter.config().dropout : 0};
    if (!m.magnitude.empty()) values.magnitude = declare(name + ".magnitude", {m.out});
    if (!m.b_bias.empty()) values.b_bias = declare(name + ".b_bias", {m.out});
    all.push_back(values);
  }
  for (const auto& [name, weight] : adapter.weights()) {
    (weight.by_rows ? inputs.rows : inputs.whole)[name] = declare(name, weight.dims);
    if (weight.by_rows) inputs.row_ids[name] = graph.input("lora." + name + kRows, {DType::i32, {weight.dims[0], 1}});
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

void bind_lora(Session& session, LoraAdapter& adapter) {
  std::map<std::string, void*> places;
  for (const Trainable& t : adapter.trainables()) places["lora." + t.name] = t.values->data();
  for (auto& [name, weight] : adapter.weights()) {
    if (weight.by_rows) places["lora." + name + kRows] = weight.rows.data();
  }
  for (auto& [name, m] : adapter.modules()) {
    places["lora." + name + kTakenA] = m.a0.data();
    places["lora." + name + kTakenB] = m.b0.data();
  }
  for (size_t i = 0; i < session.inputs(); ++i) {
    const auto found = places.find(session.input_name(i));
    if (found != places.end()) session.bind_input(i, found->second);
  }
}

}  // namespace hearth
