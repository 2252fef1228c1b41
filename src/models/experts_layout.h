// SPDX-License-Identifier: Apache-2.0
#pragma once
// Mixture-of-experts layers in the layout "<mlp>.gate", "<mlp>.experts.<e>.<three names>".

#include "models/config_reader.h"

namespace hearth {

struct ExpertsOptions {
  int64_t count = 0, used = 0;
  int64_t ffn = 0;  // of one expert
  bool normalize = true;
  const char *gate = "gate_proj", *up = "up_proj", *down = "down_proj";
};

// Replaces the layer's mlp, whose activation the experts take over.
void make_experts(const ExpertsOptions& options, int64_t hidden, LayerSpec* layer);

// The Qwen families' rule: a layer has experts unless mlp_only_layers names it or decoder_sparse_step skips it.
ExpertsOptions read_qwen_experts(const JsonView& config, int64_t count, int64_t used, int64_t ffn);
bool qwen_layer_has_experts(const JsonView& config, size_t layer);

}  // namespace hearth
