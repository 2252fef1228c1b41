// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Llama family as a graph. Source: Touvron et al. 2023, arXiv:2302.13971; grouped heads: Ainslie et al. 2023,
// arXiv:2305.13245. Weight names are Hugging Face's.

#include <functional>
#include <map>
#include <optional>

#include "ir/graph.h"
#include "models/llama/llama_config.h"

namespace hearth {

// LoRA on one linear layer: y += scale * B(A(dropout(x))).
struct LoraValues {
  Value a, b;  // [r,in], [out,r], f32
};
struct LoraValuesOf {
  std::map<std::string, LoraValues> modules = {};  // by module path
  double scale = 1, dropout = 0;
  Value rng = {};  // u64[2], needed when dropout > 0
};

// The update of one layer's output. `site` tells its random numbers from those of other layers.
Value lora_update(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site);

// Keys and values of one layer so far, [B,S,G,D] with S the capacity, and where the new tokens go.
struct KvCacheValues {
  std::vector<Value> keys, values;  // per layer; replaced by the updated ones
  Value start;                      // i32 scalar: tokens already there
};

struct LlamaForward {
  const LlamaConfig& config;
  DType dtype = DType::f32;                         // of activations
  std::function<Value(const std::string&)> weight;  // by name, as stored
  const LoraValuesOf* lora = nullptr;
  KvCacheValues* cache = nullptr;  // null: tokens see those before them in the same call
  bool checkpoint_layers = false;
  std::vector<Value>* trace = nullptr;  // filled with the embedding's and each layer's output
};

// tokens i32 [B,T] -> [B,T,C], normalised, ready for the output layer.
Value llama_hidden(const LlamaForward& model, const Value& tokens);
// Weight of the output layer, [V,C].
Value llama_output_weight(const LlamaForward& model);
// Cross-entropy of hidden [N,C] summed over the labels i32 [N] that count, the output layer's LoRA update included. The
// logits never exist whole.
Value llama_loss(const LlamaForward& model, const Value& hidden, const Value& labels);

}  // namespace hearth
