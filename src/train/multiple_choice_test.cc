// SPDX-License-Identifier: Apache-2.0
#include "train/multiple_choice.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/file_test_folder.h"
#include "train/evaluate.h"
#include "train/packed_scores.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

TEST(MultipleChoice, what_wins) {
  const Question q{"", {"ab", "\u00e9\u00e9\u00e9\u00e9", "abcde"}, 0};  // 2, 4 and 5 characters; 2, 8 and 5 bytes
  const ChoiceScores s{{-4, -7.6, -9.4}, {false, false, false}, {-4, -12, -9}};
  EXPECT_EQ(pick(s), 0u);
  EXPECT_EQ(pick_by_characters(s, q), 2u);  // -2, -1.9, -1.88
  EXPECT_EQ(pick_by_bytes(s, q), 1u);       // -2, -0.95, -1.88
  EXPECT_EQ(pick_by_mutual_information(s), 1u);
  EXPECT_EQ(pick({{-1, -1}, {}, {}}), 0u);  // the first of equals
}

TEST(MultipleChoice, accuracy_and_its_standard_error) {
  const Accuracy a = accuracy_of({true, false, true, true});
  EXPECT_DOUBLE_EQ(a.mean, 0.75);
  EXPECT_DOUBLE_EQ(a.standard_error, std::sqrt(0.75 / 3 / 4));  // squares: 3/16 + 9/16; over N-1, over N
  EXPECT_EQ(accuracy_of({true}).standard_error, 0);
  EXPECT_EQ(accuracy_of({}).mean, 0);
}

// Texts of many lengths in small batches, and choices that share an input, score as each alone.
TEST(MultipleChoice, packed_texts_score_as_each_alone) {
  std::vector<ScoredText> texts;
  for (const std::string context : {"the king said", "It was the best of times, it was the worst of", "a", "Once upon"})
    for (const std::string choice : {" A", " B", " C", " times and the river of time"})
      texts.push_back(tokenize_continuation(prose().tokenizer(), context, choice));
  PackedScores all(prose().spec().max_positions);
  for (const ScoredText& text : texts) EXPECT_FALSE(all.add(text));
  const std::vector<TextScore> together = all.score(prose(), nullptr, 2, DType::f32);
  ASSERT_EQ(together.size(), texts.size());
  for (size_t i = 0; i < texts.size(); i += 3) {
    PackedScores one(prose().spec().max_positions);
    one.add(texts[i]);
    const TextScore alone = one.score(prose(), nullptr, 1, DType::f32)[0];
    EXPECT_NEAR(together[i].log_prob, alone.log_prob, 1e-5 * std::abs(alone.log_prob)) << i;
    EXPECT_EQ(together[i].greedy, alone.greedy);
  }
}

TEST(MultipleChoice, what_cannot_be_scored) {
  PackedScores scores(4);
  const auto add = [&](std::vector<int32_t> tokens, size_t continuation) { return scores.add({tokens, continuation}); };
  EXPECT_FALSE(add({1, 2, 3, 4, 5}, 4));  // a context of 4 takes 4 tokens and predicts a fifth
  EXPECT_TRUE(add({1, 2, 3, 4, 5, 6}, 4));
  EXPECT_EQ(error_of(Kind::value,
                     [&] {
                       add({1, 2, 3, 4, 5, 6}, 5);
                     }),
            "a choice of 5 tokens is longer than the model's context of 4");
  EXPECT_EQ(error_of(Kind::value,
                     [&] {
                       add({1, 2}, 0);
                     }),
            "there is nothing to score: the tokenizer makes no token of the choice");
  EXPECT_EQ(error_of(Kind::value, [&] { add({1, 2}, 2); }), "nothing stands before the choice to predict it from");
}

}  // namespace
}  // namespace hearth
