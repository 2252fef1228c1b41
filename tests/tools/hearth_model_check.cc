// SPDX-License-Identifier: Apache-2.0
// hearth_model_check MODEL ADAPTER OUT.safetensors TOKENS PROMPT: what tests/interop/families_test.py compares with the
// real library. Writes "logits" f32 [T,V] of the prompt's ids, and with an adapter ("-": none) "loss" (the sum over the
// next tokens) and its derivative by each matrix, "<module>.a" and ".b", with and without recomputation. Prints the
// prompt's ids and the TOKENS ids that generation adds, with the cache and without, as JSON.
#include <cstring>
#include <iostream>
#include <optional>

#include "array/transforms.h"
#include "base/error.h"
#include "compiler/compile.h"
#include "generate/generator.h"
#include "io/json.h"
#include "models/model_graph.h"
#include "ops/elementwise/elementwise.h"
#include "ops/shape/shape.h"
#include "runtime/session.h"
#include "train/lora_inputs.h"

using namespace hearth;

struct Output {
  std::string name;
  Dims dims;
  std::vector<float> values;
};

// Runs the graph on the ids and appends all its outputs.
static void run(const Graph& graph, const LanguageModel& model, LoraAdapter* adapter, std::vector<int32_t> ids,
                std::vector<Output>* outputs) {
  Session session(compile(graph));
  WeightInputs::bind(session, model.folder());
  if (adapter) bind_lora(session, *adapter);
  std::vector<int32_t> labels(ids.begin() + 1, ids.end());
  labels.push_back(-100);
  for (size_t i = 0; i < session.inputs(); ++i) {
    if (session.input_name(i) == "tokens") session.bind_input(i, ids.data());
    if (session.input_name(i) == "labels") session.bind_input(i, labels.data());
  }
  session.run();
  for (size_t i = 0; i < session.outputs(); ++i) {
    const TensorType& type = session.output_type(i);
    Output out{session.output_name(i), type.dims, std::vector<float>(size_t(type.elements()))};
    std::memcpy(out.values.data(), session.output(session.output_name(i)), size_t(type.bytes()));
    outputs->push_back(std::move(out));
  }
}

static ModelGraph forward_of(const LanguageModel& model, WeightInputs& weights, const LoraInputs& lora) {
  return {.spec = model.spec(),
          .weight = [&](const std::string& name) { return lora.weight(weights, name); },
          .lora = &lora.values};
}

static void run_logits(const LanguageModel& model, LoraAdapter* adapter, const std::vector<int32_t>& ids,
                       std::vector<Output>* outputs) {
  Graph graph;
  WeightInputs weights(graph, model);
  const LoraInputs lora = adapter ? declare_lora(graph, *adapter, false) : LoraInputs{};
  const ModelGraph forward = forward_of(model, weights, lora);
  const int64_t T = int64_t(ids.size());
  const Value hidden = model_hidden(forward, graph.input("tokens", {DType::i32, {1, T}}));
  graph.output("logits", reshape(model_logits(forward, hidden), {T, model.spec().vocab}));
  run(graph, model, adapter, ids, outputs);
}

static void run_gradients(const LanguageModel& model, LoraAdapter& adapter, const std::vector<int32_t>& ids,
                          bool checkpointing, std::vector<Output>* outputs) {
  Graph graph;
  WeightInputs weights(graph, model);
  const LoraInputs lora = declare_lora(graph, adapter, false);
  ModelGraph forward = forward_of(model, weights, lora);
  forward.checkpoint_layers = checkpointing;
  const int64_t T = int64_t(ids.size());
  const Value hidden = model_hidden(forward, graph.input("tokens", {DType::i32, {1, T}}));
  const Value loss = model_loss(forward, reshape(hidden, {T, hidden.dim(2)}), graph.input("labels", {DType::i32, {T}}));
  std::vector<Value> matrices;
  std::vector<std::string> names;
  for (const auto& [name, value] : lora.all) {
    matrices.push_back(value);
    names.push_back(name);
  }
  const std::string prefix = checkpointing ? "checkpointing." : "";
  const std::vector<Value> derivatives = gradients(loss, matrices);
  graph.output(prefix + "loss", loss);
  for (size_t i = 0; i < names.size(); ++i) graph.output(prefix + names[i], derivatives[i]);
  run(graph, model, &adapter, ids, outputs);
}

static void save(const std::string& path, const std::vector<Output>& outputs) {
  std::vector<TensorRef> tensors;
  for (const Output& out : outputs)
    tensors.push_back(
        {out.name, {DType::f32, out.dims}, reinterpret_cast<const std::byte*>(out.values.data()), nullptr});
  write_safetensors(path, tensors);
}

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: hearth_model_check MODEL ADAPTER OUT.safetensors TOKENS PROMPT\n";
    return 2;
  }
  try {
    const LanguageModel model = LanguageModel::load(argv[1]);
    std::optional<LoraAdapter> adapter;
    if (std::string(argv[2]) != "-") adapter = LoraAdapter::load(model, argv[2]);
    LoraAdapter* const used = adapter ? &*adapter : nullptr;
    const int64_t tokens = std::stoll(argv[4]);
    const std::vector<int32_t> ids = model.tokenizer().encode(argv[5]);
    std::vector<Output> outputs;
    run_logits(model, used, ids, &outputs);
    if (adapter) {
      run_gradients(model, *adapter, ids, false, &outputs);
      run_gradients(model, *adapter, ids, true, &outputs);
    }
    save(argv[3], outputs);
    Json result = {{"prompt", ids}};
    for (const bool cache : {true, false}) {
      Generator generator(model, used);
      result[cache ? "cached" : "whole"] =
          generator.generate(argv[5], {.max_tokens = tokens, .ignore_eos = true, .cache = cache}).ids;
    }
    std::cout << result.dump() << "\n";
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
