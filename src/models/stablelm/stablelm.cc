// SPDX-License-Identifier: Apache-2.0
// Source: Bellagente et al. 2024, arXiv:2402.17834: layer norms, a quarter of each head is rotated; the 12B model has
// attention and mlp side by side and a norm of each head.
#include "base/error.h"
#include "models/decoder_layout.h"

namespace hearth {

static NormSpec norm_of_heads(const std::string& name, int64_t heads, int64_t size, double eps) {
  return {.kind = NormKind::layer, .name = name, .dims = {heads, size}, .eps = eps, .by_head = true};
}

ModelSpec stablelm_spec(const JsonView& config) {
  ModelSpec spec = read_decoder(config, {.sizes = {.kv_heads = 32, .max_positions = 4096},
                                         .rope = {.rotated_part = 0.25},
                                         .norm = NormKind::layer,
                                         .eps_key = "layer_norm_eps",
                                         .eps = 1e-5,
                                         .norm_bias = true,
                                         .qkv_bias = config.boolean_or("use_qkv_bias", false)});
  const bool parallel = config.boolean_or("use_parallel_residual", false);
  const bool norms = config.boolean_or("qk_layernorm", false);
  HEARTH_CHECK(!norms || spec.heads <= 4096, unsupported, config.file(), ": qk_layernorm with ", spec.heads, " heads");
  for (LayerSpec& layer : spec.layers) {
    layer.parallel = parallel;
    if (parallel) layer.mlp_norms.before = {};
    if (!norms) continue;
    const double eps = layer.attention_norms.before.eps;
    const std::string attention = layer.name + ".self_attn.";
    layer.attention.q_norm = norm_of_heads(attention + "q_layernorm", spec.heads, spec.head_size, eps);
    layer.attention.k_norm = norm_of_heads(attention + "k_layernorm", spec.kv_heads, spec.head_size, eps);
  }
  return spec;
}

}  // namespace hearth
