// SPDX-License-Identifier: Apache-2.0
#include "models/decoder_layout.h"

#include <algorithm>

namespace hearth {

void make_gated_mlp(const std::string& name, int64_t hidden, int64_t ffn, bool bias, MlpSpec* mlp) {
  mlp->gate = {name + ".gate_proj", ffn, hidden, bias};
  mlp->up = {name + ".up_proj", ffn, hidden, bias};
  mlp->down = {name + ".down_proj", hidden, ffn, bias};
}

static NormSpec norm_of(const DecoderOptions& o, const std::string& name, int64_t size, double eps) {
  return {.kind = o.norm, .name = name, .dims = {size}, .eps = eps, .bias = o.norm_bias, .offset = o.norm_offset};
}

ModelSpec read_decoder(const JsonView& config, DecoderOptions o) {
  ModelSpec s = read_sizes(config, o.sizes, "model.layers");
  if (config.json().contains(o.eps_key) && !config.has(o.eps_key)) config.refuse(o.eps_key, "a number");
  const double eps = config.number_or(o.eps_key, o.eps, {.min = 0});
  const Activation activation = read_activation(config, o.activation_key, o.activation);
  o.rope.head_size = s.head_size;
  o.rope.max_positions = s.max_positions;
  s.ropes = {read_rope(config, o.rope)};
  s.max_positions = std::max(s.max_positions, s.ropes[0].most_positions);
  s.embedding = "model.embed_tokens";
  s.final_norm = norm_of(o, "model.norm", s.hidden, eps);
  s.output = {"lm_head", s.vocab, s.hidden};
  const int64_t C = s.hidden, q = s.heads * s.head_size, kv = s.kv_heads * s.head_size;
  for (LayerSpec& layer : s.layers) {
    const std::string attention = layer.name + ".self_attn.";
    layer.attention_norms.before = norm_of(o, layer.name + ".input_layernorm", C, eps);
    layer.attention.q = {attention + "q_proj", q, C, o.qkv_bias};
    layer.attention.k = {attention + "k_proj", kv, C, o.qkv_bias};
    layer.attention.v = {attention + "v_proj", kv, C, o.qkv_bias};
    layer.attention.out = {attention + "o_proj", C, q, o.out_bias};
    layer.attention.rope = 0;
    layer.mlp_norms.before = norm_of(o, layer.name + ".post_attention_layernorm", C, eps);
    make_gated_mlp(layer.name + ".mlp", C, s.ffn, o.mlp_bias, &layer.mlp);
    layer.mlp.activation = activation;
  }
  return s;
}

void set_windows(ModelSpec* spec, int64_t window, const std::vector<bool>& sliding) {
  for (size_t i = 0; i < spec->layers.size(); ++i) spec->layers[i].attention.window = sliding[i] ? window : 0;
}

void set_windows(ModelSpec* spec, const JsonView& config, int64_t usual) {
  set_windows(spec, read_window(config, usual), std::vector<bool>(spec->layers.size(), true));
}

void set_upper_windows(ModelSpec* spec, const JsonView& config) {
  const bool used = config.boolean_or("use_sliding_window", false);
  const int64_t first = config.integer_or("max_window_layers", 28, {.min = 0});
  const auto sliding =
      read_sliding_layers(config, spec->layers.size(), [&](size_t i) { return used && int64_t(i) >= first; });
  set_windows(spec, used ? read_window(config, 4096) : 0, sliding);
}

void add_head_norms(ModelSpec* spec, const std::string& q_name, const std::string& k_name) {
  for (LayerSpec& layer : spec->layers) {
    NormSpec norm = layer.attention_norms.before;
    norm.dims = {spec->head_size};
    norm.name = layer.name + ".self_attn." + q_name;
    layer.attention.q_norm = norm;
    norm.name = layer.name + ".self_attn." + k_name;
    layer.attention.k_norm = norm;
  }
}

void add_output_norms(ModelSpec* spec) {
  for (LayerSpec& layer : spec->layers) {
    layer.attention_norms.after = layer.mlp_norms.before;  // post_attention_layernorm
    layer.mlp_norms.before.name = layer.name + ".pre_feedforward_layernorm";
    layer.mlp_norms.after = layer.mlp_norms.before;
    layer.mlp_norms.after.name = layer.name + ".post_feedforward_layernorm";
  }
}

}  // namespace hearth
