// SPDX-License-Identifier: Apache-2.0
#pragma once
// The model applied to a batch of rows of tokens, inside a larger graph.

#include "models/model_graph.h"
#include "train/step_graph.h"

namespace hearth {

// What is done besides computing the model, all of it only in training but the trace.
struct BatchExtras {
  std::vector<Value>* trace = nullptr;  // gets the embedding's, each layer's and the last normalisation's output
  LossTerms loss_terms = {};
  double noise_alpha = 0;  // StepGraphOptions::neftune_alpha
  Value rng = {};          // u64[2], with noise
};

class BatchGraph {
 public:
  // Declares tokens i32[B,T] and, with packed rows, segments and positions. graph, model, lora and trace must outlive
  // this.
  BatchGraph(Graph& graph, const LanguageModel& model, const StepGraphOptions& options, const LoraInputs* lora,
             const BatchExtras& extras = {});
  BatchGraph(const BatchGraph&) = delete;
  BatchGraph& operator=(const BatchGraph&) = delete;

  Value hidden() const { return hidden_; }  // [B*T,E]
  int64_t vocabulary() const { return forward_.spec.vocab; }
  Value logits(const Value& hidden) const { return model_logits(forward_, hidden); }
  Value labels();                                                   // declares labels i32[B*T], once
  Value loss() { return model_loss(forward_, hidden_, labels()); }  // sum over the labels that count
  TokenLogProbs log_probs() { return model_log_probs(forward_, hidden_, labels()); }
  // Of `count` places of the batch only: declares rows i32[M], places in [B*T], and labels i32[M].
  TokenLogProbs log_probs_at(int64_t count);

 private:
  Graph& graph_;
  WeightInputs weights_;
  ModelGraph forward_;
  Value hidden_, labels_;
};

}  // namespace hearth
