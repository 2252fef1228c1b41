// SPDX-License-Identifier: Apache-2.0
// Source: Jiang et al. 2024, arXiv:2401.04088: Mistral with experts, two of which serve a token.
#include "base/error.h"
#include "models/decoder_layout.h"
#include "models/experts_layout.h"

namespace hearth {

ModelSpec mixtral_spec(const JsonView& config) {
  ModelSpec spec =
      read_decoder(config, {.sizes = {.kv_heads = 8, .max_positions = 4096 * 32}, .rope = {.theta = 1e6}, .eps = 1e-5});
  set_windows(&spec, config, 0);
  const char* count_key = config.has("num_experts") ? "num_experts" : "num_local_experts";
  const ExpertsOptions experts{.count = config.integer_or(count_key, 8, {.min = 1, .max = 4096}),
                               .used = config.integer_or("num_experts_per_tok", 2, {.min = 1, .max = 4096}),
                               .ffn = spec.ffn,
                               .gate = "w1",
                               .up = "w3",
                               .down = "w2"};
  HEARTH_CHECK(experts.used <= experts.count, format, config.file(), ": num_experts_per_tok ", experts.used,
               " is more than the ", experts.count, " experts there are");
  for (LayerSpec& layer : spec.layers) make_experts(experts, spec.hidden, &layer);
  spec.file_names = {{".mlp.", ".block_sparse_moe."}};
  return spec;
}

}  // namespace hearth
