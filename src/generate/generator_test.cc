// SPDX-License-Identifier: Apache-2.0
// On the small real model of assets/, against what the real transformers said (tests/assets/reference).
#include "generate/generator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

Generator& prose_generator() {
  static Generator generator(prose());
  return generator;
}

const Json& reference() {
  static const Json json = read_json_file(source_file("tests/assets/reference/reference_run.json"));
  return json;
}

// Behind the prompt, without the end token.
std::vector<int32_t> new_ids(const Json& all_ids) {
  auto ids = all_ids.get<std::vector<int32_t>>();
  ids.erase(ids.begin(), ids.begin() + int64_t(reference()["base"]["prompt_ids"].size()));
  while (!ids.empty() && ids.back() == 2) ids.pop_back();
  return ids;
}

std::string long_text(size_t chars) {
  return read_file(source_file("assets/tinyshakespeare.txt"), 1 << 24).substr(0, chars);
}

TEST(Generator, greedy_equals_transformers) {
  const auto wanted = new_ids(reference()["base"]["greedy_ids"]);
  const std::string prompt = reference()["base"]["prompt"].get<std::string>();
  const Generation got = prose_generator().generate(prompt, {.max_tokens = int64_t(wanted.size())});
  EXPECT_EQ(got.ids, wanted);
  EXPECT_EQ(prompt + got.text, reference()["base"]["greedy_text"].get<std::string>());
  EXPECT_EQ(got.prompt_tokens, int64_t(reference()["base"]["prompt_ids"].size()));
}

TEST(Generator, greedy_with_a_trained_adapter_equals_peft) {
  const LoraAdapter adapter = LoraAdapter::load(prose(), source_file("tests/assets/reference/lora_trained"));
  const auto wanted = new_ids(reference()["lora"]["greedy_ids_after"]);
  Generator generator(prose(), &adapter);
  EXPECT_EQ(generator.generate(reference()["base"]["prompt"], {.max_tokens = int64_t(wanted.size())}).ids, wanted);
}

TEST(Generator, same_tokens_without_cache) {
  for (const size_t chars : {1, 20, 90}) {
    const std::string prompt = long_text(chars);
    const GenerateOptions with{.max_tokens = 20}, without{.max_tokens = 20, .cache = false};
    EXPECT_EQ(prose_generator().generate(prompt, with).ids, prose_generator().generate(prompt, without).ids) << chars;
  }
}

// Logits of a prompt in several chunks, the last one padded, are those of one call on everything.
TEST(Generator, chunks_of_a_long_prompt_join) {
  const std::string text = long_text(2200);
  Generator generator(prose());
  const Generation cached = generator.generate(text, {.max_tokens = 3});
  ASSERT_GT(cached.prompt_tokens, 512);
  EXPECT_EQ(cached.ids, generator.generate(text, {.max_tokens = 3, .cache = false}).ids);
}

TEST(Generator, logits_do_not_depend_on_padding_or_earlier_use) {
  const std::vector<int32_t> ids = prose().tokenizer().encode(long_text(60));
  Generator fresh(prose());
  const std::vector<float> first = fresh.logits(ids);
  ASSERT_EQ(int64_t(first.size()), prose().spec().vocab);
  fresh.generate(long_text(300), {.max_tokens = 5});  // leaves other keys and values behind
  const std::vector<float> again = fresh.logits(ids);
  for (size_t i = 0; i < first.size(); ++i) ASSERT_NEAR(first[i], again[i], 1e-4) << i;
}

TEST(Generator, same_seed_same_text) {
  const auto text = [](uint64_t seed) {
    return prose_generator()
        .generate("The night", {.max_tokens = 12, .temperature = 0.9, .top_k = 50, .seed = seed})
        .text;
  };
  const std::string first = text(1);
  EXPECT_EQ(first, text(1));
  EXPECT_TRUE(first != text(2) || first != text(3));
}

TEST(Generator, pieces_are_the_text) {
  std::string joined;
  size_t pieces = 0;
  const Generation got = prose_generator().generate("My lord,", {.max_tokens = 10}, [&](const std::string& piece) {
    joined += piece;
    return ++pieces > 0;
  });
  EXPECT_EQ(joined, got.text);
  EXPECT_GT(pieces, 3u);
}

TEST(Generator, the_reader_can_stop_it) {
  const Generation got =
      prose_generator().generate("My lord,", {.max_tokens = 50}, [](const std::string&) { return false; });
  EXPECT_LT(got.ids.size(), 5u);
  EXPECT_FALSE(got.stopped());
}

