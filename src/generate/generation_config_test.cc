// SPDX-License-Identifier: Apache-2.0
#include "generate/generation_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

ModelDefaults read(const std::string& text) {
  const Json json = parse_json(text, "generation_config.json");
  return read_generation_config(JsonView(json, "generation_config.json"));
}

TEST(GenerationConfig, nothing_said) {
  const GenerateOptions o = read("{}").options;
  EXPECT_EQ(o.temperature, 0);
  EXPECT_EQ(o.max_tokens, 128);
  EXPECT_EQ(o.beams, 0);
}

TEST(GenerationConfig, sampling_as_chat_models_have_it) {
  const ModelDefaults d = read(
      R"({"do_sample": true, "temperature": 0.6, "top_p": 0.9, "max_length": 4096, "repetition_penalty": 1.1,
          "eos_token_id": [1, 2], "transformers_version": "4.40.0", "max_new_tokens": 77})");
  EXPECT_EQ(d.options.temperature, 0.6);
  EXPECT_EQ(d.options.top_p, 0.9);
  EXPECT_EQ(d.options.top_k, 50);  // transformers' own
  EXPECT_EQ(d.options.repetition_penalty, 1.1);
  EXPECT_EQ(d.options.max_tokens, 77);
  EXPECT_TRUE(d.ignored.empty());
  EXPECT_EQ(read(R"({"do_sample": true, "top_k": null})").options.top_k, 50);
  EXPECT_EQ(read(R"({"do_sample": true})").options.temperature, 1);
}

TEST(GenerationConfig, without_do_sample_it_is_greedy) {
  const GenerateOptions o = read(R"({"temperature": 0.6, "top_k": 5, "repetition_penalty": 1.2})").options;
  EXPECT_EQ(o.temperature, 0);
  EXPECT_EQ(o.top_k, 0);
  EXPECT_EQ(o.repetition_penalty, 1.2);
}

TEST(GenerationConfig, forbidden_and_biased_tokens) {
  const GenerateOptions o = read(R"({"bad_words_ids": [[5], [6, 7]], "suppress_tokens": [8],
      "begin_suppress_tokens": [9, 10], "sequence_bias": [[[1, 2], -1.5]], "stop_strings": "END"})")
                                .options;
  ASSERT_EQ(o.bias.size(), 4u);
  EXPECT_EQ(o.bias[0].ids, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(o.bias[0].bias, -1.5);
  EXPECT_EQ(o.bias[2].ids, (std::vector<int32_t>{6, 7}));
  EXPECT_EQ(o.bias[3].bias, -INFINITY);
  EXPECT_EQ(o.never_first, (std::vector<int32_t>{9, 10}));
  EXPECT_EQ(o.stop, std::vector<std::string>{"END"});
}

TEST(GenerationConfig, beams) {
  const GenerateOptions o =
      read(R"({"num_beams": 4, "length_penalty": 0.8, "early_stopping": "never", "num_return_sequences": 2})").options;
  EXPECT_EQ(o.beams, 4);
  EXPECT_EQ(o.samples, 2);
  EXPECT_EQ(o.length_penalty, 0.8);
  EXPECT_EQ(o.early_stopping, EarlyStopping::never);
  EXPECT_EQ(read(R"({"early_stopping": true})").options.early_stopping, EarlyStopping::full);
}

TEST(GenerationConfig, what_hearth_has_not_is_named) {
  const ModelDefaults d = read(R"({"penalty_alpha": 0.6, "epsilon_cutoff": 0.0, "eta_cutoff": 3e-4,
      "diversity_penalty": 0, "num_beam_groups": 1, "forced_eos_token_id": null})");
  EXPECT_EQ(d.ignored, (std::vector<std::string>{"penalty_alpha", "eta_cutoff"}));
  EXPECT_EQ(read(R"({"do_sample": true, "num_beams": 3})").ignored, std::vector<std::string>{"num_beams"});
}

TEST(GenerationConfig, values_that_make_no_sense) {
  const auto refused = [](const std::string& text) { return error_of(Kind::format, [&] { read(text); }); };
  EXPECT_TEXT(refused(R"({"do_sample": true, "temperature": "hot"})"), "'temperature'");
  EXPECT_TEXT(refused(R"({"do_sample": true, "top_p": 1.5})"), "'top_p'");
  EXPECT_TEXT(refused(R"({"num_beams": 0})"), "'num_beams'");
  EXPECT_TEXT(refused(R"({"bad_words_ids": [5]})"), "'bad_words_ids' must be a list of lists of token ids");
  EXPECT_TEXT(refused(R"({"bad_words_ids": 5})"), "'bad_words_ids'");
  EXPECT_TEXT(refused(R"({"sequence_bias": [[[1], "x"]]})"), "'sequence_bias'");
  EXPECT_TEXT(refused(R"({"suppress_tokens": [-1]})"), "'suppress_tokens'");
  EXPECT_TEXT(refused(R"({"early_stopping": "soon"})"), "'early_stopping'");
  EXPECT_TEXT(refused(R"({"stop_strings": [1]})"), "'stop_strings'");
}

}  // namespace
}  // namespace hearth
