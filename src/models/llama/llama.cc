// SPDX-License-Identifier: Apache-2.0
#include "models/llama/llama.h"

#include "array/transforms.h"
#include "base/error.h"
#include "ops/attention/attention.h"
#include "ops/dynamic_slice/dynamic_slice.h"
#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/linear_cross_entropy/linear_cross_entropy.h"
#include "ops/matmul/matmul.h"
#include "ops/random/random.h"
#include "ops/rms_norm/rms_norm.h"
#include "ops/rope/rope.h"
#include "ops/shape/shape.h"

namespace hearth {
// dropout(x) A^T, [...,r]. The matrices are kept in f32 and read in the type of the activations.
static Value lora_inner(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site) {
  return linear(lora.dropout > 0 ? dropout(x, lora.dropout, lora.rng, site) : x, matrices.a);
}

Value lora_update(const LoraValuesOf& lora, const Value& x, const LoraValues& matrices, int64_t site) {
  return linear(lora_inner(lora, x, matrices, site), matrices.b) * lora.scale;
}

namespace {

constexpr int64_t kLinearsOfLayer = 7;

class LlamaLayer {
 public:
  LlamaLayer(const LlamaForward& model, int64_t index, const Value& positions)
      : model_(model),
        c_(model.config),
        index_(index),
        name_("model.layers." + std::to_string(index)),
        positions_(positions) {}

  Value forward(const Value& x) const {  // [B,T,C]
    Scope scope("layers." + std::to_string(index_));
    const Value n = rms_norm(x, weight("input_layernorm"), c_.rms_eps);
    const Value h = x + attend(n);
    const Value m = rms_norm(h, weight("post_attention_layernorm"), c_.rms_eps);
    Scope mlp("mlp");
    return h + project(silu(project(m, "mlp.gate_proj")) * project(m, "mlp.up_proj"), "mlp.down_proj");
  }

 private:
  Value weight(const std::string& part) const { return model_.weight(name_ + "." + part + ".weight"); }

  Value attend(const Value& x) const {
    Scope scope("attn");
    const RopeOptions turn{.frequencies = c_.rope_frequencies, .scale = c_.rope_scale};
    const Value q = rope(heads(project(x, "self_attn.q_proj"), c_.heads), positions_, turn);  // [B,T,H,D]
    Value k = rope(heads(project(x, "self_attn.k_proj"), c_.kv_heads), positions_, turn);     // [B,T,G,D]
    Value v = heads(project(x, "self_attn.v_proj"), c_.kv_heads);                             // [B,T,G,D]
    AttentionOptions options;
    if (KvCacheValues* cache = model_.cache) {
      const Value zero = constant(*x.graph, 0, DType::i32);
      const std::vector<Value> at = {zero, cache->start, zero, zero};
      k = cache->keys[size_t(index_)] = dynamic_update_slice(cache->keys[size_t(index_)], k, at);      // [B,S,G,D]
      v = cache->values[size_t(index_)] = dynamic_update_slice(cache->values[size_t(index_)], v, at);  // [B,S,G,D]
      options.start = cache->start;
    }
    const Value y = attention(q, k, v, options);  // [B,T,H,D]
    return project(reshape(y, {x.dim(0), x.dim(1), c_.heads * c_.head_size}), "self_attn.o_proj");
  }

  static Value heads(const Value& x, int64_t count) {
    return reshape(x, {x.dim(0), x.dim(1), count, x.dim(2) / count});
  }

  // A linear layer with its bias and its LoRA update, if it has them.
  Value project(const Value& x, const std::string& part) const {
    Scope scope(part.substr(part.find('.') + 1));
    const std::string module = name_ + "." + part;
    Value y = linear(x, model_.weight(module + ".weight"));
    if (model_.lora) {
      const auto found = model_.lora->modules.find(module);
      if (found != model_.lora->modules.end()) y = y + lora_update(*model_.lora, x, found->second, site(part));
    }
    const bool biased = part.rfind("self_attn", 0) == 0 ? c_.attention_bias : c_.mlp_bias;
    if (biased) y = y + convert(model_.weight(module + ".bias"), y.dtype());
    return y;
  }

  // Every linear layer draws its own random numbers; the output layer's site is that of a layer after the last.
  int64_t site(const std::string& part) const {
    static const char* parts[kLinearsOfLayer] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                                 "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                                 "mlp.down_proj"};
    int64_t i = 0;
    while (part != parts[i]) ++i;
    return index_ * kLinearsOfLayer + i;
  }

  const LlamaForward& model_;
  const LlamaConfig& c_;
  const int64_t index_;
  const std::string name_;
  const Value positions_;
};

}  // namespace

Value llama_hidden(const LlamaForward& model, const Value& tokens) {
  Graph& graph = *tokens.graph;
  Value x = convert(embedding(model.weight("model.embed_tokens.weight"), tokens), model.dtype);  // [B,T,C]
  Value positions = iota(graph, DType::i32, {tokens.dim(1)}, 0);
  if (model.cache) positions = positions + model.cache->start;
  if (model.trace) model.trace->push_back(x);
  for (int64_t i = 0; i < model.config.layers; ++i) {
    const LlamaLayer layer(model, i, positions);
    const Function forward = [&](const std::vector<Value>& in) -> std::vector<Value> { return {layer.forward(in[0])}; };
    x = model.checkpoint_layers ? checkpoint(forward)({x})[0] : forward({x})[0];
    if (model.trace) model.trace->push_back(x);
  }
  return rms_norm(x, model.weight("model.norm.weight"), model.config.rms_eps);
}

Value llama_output_weight(const LlamaForward& model) {
  return model.weight(model.config.tied ? "model.embed_tokens.weight" : "lm_head.weight");
}

Value llama_loss(const LlamaForward& model, const Value& hidden, const Value& labels) {
  Scope scope("lm_head");
  std::optional<LowRankLogits> update;
  if (model.lora && model.lora->modules.count("lm_head")) {
    const LoraValues& matrices = model.lora->modules.at("lm_head");
    const int64_t site = model.config.layers * kLinearsOfLayer;
    update = LowRankLogits{lora_inner(*model.lora, hidden, matrices, site), matrices.b, model.lora->scale};
  }
  return linear_cross_entropy(hidden, llama_output_weight(model), labels, update);
}

}  // namespace hearth
