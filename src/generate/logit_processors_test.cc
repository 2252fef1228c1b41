// SPDX-License-Identifier: Apache-2.0
// Each processor on logits that are looked at by hand; tests/interop/generation_test.py has those of transformers.
#include "generate/logit_processors.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
using Floats = std::vector<float>;

// Behind a prompt of the first two of ids.
Floats processed(const GenerateOptions& options, Floats logits, std::vector<int32_t> ids = {0, 1, 2, 1}) {
  const std::vector<int32_t> ends = {3};
  process_logits(options, ends, ids, 2, logits);
  return logits;
}

TEST(LogitProcessors, nothing_asked_nothing_changed) { EXPECT_EQ(processed({}, {1, -2, 3, 4}), (Floats{1, -2, 3, 4})); }

TEST(LogitProcessors, bias_of_a_token_and_of_a_sequence) {
  EXPECT_EQ(processed({.bias = {{{3}, -2.5}, {{0}, kNever}}}, {1, 1, 1, 1}), (Floats{kNever, 1, 1, -1.5}));
  EXPECT_EQ(processed({.bias = {{{2, 1, 0}, 7}, {{1, 1, 3}, 7}}}, {0, 0, 0, 0}), (Floats{7, 0, 0, 0}));
  EXPECT_EQ(processed({.bias = {{{0, 0, 1, 2, 1, 3}, 7}, {{9}, 1}}}, {0, 0, 0, 0}), (Floats{0, 0, 0, 0}));
}

TEST(LogitProcessors, repetition_counts_the_prompt_and_each_token_once) {
  EXPECT_EQ(processed({.repetition_penalty = 2}, {4, -4, 4, 4}), (Floats{2, -8, 2, 4}));
  EXPECT_EQ(processed({.repetition_penalty = 0.5}, {4, -4, 4, 4}), (Floats{8, -2, 8, 4}));
}

TEST(LogitProcessors, presence_and_frequency_count_the_answer_only) {
  const std::vector<int32_t> ids = {0, 0, 1, 2, 1};
  EXPECT_EQ(processed({.presence_penalty = 1}, {0, 0, 0, 0}, ids), (Floats{0, -1, -1, 0}));
  EXPECT_EQ(processed({.frequency_penalty = 0.5}, {0, 0, 0, 0}, ids), (Floats{0, -1, -0.5, 0}));
  EXPECT_EQ(processed({.presence_penalty = -1, .frequency_penalty = 0.5}, {0, 0, 0, 0}, ids), (Floats{0, 0, 0.5, 0}));
}

TEST(LogitProcessors, no_repeated_ngram) {
  EXPECT_EQ(processed({.no_repeat_ngram = 2}, {0, 0, 0, 0}), (Floats{0, 0, kNever, 0}));  // 1 2 was there
  EXPECT_EQ(processed({.no_repeat_ngram = 1}, {0, 0, 0, 0}), (Floats{kNever, kNever, kNever, 0}));
  EXPECT_EQ(processed({.no_repeat_ngram = 3}, {0, 0, 0, 0}), (Floats{0, 0, 0, 0}));
  EXPECT_EQ(processed({.no_repeat_ngram = 9}, {0, 0, 0, 0}), (Floats{0, 0, 0, 0}));
}

TEST(LogitProcessors, no_end_too_early_and_not_first) {
  EXPECT_EQ(processed({.min_tokens = 3}, {0, 0, 0, 0}), (Floats{0, 0, 0, kNever}));
  EXPECT_EQ(processed({.min_tokens = 2}, {0, 0, 0, 0}), (Floats{0, 0, 0, 0}));
  EXPECT_EQ(processed({.never_first = {1}}, {0, 0, 0, 0}, {0, 1}), (Floats{0, kNever, 0, 0}));
  EXPECT_EQ(processed({.never_first = {1}}, {0, 0, 0, 0}), (Floats{0, 0, 0, 0}));
}

TEST(LogitProcessors, in_order) {  // bias before the repetition penalty, which comes before the presence penalty
  EXPECT_EQ(processed({.repetition_penalty = 2, .presence_penalty = 1, .bias = {{{2}, 2}}}, {0, 0, 2, 0}),
            (Floats{0, -1, 1, 0}));
}

TEST(LogitProcessors, options_that_make_no_sense) {
  const auto refused = [](const GenerateOptions& options) {
    return error_of(Kind::value, [&] { check_options(options); });
  };
  EXPECT_TEXT(refused({.min_p = 1.5}), "min_p must be from 0 to 1; it is 1.5");
  EXPECT_TEXT(refused({.typical_p = 0}), "typical_p");
  EXPECT_TEXT(refused({.repetition_penalty = 0}), "repetition_penalty must be above 0; it is 0");
  EXPECT_TEXT(refused({.presence_penalty = kNever}), "presence_penalty");
  EXPECT_TEXT(refused({.frequency_penalty = kNever}), "frequency_penalty");
  EXPECT_TEXT(refused({.no_repeat_ngram = -1}), "no_repeat_ngram");
  EXPECT_TEXT(refused({.min_tokens = -1}), "min_tokens");
  EXPECT_TEXT(refused({.bias = {{{}, 1}}}), "at least one token");
  EXPECT_TEXT(refused({.bias = {{{5}, -kNever}}}), "the bias of token 5");
  EXPECT_TEXT(refused({.stop = {""}}), "a stop text may not be empty");
  EXPECT_TEXT(refused({.samples = 0}), "samples");
  EXPECT_TEXT(refused({.batch_size = 0}), "batch_size");
  EXPECT_TEXT(refused({.temperature = 1, .beams = 2}), "beam search takes the likeliest tokens");
  EXPECT_TEXT(refused({.samples = 3, .beams = 2}), "2 beams give at most 2 answers, not 3");
}

}  // namespace
}  // namespace hearth
