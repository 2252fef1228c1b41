// SPDX-License-Identifier: Apache-2.0
#include "generate/generation_graph.h"

#include "base/error.h"
#include "compiler/compile.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/matmul/matmul.h"
#include "train/lora_inputs.h"

namespace hearth {

std::string cache_input(const char* kind, int64_t layer) { return cat("cache.", kind, ".", layer); }

static KvCacheValues declare_cache(Graph& graph, const LlamaConfig& config, const GenerationShape& shape) {
  KvCacheValues cache;
  const TensorType type{shape.dtype, {1, shape.capacity, config.kv_heads, config.head_size}};  // [1,S,G,D]
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    cache.keys.push_back(graph.input(cache_input("k", layer), type));
    cache.values.push_back(graph.input(cache_input("v", layer), type));
  }
  cache.start = graph.input("start", {DType::i32, {}});
  return cache;
}

static void return_cache(Graph& graph, const KvCacheValues& cache) {
  for (size_t layer = 0; layer < cache.keys.size(); ++layer) {
    const std::string k = cache_input("k", int64_t(layer)), v = cache_input("v", int64_t(layer));
    graph.output_in_place(k, cache.keys[layer], k);
    graph.output_in_place(v, cache.values[layer], v);
  }
}

// Logits of hidden states, with the LoRA update of the output layer where an adapter has one.
static Value output_layer(const LlamaForward& forward, const Value& x) {
  const Value y = linear(x, llama_output_weight(forward));
  if (!forward.lora || !forward.lora->modules.count("lm_head")) return y;
  const LoraValues& lora = forward.lora->modules.at("lm_head");
  return y + linear(linear(x, lora.a), lora.b) * forward.lora->scale;
}

Plan compile_generation(const LanguageModel& model, const LoraAdapter* adapter, const GenerationShape& shape) {
  Graph graph;
  WeightInputs weights(graph, model.folder());
  const LlamaConfig& config = model.config();
  const Value tokens = graph.input("tokens", {DType::i32, {1, shape.tokens}});
  const Value last = graph.input("last", {DType::i32, {}});
  const LoraValuesOf lora = adapter ? declare_lora(graph, *adapter, false) : LoraValuesOf{};
  KvCacheValues cache = shape.capacity > 0 ? declare_cache(graph, config, shape) : KvCacheValues{};
  const LlamaForward forward{.config = config,
                             .dtype = shape.dtype,
                             .weight = [&](const std::string& name) { return weights(name); },
                             .lora = adapter ? &lora : nullptr,
                             .cache = shape.capacity > 0 ? &cache : nullptr};
  Value x = llama_hidden(forward, tokens);  // [1,T,C]
  const Value zero = constant(graph, 0, DType::i32);
  if (shape.tokens > 1) x = dynamic_slice(x, {zero, last, zero}, {1, 1, config.hidden});  // [1,1,C]
  graph.output("logits", convert(output_layer(forward, x), DType::f32));                  // [1,1,V]
  return_cache(graph, cache);
  return compile(graph);
}

void bind_model(Session& session, const LanguageModel& model, const LoraAdapter* adapter) {
  WeightInputs::bind(session, model.folder());
  if (adapter) bind_lora(session, const_cast<LoraAdapter&>(*adapter));  // no output takes them over: they are only read
}

}  // namespace hearth
