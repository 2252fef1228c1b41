// SPDX-License-Identifier: Apache-2.0
#pragma once
// The layout of GPT-2 and its kin: "transformer.h.N.{ln_1, attn.{c_attn,c_proj}, ln_2, mlp.{c_fc,c_proj}}", learned
// positions. Source: Radford et al. 2019, "Language models are unsupervised multitask learners".

#include "models/config_reader.h"

namespace hearth {

struct GptOptions {
  const char* activation = "gelu_new";
  bool transposed = false;  // linear layers store [in,out]
};
// Queries, keys and values come in blocks.
ModelSpec read_gpt(const JsonView& config, int64_t kv_heads, const GptOptions& options);

}  // namespace hearth
