// SPDX-License-Identifier: Apache-2.0
// Whatever config.json says, a family reads it or refuses it with an error.
#include "models/families.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/file_test_folder.h"

namespace hearth {
namespace {

// Every key that some family reads, with a value that most take.
const char* const kConfig = R"({"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
  "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 50, "max_position_embeddings": 64,
  "rms_norm_eps": 1e-6, "layer_norm_eps": 1e-5, "layer_norm_epsilon": 1e-5, "hidden_act": "silu",
  "hidden_activation": "gelu_pytorch_tanh", "activation_function": "relu", "activation": "gelu",
  "tie_word_embeddings": false, "attention_bias": false, "mlp_bias": false, "bos_token_id": 1, "eos_token_id": [2, 3],
  "sliding_window": 8, "use_sliding_window": true, "max_window_layers": 1, "layer_types": null,
  "rope_theta": 10000.0, "rope_scaling": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32},
  "partial_rotary_factor": 0.5, "rotary_pct": 0.5, "rotary_emb_base": 10000, "num_local_experts": 4, "num_experts": 4,
  "num_experts_per_tok": 2, "moe_intermediate_size": 24, "shared_expert_intermediate_size": 40, "norm_topk_prob": true,
  "decoder_sparse_step": 1, "mlp_only_layers": [1], "qkv_bias": true, "query_pre_attn_scalar": 16,
  "attn_logit_softcapping": 5.0, "final_logit_softcapping": 9.0, "sliding_window_pattern": 2,
  "rope_local_base_freq": 10000.0, "n_embd": 64, "n_layer": 3, "n_head": 4, "n_positions": 64, "n_inner": null,
  "scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false, "multi_query": true,
  "use_parallel_residual": true, "ffn_dim": 96, "word_embed_proj_dim": 32, "do_layer_norm_before": true,
  "enable_bias": true, "layer_norm_elementwise_affine": true, "apply_residual_connection_post_layernorm": false,
  "new_decoder_architecture": true, "parallel_attn": true, "num_kv_heads": 2, "num_ln_in_parallel_attn": 2,
  "alibi": false, "bias": true, "ffn_hidden_size": 96, "use_qkv_bias": true, "qk_layernorm": true,
  "no_rope_layer_interval": 2, "no_rope_layers": null, "embedding_multiplier": 2.0, "logits_scaling": 2.0,
  "residual_multiplier": 0.5, "attention_multiplier": 0.3, "logit_scale": 0.5, "use_qk_norm": true, "seq_length": 64})";

// The words of the refusal; empty when the family takes it. Anything but an Error fails the test.
std::string read(const Json& config) {
  try {
    const ModelSpec spec = read_model_spec(JsonView(config, "config.json"));
    EXPECT_FALSE(weights_of(spec).empty());
    EXPECT_FALSE(linear_modules_of(spec).empty());
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Json config_of(const std::string& family) {
  Json config = Json::parse(kConfig);
  config["model_type"] = family;
  return config;
}

TEST(Families, each_reads_a_config) {
  for (const std::string& family : family_names()) EXPECT_EQ(read(config_of(family)), "") << family;
}

TEST(Families, layers_weights_and_targets_have_names_of_their_own) {
  for (const std::string& family : family_names()) {
    const Json config = config_of(family);
    const ModelSpec spec = read_model_spec(JsonView(config, "config.json"));
    std::set<std::string> weights, modules;
    for (const WeightSpec& weight : weights_of(spec)) EXPECT_TRUE(weights.insert(weight.name).second) << weight.name;
    for (const LinearModule& module : linear_modules_of(spec)) EXPECT_TRUE(modules.insert(module.name).second);
    EXPECT_TRUE(linear_modules_of(spec).back().is_output_embedding) << family;
    EXPECT_EQ(spec.layers.size(), 3u) << family;
    LoraConfig targets;
    targets.targets = spec.default_targets;
    int64_t found = 0;
    for (const std::string& module : modules) found += target_matches(targets, module, false);
    EXPECT_EQ(found, int64_t(3 * spec.default_targets.size())) << family;
  }
}

TEST(Families, any_value_of_any_key_is_read_or_refused) {
  const Json values = Json::parse(
      R"([null, -1, 0, 1, 3, 4294967296, 9223372036854775807, 1e308, -0.5, true, "", "gelu_new", [], [1], [0, 1, 2],
          ["full_attention", "sliding_attention", "full_attention"], {}, {"rope_type": "dynamic", "factor": 1e9},
          {"type": "longrope", "short_factor": [1, 2], "long_factor": [0, -1]}, {"rope_type": "linear"}])");
  for (const std::string& family : family_names()) {
    const Json good = config_of(family);
    for (const auto& [key, kept] : good.items()) {
      if (key == "model_type") continue;
      for (const Json& value : values) {
        Json config = good;
        config[key] = value;
        read(config);
      }
      Json config = good;
      config.erase(key);
      read(config);
    }
  }
}

TEST(Families, unknown_ones_are_refused_with_the_names_of_those_there_are) {
  Json config = config_of("mamba");
  const std::string text = read(config);
  EXPECT_EQ(text.rfind("load: model_type 'mamba' is not supported; Hearth has bloom, cohere, ", 0), 0u) << text;
  config.erase("model_type");
  EXPECT_NE(read(config).find("model_type ''"), std::string::npos);
}

TEST(Families, configs_of_the_corpus_are_read_or_refused) {
  for (const std::string& name : list_folder(source_file("tests/corpus/config"))) {
    try {
      const Json config = read_json_file(join_path(source_file("tests/corpus/config"), name));
      for (const std::string& family : family_names()) {
        if (!config.is_object()) continue;
        Json typed = config;
        typed["model_type"] = family;
        read(typed);
      }
    } catch (const Error&) {  // not JSON
    }
  }
}

}  // namespace
}  // namespace hearth
