// SPDX-License-Identifier: Apache-2.0
// Answers computed together are those of each prompt alone, on the small real model of assets/.
#include "generate/batch_run.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file_test_folder.h"
#include "generate/generator.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

std::vector<std::vector<int32_t>> prompts(size_t count) {
  const std::vector<std::string> texts = {"My lord,",
                                          "The night was dark, and",
                                          "He",
                                          "It was the best of times, it was the worst of times, and all the people in "
                                          "the town who had come out to look at the ships",
                                          "\"No,\" said she,",
                                          "First Citizen:",
                                          "On the road"};
  std::vector<std::vector<int32_t>> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(prose().tokenizer().encode(texts[i % texts.size()]));
  return ids;
}

void expect_as_alone(const GenerateOptions& options, size_t count) {
  const auto all = prompts(count);
  Generator together(prose()), alone(prose());
  const Generations got = together.generate_all(all, options);
  ASSERT_EQ(got.answers.size(), count);
  for (size_t i = 0; i < count; ++i) {
    const Generations wanted = alone.generate_all({all[i]}, options);
    ASSERT_EQ(got.answers[i].size(), size_t(options.samples));
    for (size_t s = 0; s < got.answers[i].size(); ++s) {
      EXPECT_EQ(got.answers[i][s].ids, wanted.answers[0][s].ids) << i << " " << s;
      EXPECT_EQ(got.answers[i][s].text, wanted.answers[0][s].text);
      EXPECT_EQ(got.answers[i][s].reason, wanted.answers[0][s].reason);
    }
  }
}

TEST(BatchRun, greedy_as_alone) { expect_as_alone({.max_tokens = 40}, 5); }
TEST(BatchRun, seeded_as_alone) { expect_as_alone({.max_tokens = 40, .temperature = 1, .top_p = 0.9, .seed = 7}, 5); }
TEST(BatchRun, more_prompts_than_rows) {
  expect_as_alone({.max_tokens = 25, .stop = {",", "the "}, .batch_size = 3}, 7);  // rows end at different times
}
TEST(BatchRun, several_samples_as_alone) {
  expect_as_alone({.max_tokens = 12, .temperature = 1, .samples = 5, .batch_size = 4}, 3);
}
TEST(BatchRun, with_penalties_as_alone) {
  expect_as_alone({.max_tokens = 30, .repetition_penalty = 1.3, .frequency_penalty = 0.2, .no_repeat_ngram = 3}, 4);
}

TEST(BatchRun, samples_share_the_prefill_and_differ) {
  Generator generator(prose());
  const auto one = prompts(4);
  const Generations got = generator.generate_all(
      {one[3]}, {.max_tokens = 10, .temperature = 1, .ignore_eos = true, .samples = 12, .batch_size = 4});
  EXPECT_EQ(got.prefilled_tokens, int64_t(one[3].size()));  // once for the three rounds
  std::set<std::vector<int32_t>> different;
  for (const Generation& answer : got.answers[0]) different.insert(answer.ids);
  EXPECT_EQ(different.size(), 12u);
}

TEST(BatchRun, the_first_sample_is_that_of_one_alone) {
  Generator generator(prose());
  const GenerateOptions one{.max_tokens = 10, .temperature = 1, .seed = 3};
  GenerateOptions three = one;
  three.samples = 3;
  EXPECT_EQ(generator.generate_all(prompts(1), one).answers[0][0].ids,
            generator.generate_all(prompts(1), three).answers[0][0].ids);
}

TEST(BatchRun, answers_are_told_as_they_are_done) {
  Generator generator(prose());
  std::set<std::pair<size_t, int64_t>> told;
  const Generations got = generator.generate_all(prompts(5), {.max_tokens = 6, .samples = 2, .batch_size = 4}, {},
                                                 [&](size_t prompt, int64_t sample, const Generation& answer) {
                                                   EXPECT_LE(answer.ids.size(), 6u);
                                                   EXPECT_TRUE(told.insert({prompt, sample}).second);
                                                 });
  EXPECT_EQ(told.size(), 10u);
}

