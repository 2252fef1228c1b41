// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of a model's graph.

#include "models/model_graph.h"

namespace hearth {

// What all layers of one graph share.
struct LayerContext {
  const ModelGraph& model;
  Value positions;                            // i32 [T], or [B,T] for packed rows
  std::map<std::string, int64_t> sites = {};  // a number of its own for each linear layer's random numbers
  std::vector<RopeSpec> ropes = {};           // for this call's length
  Value alibi = {};                           // f32 [H,S]; not valid without
};
LayerContext layer_context(const ModelGraph& model, const Value& tokens);

// The outputs of one linear layer, cut into parts of these sizes, with its LoRA update and its bias, if it has them.
// Every part is a product of its own, so nothing is copied, and derivatives need no padding.
std::vector<Value> project_parts(const LayerContext& context, const Value& x, const LinearSpec& linear,
                                 const Dims& sizes);
Value project(const LayerContext& context, const Value& x, const LinearSpec& linear);
// x itself when there is no norm.
Value normalise(const LayerContext& context, const Value& x, const NormSpec& norm);
Value activate(const Value& x, Activation activation);

Value attention_graph(const LayerContext& context, const Value& x, const AttentionSpec& attention, size_t layer);
Value mlp_graph(const LayerContext& context, const Value& x, const MlpSpec& mlp);
Value experts_graph(const LayerContext& context, const Value& x, const ExpertsSpec& experts);
Value layer_graph(const LayerContext& context, const Value& x, size_t layer);  // [B,T,C] -> [B,T,C]

}  // namespace hearth
