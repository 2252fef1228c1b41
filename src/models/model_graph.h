// SPDX-License-Identifier: Apache-2.0
#pragma once
// A language model as a graph, from its description: one builder for all families, for training and for decoding with
// a cache.

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "models/lora_values.h"
#include "models/model_spec.h"
#include "ops/token_log_prob/token_log_prob.h"

namespace hearth {

// Keys and values of one layer so far, [B,S,G,D] with S the capacity, and where the new tokens go.
struct KvCacheValues {
  std::vector<Value> keys, values;  // per layer; replaced by the updated ones
  Value start;                      // i32 scalar, or [B]: tokens already there
};

struct ModelGraph {
  const ModelSpec& spec;
  DType dtype = DType::f32;                         // of activations
  std::function<Value(const std::string&)> weight;  // by name, as stored
  const LoraValuesOf* lora = nullptr;
  KvCacheValues* cache = nullptr;  // null: tokens see those before them in the same call
  // Angles per position of ModelSpec::ropes[i], f32 [R/2], where they depend on the text's length and only the run
  // knows it. Null: the text is as long as the call's tokens.
  std::function<Value(size_t)> frequencies = {};
  bool checkpoint_layers = false;
  // Several documents in a row: a token sees those of its own segment only, and its place is counted from the
  // document's begin. i32 [B,T] both; not valid: one document a row.
  Value segments = {}, positions = {};
  LossTerms loss_terms = {};                                // of model_loss
  std::function<Value(const Value&)> after_embedding = {};  // changes the tokens' embeddings [B,T,E]: noise
  std::vector<Value>* trace = nullptr;                      // filled with the embedding's and each layer's output
};

// tokens i32 [B,T] -> [B,T,E], normalised, ready for the output layer; E is the embedding's size.
Value model_hidden(const ModelGraph& model, const Value& tokens);
// Logits of hidden [...,E], the output layer's LoRA update included.
Value model_logits(const ModelGraph& model, const Value& hidden);
// Cross-entropy of hidden [N,E] summed over the labels i32 [N] that count, the output layer's LoRA update included. The
// logits never exist whole.
Value model_loss(const ModelGraph& model, const Value& hidden, const Value& labels);
// Log-probability of each label under hidden [N,E], and whether it is the likeliest; logits never whole either.
TokenLogProbs model_log_probs(const ModelGraph& model, const Value& hidden, const Value& labels);

}  // namespace hearth
