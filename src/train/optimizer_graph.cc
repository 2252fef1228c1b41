// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer_graph.h"

#include <numeric>

#include "base/error.h"
#include "ops/elementwise/elementwise.h"
#include "ops/reduce/reduce.h"
#include "ops/shape/shape.h"

namespace hearth {

std::vector<TrainedTensor> trained_tensors(const LanguageModel& model, const LoraAdapter& adapter) {
  const ModelSpec& spec = model.spec();
  const auto belongs_to = [](const std::string& name, const std::string& module) {
    return !module.empty() && name.starts_with(module + ".");
  };
  std::vector<TrainedTensor> tensors;
  for (const Trainable& t : const_cast<LoraAdapter&>(adapter).trainables()) {
    const bool vector = t.dims.size() == 1, outer = belongs_to(t.name, spec.embedding) ||
                                                    belongs_to(t.name, spec.position_table) ||
                                                    belongs_to(t.name, spec.output.name);
    tensors.push_back({.name = t.name,
                       .dims = t.dims,
                       .decays = !vector || t.name.ends_with(".magnitude"),  // DoRA's is no bias, transformers says
                       .hidden_matrix = !vector && !outer,
                       .fast = vector || t.name.ends_with(".b")});
  }
  return tensors;
}

static Value norm_of(const Values& tensors) {
  Value squares;
  for (const Value& x : tensors) {
    Dims axes(size_t(x.rank()));
    std::iota(axes.begin(), axes.end(), 0);
    const Value square = reduce_sum(x * x, axes);
    squares = squares.valid() ? squares + square : square;
  }
  return sqrt(squares);
}

void add_update(Graph& graph, const std::vector<TrainedTensor>& tensors, const Values& parameters, const Values& sums,
                const Value& loss, const UpdateOptions& o) {
  Scope scope("update");
  const Value scalars = graph.input("scalars", {DType::f32, {4}});
  const auto scalar = [&](int64_t i) { return reshape(slice(scalars, {i}, {i + 1}), {}); };
  const Value rate = scalar(0), per_token = scalar(3), norm = norm_of(sums) * per_token;
  Value factor = per_token;
  if (o.clip > 0) factor = factor * minimum(constant(graph, 1), o.clip / (norm + 1e-6));
  const Value finite = is_finite(norm) & is_finite(loss);
  graph.output("grad_norm", norm);
  graph.output("finite", convert(finite, DType::i32));
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TrainedTensor& tensor = tensors[i];
    UpdateArgs args{.options = o.optimizer,
                    .tensor = tensor,
                    .parameter = parameters[i],
                    .gradient = sums[i] * factor,
                    .states = {},
                    .apply = finite,
                    .rate = tensor.fast && o.loraplus_ratio != 1 ? rate * o.loraplus_ratio : rate,
                    .first = scalar(1),
                    .second = scalar(2)};
    const std::vector<StateSpec> states = optimizer_states(o.optimizer, tensor);
    for (const StateSpec& state : states)
      args.states.push_back(graph.input(state.name + "." + tensor.name, state.type));
    const Update next = optimizer_update(args);
    const auto write = [&](const std::string& output, const Value& after, const Value& before,
                           const std::string& input) {
      const Value kept = next.minds_apply ? after : select(broadcast_to(finite, before.dims()), after, before);
      graph.output_in_place(output, kept, input);
    };
    write("p." + tensor.name, next.parameter, parameters[i], "lora." + tensor.name);
    for (size_t s = 0; s < states.size(); ++s) {
      const std::string name = states[s].name + "." + tensor.name;
      write("next." + name, next.states[s], args.states[s], name);
    }
  }
}

}  // namespace hearth
