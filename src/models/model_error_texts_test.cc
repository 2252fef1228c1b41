// SPDX-License-Identifier: Apache-2.0
// Golden texts of what config.json can ask for that no family has.
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "models/families.h"

namespace hearth {
namespace {

std::string error_with(const char* family, const Json& changes) {
  Json config = {
      {"model_type", family},     {"hidden_size", 64}, {"intermediate_size", 96},       {"num_hidden_layers", 2},
      {"num_attention_heads", 4}, {"vocab_size", 50},  {"max_position_embeddings", 64}, {"ffn_dim", 96}};
  config.update(changes);
  return message_of([&] { read_model_spec(JsonView(config, "config.json")); });
}

Json rope(const Json& settings) { return {{"rope_scaling", settings}}; }

TEST(ModelErrorTexts, rotary_embeddings) {
  EXPECT_EQ(error_with("llama", Json::object()), "");
  EXPECT_EQ(error_with("llama", rope({{"rope_type", "spiral"}})),
            "config.json: rope type 'spiral' is not supported; Hearth has default, linear, dynamic, llama3, yarn and "
            "longrope");
  EXPECT_EQ(error_with("llama", rope({{"rope_type", "linear"}})),
            "config.json: 'rope_scaling.factor' is missing\n  file config.json");
  EXPECT_EQ(error_with("llama", rope({{"rope_type", "dynamic"}, {"factor", 0.5}})),
            "config.json: 'rope_scaling.factor' must be a number in 1..1e+06, found 0.5\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"head_dim", 2}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2.0}}}}),
            "config.json: rope type 'dynamic' needs heads larger than 2");
  EXPECT_EQ(error_with("llama", {{"head_dim", 15}}),
            "config.json: 15 of a head's 15 elements would be rotated; rotary embeddings need pairs");
  EXPECT_EQ(error_with("llama", {{"rope_theta", 1}, {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 2.0}}}}),
            "config.json: rope type 'yarn' needs a rope_theta above 1; it is 1");
}

TEST(ModelErrorTexts, numbers) {
  EXPECT_EQ(error_with("llama", {{"hidden_size", -64}}),
            "config.json: 'hidden_size' must be an integer in 1..4294967296, found -64\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"hidden_size", "64"}}),
            "config.json: 'hidden_size' must be an integer in 1..4294967296, found \"64\"\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"hidden_size", 1e300}}),
            "config.json: 'hidden_size' must be an integer in 1..4294967296, found 1e+300\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"hidden_size", 1.5}}),
            "config.json: 'hidden_size' must be an integer in 1..4294967296, found 1.5\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"num_hidden_layers", 1 << 30}}),
            "config.json: 'num_hidden_layers' must be an integer in 1..10000, found 1073741824\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"num_attention_heads", 0}}),
            "config.json: 'num_attention_heads' must be an integer in 1..1048576, found 0\n  file config.json");
  EXPECT_EQ(error_with("llama", {{"num_key_value_heads", 3}}),
            "config.json: num_attention_heads 4 is no multiple of num_key_value_heads 3");
  EXPECT_EQ(error_with("llama", {{"vocab_size", nullptr}}), "config.json: 'vocab_size' is missing\n  file config.json");
}

TEST(ModelErrorTexts, settings) {
  EXPECT_EQ(
      error_with("llama", {{"hidden_act", "swish2"}}),
      "config.json: hidden_act 'swish2' is not supported; Hearth has silu, gelu, gelu_new, gelu_pytorch_tanh, relu");
  EXPECT_EQ(error_with("falcon", {{"new_decoder_architecture", true}, {"parallel_attn", false}}),
            "config.json: new_decoder_architecture without parallel_attn is not supported");
  EXPECT_EQ(error_with("falcon", {{"num_ln_in_parallel_attn", 2}}),
            "config.json: num_ln_in_parallel_attn 2 without new_decoder_architecture is not supported");
  EXPECT_EQ(error_with("gemma", {{"num_key_value_heads", 4}, {"use_bidirectional_attention", true}}),
            "config.json: 'use_bidirectional_attention' is true, which Hearth does not support");
  EXPECT_EQ(error_with("mamba", Json::object()).substr(0, 60),
            "load: model_type 'mamba' is not supported; Hearth has bloom,");
}

}  // namespace
}  // namespace hearth