TEST(BatchRun, cancelled_answers_stay_as_they_are) {
  Generator generator(prose());
  int asked = 0;
  const Generations got =
      generator.generate_all(prompts(3), {.max_tokens = 50, .batch_size = 2, .cancelled = [&] { return ++asked > 6; }});
  EXPECT_EQ(got.answers[0][0].reason, StopReason::cancelled);
  EXPECT_GT(got.answers[0][0].ids.size(), 1u);
  EXPECT_LT(got.answers[0][0].ids.size(), 9u);
  EXPECT_TRUE(got.answers[2][0].ids.empty());
  EXPECT_EQ(got.answers[2][0].reason, StopReason::cancelled);
}

TEST(BatchRun, no_prompts_no_answers) {
  Generator generator(prose());
  EXPECT_TRUE(generator.generate_all({}, {}).answers.empty());
  EXPECT_EQ(generator.generate_all(prompts(2), {.max_tokens = 0}).answers[1][0].prompt_tokens,
            int64_t(prompts(2)[1].size()));
}

TEST(BatchRun, log_probabilities_are_those_of_the_model) {
  Generator generator(prose());
  const std::vector<int32_t> prompt = prompts(1)[0];
  const Generation got =
      generator.generate_all({prompt}, {.max_tokens = 3, .temperature = 0.5, .logprobs = 4}).answers[0][0];
  ASSERT_EQ(got.chances.size(), got.ids.size());
  std::vector<int32_t> ids = prompt;
  for (size_t i = 0; i < got.ids.size(); ++i) {
    const std::vector<float> logits = generator.logits(ids);
    double sum = 0;
    for (const float x : logits) sum += std::exp(double(x));
    EXPECT_NEAR(got.chances[i].logprob, logits[size_t(got.ids[i])] - std::log(sum), 1e-4);
    ASSERT_EQ(got.chances[i].top.size(), 4u);
    for (size_t k = 0; k < 4; ++k) {
      const TokenChance& chance = got.chances[i].top[k];
      EXPECT_NEAR(chance.logprob, logits[size_t(chance.id)] - std::log(sum), 1e-4);
      if (k > 0) {
        EXPECT_LE(chance.logprob, got.chances[i].top[k - 1].logprob);
      }
    }
    ids.push_back(got.ids[i]);
  }
}

TEST(GenerateOn, what_a_text_begins_with_is_not_computed_again) {
  const auto all = prompts(4);
  const GenerateOptions options{.max_tokens = 20};
  Generator generator(prose()), fresh(prose());
  const Generation first = generator.generate_on(all[0], options);
  std::vector<int32_t> longer = all[0];
  longer.insert(longer.end(), first.ids.begin(), first.ids.end());
  longer.insert(longer.end(), all[1].begin() + 1, all[1].end());
  int64_t reused = 0;
  const Generation second = generator.generate_on(longer, options, {}, &reused);
  EXPECT_EQ(reused, int64_t(all[0].size() + first.ids.size()) - (first.reason == StopReason::max_tokens));
  EXPECT_EQ(second.ids, fresh.generate_on(longer, options).ids);
  longer.insert(longer.begin() + 4, 300);  // from here on it differs
  const std::vector<int32_t> very_long = [&] {
    std::vector<int32_t> ids = longer;
    for (int i = 0; i < 9; ++i) ids.insert(ids.end(), all[3].begin() + 1, all[3].end());
    return ids;
  }();
  const Generation third = generator.generate_on(very_long, options, {}, &reused);  // needs a larger cache
  EXPECT_EQ(reused, 4);
  EXPECT_EQ(third.ids, fresh.generate_on(very_long, options).ids);
  EXPECT_EQ(generator.generate_on(very_long, options, {}, &reused).ids, third.ids);
  EXPECT_EQ(reused, int64_t(very_long.size()) - 1);
  generator.logits(all[0]);  // writes over it
  EXPECT_EQ(generator.generate_on(very_long, options, {}, &reused).ids, third.ids);
  EXPECT_EQ(reused, 0);
}

}  // namespace
}  // namespace hearth
