// SPDX-License-Identifier: Apache-2.0
#include "text/questions.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

Question question(const std::string& json) { return parse_question(parse_json(json, "q")); }
std::string refusal(const std::string& json) {
  return error_of(Kind::format, [&] { question(json); });
}

TEST(Questions, forms_of_published_sets) {
  const Question q = question(R"({"context": "c", "choices": ["x", "yy"], "answer": "B"})");
  EXPECT_EQ(q.context, "c");
  EXPECT_EQ(q.choices, (std::vector<std::string>{"x", "yy"}));
  EXPECT_EQ(q.answer, 1u);
  EXPECT_EQ(question(R"({"question": "c", "choices": ["x", "y"], "gold": 0})").answer, 0u);
  EXPECT_EQ(question(R"({"question": "c", "choices": ["x", "y", "z"], "label": "2"})").answer, 2u);
  // Where choices have labels, these count: "1" is the first.
  EXPECT_EQ(
      question(R"({"question": "", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "1"})").answer,
      0u);
}

TEST(Questions, texts_of_errors) {
  EXPECT_EQ(refusal(R"({"question": "c", "choices": ["x", "y"]})"),
            "a question needs 'question' or 'context', 'choices' and 'answer'; it has 'question', 'choices'");
  EXPECT_EQ(refusal(R"({"question": "c", "choices": ["x", "y"], "answer": 1.0})"),
            "'answer' must be a number from 0 to 1 or a letter from A to B, found 1.0");
  EXPECT_EQ(refusal(R"({"question": "c", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answer": "3"})"),
            "'answer' must be a number from 0 to 1 or a letter from A to B, found \"3\"");
  EXPECT_EQ(refusal(R"({"question": "c", "choices": "xy", "answer": 0})"),
            "'choices' must be a list of texts, found string");
}

TEST(Questions, white_space_belongs_to_the_choice) {
  const Tokenizer tokenizer = Tokenizer::load(source_file("assets/prose-14m"));
  const ScoredText plain = tokenize_continuation(tokenizer, "the king", " said"),
                   moved = tokenize_continuation(tokenizer, "the king ", "said"),
                   empty = tokenize_continuation(tokenizer, "", " said"),
                   white = tokenize_continuation(tokenizer, " \n", "said"),
                   begun = tokenize_continuation(tokenizer, "<s>the king", " said");
  EXPECT_EQ(moved.tokens, plain.tokens);
  EXPECT_EQ(moved.continuation, plain.continuation);
  EXPECT_EQ(empty.tokens[0], tokenizer.bos_id());
  EXPECT_EQ(empty.continuation, empty.tokens.size() - 1);
  EXPECT_EQ(white.tokens[0], tokenizer.bos_id());
  EXPECT_LT(white.continuation, white.tokens.size());
  EXPECT_EQ(std::count(begun.tokens.begin(), begun.tokens.end(), tokenizer.bos_id()), 1);  // no second <s>
}

}  // namespace
}  // namespace hearth
