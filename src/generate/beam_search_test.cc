// SPDX-License-Identifier: Apache-2.0
// Against a search that keeps everything; tests/interop/generation_test.py compares with transformers.
#include "generate/beam_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/file_test_folder.h"
#include "generate/generator.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

double log_probability(Generator& generator, std::vector<int32_t> prompt, const std::vector<int32_t>& ids) {
  double sum = 0;
  for (const int32_t id : ids) {
    const std::vector<float> logits = generator.logits(prompt);
    double all = 0;
    for (const float x : logits) all += std::exp(double(x));
    sum += logits[size_t(id)] - std::log(all);
    prompt.push_back(id);
  }
  return sum;
}

const std::vector<int32_t>& prompt() {
  static const std::vector<int32_t> ids = prose().tokenizer().encode("The night was dark, and");
  return ids;
}

TEST(BeamSearch, one_beam_is_greedy) {
  Generator generator(prose());
  const Generation greedy = generator.generate_all({prompt()}, {.max_tokens = 20}).answers[0][0];
  EXPECT_EQ(generator.generate_all({prompt()}, {.max_tokens = 20, .beams = 1}).answers[0][0].ids, greedy.ids);
}

TEST(BeamSearch, scores_are_log_probabilities_by_length) {
  Generator generator(prose());
  for (const double penalty : {0.0, 1.0, -0.5, 2.0}) {
    const Generations got = generator.generate_all(
        {prompt()}, {.max_tokens = 8, .ignore_eos = true, .samples = 4, .beams = 4, .length_penalty = penalty});
    ASSERT_EQ(got.answers[0].size(), 4u);
    for (size_t i = 0; i < 4; ++i) {
      const Generation& answer = got.answers[0][i];
      ASSERT_EQ(answer.ids.size(), 8u);
      EXPECT_NEAR(*answer.score, log_probability(generator, prompt(), answer.ids) / std::pow(8, penalty), 2e-3);
      if (i > 0) {
        EXPECT_LE(answer.score, got.answers[0][i - 1].score);
      }
    }
  }
}

// With as many beams as there are tokens nothing is lost in two steps: the best pairs of all.
TEST(BeamSearch, wide_beams_find_the_best_pair) {
  Generator generator(prose());
  const std::vector<float> first = generator.logits(prompt());
  std::vector<int32_t> order(first.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = int32_t(i);
  std::sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return first[size_t(a)] > first[size_t(b)]; });
  double best = -INFINITY;
  for (size_t i = 0; i < 12; ++i) {  // a pair that begins less likely has less than the best
    std::vector<int32_t> ids = prompt();
    ids.push_back(order[i]);
    const std::vector<float> second = generator.logits(ids);
    const auto top = int32_t(std::max_element(second.begin(), second.end()) - second.begin());
    best = std::max(best, log_probability(generator, prompt(), {order[i], top}));
  }
  const Generation got =
      generator.generate_all({prompt()}, {.max_tokens = 2, .ignore_eos = true, .beams = 12, .length_penalty = 0})
          .answers[0][0];
  EXPECT_NEAR(*got.score, best, 1e-3);
}

TEST(BeamSearch, stop_texts_end_beams) {
  Generator generator(prose());
  const Generations got =
      generator.generate_all({prompt()}, {.max_tokens = 30, .stop = {","}, .samples = 3, .beams = 3});
  for (const Generation& answer : got.answers[0]) {
    EXPECT_EQ(answer.text.find(','), std::string::npos);
    if (answer.reason == StopReason::stop_text) {
      EXPECT_EQ(answer.stop_text, ",");
    }
  }
  EXPECT_EQ(got.answers[0][0].reason, StopReason::stop_text);
}

TEST(BeamSearch, forbidden_tokens_never_come) {
  Generator generator(prose());
  const Generation free = generator.generate_all({prompt()}, {.max_tokens = 6, .beams = 3}).answers[0][0];
  GenerateOptions options{.max_tokens = 6, .beams = 3};
  for (const int32_t id : free.ids) options.bias.push_back({{id}, -INFINITY});
  const Generation other = generator.generate_all({prompt()}, options).answers[0][0];
  ASSERT_EQ(other.ids.size(), 6u);
  for (const int32_t id : other.ids) EXPECT_EQ(std::count(free.ids.begin(), free.ids.end(), id), 0);
}

TEST(BeamSearch, log_probabilities_sum_to_the_score) {
  Generator generator(prose());
  const Generation got =
      generator
          .generate_all({prompt()},
                        {.max_tokens = 7, .ignore_eos = true, .beams = 3, .length_penalty = 0, .logprobs = 0})
          .answers[0][0];
  double sum = 0;
  for (const TokenChances& chances : got.chances) sum += chances.logprob;
  EXPECT_NEAR(*got.score, sum, 1e-4);
}

TEST(BeamSearch, cancelled_beams_are_given_as_they_are) {
  Generator generator(prose());
  int asked = 0;
  const Generation got =
      generator
          .generate_all({prompt()},
                        {.max_tokens = 50, .ignore_eos = true, .beams = 3, .cancelled = [&] { return ++asked > 4; }})
          .answers[0][0];
  EXPECT_EQ(got.reason, StopReason::cancelled);
  EXPECT_EQ(got.ids.size(), 5u);
}

}  // namespace
}  // namespace hearth