TEST(Generator, no_tokens_wanted_no_tokens_written) {
  const Generation got = prose_generator().generate("My lord,", {.max_tokens = 0});
  EXPECT_TRUE(got.ids.empty());
  EXPECT_EQ(got.text, "");
}

// Every token ends the text when generation_config.json says so.
TEST(Generator, generation_config_names_the_end_tokens) {
  const Generation free = prose_generator().generate("My lord,", {.max_tokens = 4});
  ASSERT_EQ(free.ids.size(), 4u);
  TestFolder folder;
  for (const std::string& name : list_folder(prose().path())) {
    ASSERT_EQ(::symlink(std::filesystem::absolute(join_path(prose().path(), name)).c_str(), (folder / name).c_str()),
              0);
  }
  remove_tree(folder / "generation_config.json");
  write_file_atomic(folder / "generation_config.json", cat("{\"eos_token_id\": [4095, ", free.ids[2], "]}"));
  const LanguageModel model = LanguageModel::load(folder.path());
  const Generation got = Generator(model).generate("My lord,", {.max_tokens = 4});
  EXPECT_TRUE(got.stopped());
  EXPECT_EQ(got.ids, (std::vector<int32_t>{free.ids[0], free.ids[1]}));
  EXPECT_EQ(Generator(model).generate("My lord,", {.max_tokens = 4, .ignore_eos = true}).ids, free.ids);
}

TEST(Generator, context_that_is_too_short_is_named) {
  const std::string text = error_of(Kind::value, [] { prose_generator().generate("My lord,", {.max_tokens = 1021}); });
  EXPECT_EQ(
      text,
      "the prompt's 5 tokens and 1021 new ones do not fit in the model's context of 1024; at most 1019 new tokens do");
  EXPECT_TEXT(error_of(Kind::value, [] { prose_generator().generate(long_text(9000), {.max_tokens = 1}); }), "1024");
  EXPECT_TEXT(error_of(Kind::value, [] { prose_generator().logits({}); }), "empty");
  EXPECT_TEXT(error_of(Kind::value, [] { prose_generator().logits({4096}); }), "4096");
}

TEST(Generator, options_that_make_no_sense) {
  const auto refused = [](const GenerateOptions& options) {
    return error_of(Kind::value, [&] { prose_generator().generate("a", options); });
  };
  EXPECT_TEXT(refused({.temperature = -1}), "temperature");
  EXPECT_TEXT(refused({.temperature = std::nan("")}), "temperature");
  EXPECT_TEXT(refused({.top_k = -1}), "top_k");
  EXPECT_TEXT(refused({.top_p = 0}), "top_p");
  EXPECT_TEXT(refused({.max_tokens = -1}), "max_tokens");
}

double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    size += std::pow(a[i], 2);
  }
  return std::sqrt(difference / size);
}

TEST(Generator, adapter_of_the_output_layer_counts) {
  LoraAdapter adapter = LoraAdapter::create(prose(), {.rank = 4, .targets = {"lm_head"}}, 1);
  AlignedFloats& b = adapter.modules().at("lm_head").b;
  for (size_t i = 0; i < b.size(); ++i) b[i] = 0.1f * (float(i % 7) - 3);
  TestFolder folder;
  merge_adapter(prose(), adapter, folder / "merged");
  const LanguageModel merged = LanguageModel::load(folder / "merged");
  const std::vector<int32_t> ids = prose().tokenizer().encode("My lord,");
  const std::vector<float> with = Generator(prose(), &adapter).logits(ids);
  EXPECT_LT(relative_distance(with, Generator(merged).logits(ids)), 0.01);  // the merged weights are rounded to bf16
  EXPECT_GT(relative_distance(with, prose_generator().logits(ids)), 0.02);
}

TEST(Generator, bf16_says_nearly_the_same) {
  const std::vector<int32_t> ids = prose().tokenizer().encode("First Citizen:\nBefore we");
  const std::vector<float> exact = prose_generator().logits(ids);
  const std::vector<float> rounded = Generator(prose(), nullptr, DType::bf16).logits(ids);
  EXPECT_LT(relative_distance(exact, rounded), 0.05);
  EXPECT_NE(exact, rounded);  // it must not have computed in f32
}

}  // namespace
}  // namespace hearth
