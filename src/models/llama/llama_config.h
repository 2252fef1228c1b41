// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Llama family's config.json, in the names of transformers 4 and 5.

#include <string>
#include <vector>

#include "io/json.h"
#include "io/peft.h"

namespace hearth {

struct LlamaConfig {
  int64_t hidden = 0, ffn = 0, layers = 0, heads = 0, kv_heads = 0, head_size = 0, vocab = 0;  // C F L H G D V
  int64_t max_positions = 2048;
  double rms_eps = 1e-6;
  bool tied = false;  // the output layer is the embedding
  bool attention_bias = false, mlp_bias = false;
  std::vector<double> rope_frequencies;  // [D/2], scaled as rope_parameters say
  double rope_scale = 1;
  int32_t bos_id = -1;
  std::vector<int32_t> eos_ids;
};

// Throws Error{unsupported} for other architectures, activations and rope types, Error{format} for missing, wrongly
// typed or contradicting numbers; both name file and key.
LlamaConfig parse_llama_config(const JsonView& config);

struct WeightSpec {
  std::string name;  // "model.layers.0.self_attn.q_proj.weight"
  Dims dims;
};
// All weights that a folder with this config must hold (lm_head only when it is not tied).
std::vector<WeightSpec> llama_weights(const LlamaConfig& config);
// The linear layers, in the order of the model; the output layer last.
std::vector<LinearModule> llama_linear_modules(const LlamaConfig& config);

}  // namespace hearth
