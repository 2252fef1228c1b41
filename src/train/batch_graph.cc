// SPDX-License-Identifier: Apache-2.0
#include "train/batch_graph.h"

#include <cmath>

#include "ops/elementwise/elementwise.h"
#include "ops/embedding/embedding.h"
#include "ops/random/random.h"
#include "ops/shape/shape.h"

namespace hearth {

static constexpr int64_t kNoiseSite = 1 << 20;  // of random bits; the model's linear layers have those from 0 on

static Value noisy(const Value& x, const BatchExtras& extras) {  // x [B,T,E]
  const double size = extras.noise_alpha / std::sqrt(double(x.dim(1) * x.dim(2)));
  return x + convert(uniform_noise(extras.rng, x.dims(), kNoiseSite) * size, x.dtype());
}

BatchGraph::BatchGraph(Graph& graph, const LanguageModel& model, const StepGraphOptions& o, const LoraInputs* lora,
                       const BatchExtras& extras)
    : graph_(graph), weights_(graph, model), forward_{.spec = model.spec(), .dtype = o.dtype, .weight = {}} {
  forward_.weight = [this, lora](const std::string& name) {
    return lora ? lora->weight(weights_, name) : weights_(name);
  };
  forward_.lora = lora ? &lora->values : nullptr;
  forward_.checkpoint_layers = o.checkpointing;
  forward_.trace = extras.trace;
  forward_.loss_terms = extras.loss_terms;
  if (extras.noise_alpha > 0) forward_.after_embedding = [extras](const Value& x) { return noisy(x, extras); };
  const Value tokens = graph.input("tokens", {DType::i32, {o.batch, o.block}});
  if (o.packed) {
    forward_.segments = graph.input("segments", tokens.type());
    forward_.positions = graph.input("positions", tokens.type());
  }
  const Value hidden = model_hidden(forward_, tokens);  // [B,T,E]
  if (extras.trace) extras.trace->push_back(hidden);
  hidden_ = reshape(hidden, {o.batch * o.block, hidden.dim(2)});
}

Value BatchGraph::labels() {
  if (!labels_.valid()) labels_ = graph_.input("labels", {DType::i32, {hidden_.dim(0)}});
  return labels_;
}

TokenLogProbs BatchGraph::log_probs_at(int64_t count) {
  const TensorType type{DType::i32, {count}};
  const Value rows = graph_.input("rows", type);
  return model_log_probs(forward_, embedding(hidden_, rows), graph_.input("labels", type));
}

}  // namespace hearth
