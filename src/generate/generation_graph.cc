// SPDX-License-Identifier: Apache-2.0
#include "generate/generation_graph.h"

#include "base/error.h"
#include "compiler/compile.h"
#include "models/model_graph.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "train/lora_inputs.h"

namespace hearth {

std::string frequencies_input(size_t rope) { return cat("frequencies.", rope); }

std::string cache_input(const char* kind, int64_t layer) { return cat("cache.", kind, ".", layer); }

static KvCacheValues declare_cache(Graph& graph, const ModelSpec& spec, const GenerationShape& shape) {
  KvCacheValues cache;
  const TensorType type{shape.dtype, {shape.rows, shape.capacity, spec.kv_heads, spec.head_size}};  // [B,S,G,D]
  for (size_t layer = 0; layer < spec.layers.size(); ++layer) {
    cache.keys.push_back(graph.input(cache_input("k", int64_t(layer)), type));
    cache.values.push_back(graph.input(cache_input("v", int64_t(layer)), type));
  }
  cache.start = graph.input("start", {DType::i32, shape.rows == 1 ? Dims{} : Dims{shape.rows}});
  return cache;
}

static void return_cache(Graph& graph, const KvCacheValues& cache) {
  for (size_t layer = 0; layer < cache.keys.size(); ++layer) {
    const std::string k = cache_input("k", int64_t(layer)), v = cache_input("v", int64_t(layer));
    graph.output_in_place(k, cache.keys[layer], k);
    graph.output_in_place(v, cache.values[layer], v);
  }
}

Plan compile_generation(const LanguageModel& model, const LoraAdapter* adapter, const GenerationShape& shape) {
  HEARTH_CHECK(shape.rows == 1 || (shape.tokens == 1 && shape.capacity > 0), bug, "generation: ", shape.rows,
               " rows of ", shape.tokens, " tokens with a cache of ", shape.capacity);
  Graph graph;
  WeightInputs weights(graph, model);
  const ModelSpec& spec = model.spec();
  const Value tokens = graph.input("tokens", {DType::i32, {shape.rows, shape.tokens}});
  const Value last = graph.input("last", {DType::i32, {}});
  const LoraInputs lora = adapter ? declare_lora(graph, *adapter, false) : LoraInputs{};
  KvCacheValues cache = shape.capacity > 0 ? declare_cache(graph, spec, shape) : KvCacheValues{};
  std::map<size_t, Value> frequencies;
  const auto frequencies_of = [&](size_t i) {
    const auto [entry, fresh] = frequencies.try_emplace(i);
    if (fresh) entry->second = graph.input(frequencies_input(i), {DType::f32, {spec.ropes[i].rotated / 2}});
    return entry->second;
  };
  const ModelGraph forward{.spec = spec,
                           .dtype = shape.dtype,
                           .weight = [&](const std::string& name) { return lora.weight(weights, name); },
                           .lora = adapter ? &lora.values : nullptr,
                           .cache = shape.capacity > 0 ? &cache : nullptr,
                           .frequencies = frequencies_of};
  Value x = model_hidden(forward, tokens);  // [1,T,E]
  const Value zero = constant(graph, 0, DType::i32);
  if (shape.tokens > 1) x = dynamic_slice(x, {zero, last, zero}, {1, 1, x.dim(2)});  // [1,1,E]
  graph.output("logits", convert(model_logits(forward, x), DType::f32));             // [B,1,V]
  return_cache(graph, cache);
  return compile(graph);
}

void bind_model(Session& session, const LanguageModel& model, const LoraAdapter* adapter) {
  WeightInputs::bind(session, model.folder());
  if (adapter) bind_lora(session, const_cast<LoraAdapter&>(*adapter));  // no output takes them over: they are only read
}

}  // namespace hearth
