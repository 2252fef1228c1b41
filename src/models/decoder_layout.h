// SPDX-License-Identifier: Apache-2.0
#pragma once
// The layout that most families share with Llama: model.embed_tokens, model.layers.N.{input_layernorm,
// self_attn.{q,k,v, o}_proj, post_attention_layernorm, mlp.{gate,up,down}_proj}, model.norm, lm_head. A family fills in
// what differs. Source: Touvron et al. 2023, arXiv:2302.13971; grouped heads: Ainslie et al. 2023, arXiv:2305.13245.

#include "models/config_reader.h"

namespace hearth {

struct DecoderOptions {
  SizeDefaults sizes = {};
  RopeDefaults rope = {};  // head size and context are filled in
  NormKind norm = NormKind::rms;
  const char* eps_key = "rms_norm_eps";
  double eps = 1e-6;
  bool norm_bias = false;
  double norm_offset = 0;
  bool qkv_bias = false, out_bias = false, mlp_bias = false;
  const char* activation_key = "hidden_act";
  const char* activation = "silu";
};

ModelSpec read_decoder(const JsonView& config, DecoderOptions options);

// Sets the window of the layers that slide.
void set_windows(ModelSpec* spec, int64_t window, const std::vector<bool>& sliding);
// Every layer slides: "sliding_window", where the file has none `usual`.
void set_windows(ModelSpec* spec, const JsonView& config, int64_t usual);

// Qwen's rule: with use_sliding_window the layers from max_window_layers on slide, unless layer_types says otherwise.
void set_upper_windows(ModelSpec* spec, const JsonView& config);

// Norms of queries and keys, "<layer>.self_attn.{q,k}_norm" unless named otherwise: like the layer's own, over heads of
// [D].
void add_head_norms(ModelSpec* spec, const std::string& q_name = "q_norm", const std::string& k_name = "k_norm");

// Gemma 2's four norms, of which the second and the fourth are of the sub-layers' outputs.
void add_output_norms(ModelSpec* spec);

// "<name>.{gate,up,down}_proj".
void make_gated_mlp(const std::string& name, int64_t hidden, int64_t ffn, bool bias, MlpSpec* mlp);

}  // namespace hearth
