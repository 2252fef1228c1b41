// SPDX-License-Identifier: Apache-2.0
#pragma once
// Multiple choice by log-likelihood, with the arithmetic of lm-evaluation-harness: the choice that the model finds
// likeliest behind the question is its answer.
// Source: Gao et al., lm-evaluation-harness 0.4.13, ConfigurableTask.process_results.

#include "text/questions.h"
#include "train/lora.h"

namespace hearth {

struct MultipleChoiceOptions {
  std::string delimiter = " ";      // between question and choice
  bool mutual_information = false;  // also score each choice behind nothing
  int64_t batch = 8;                // rows of texts computed together
  DType dtype = DType::f32;
};

// What a model says to one question; a number for each choice.
struct ChoiceScores {
  std::vector<double> log_likelihoods;
  std::vector<bool> greedy;           // every token of it is the likeliest
  std::vector<double> unconditional;  // log-likelihoods behind nothing; empty unless asked for
};

// Which choice wins: by the sum of its tokens' log-probabilities; that divided by its characters (acc_norm) or by its
// bytes (acc_bytes), the delimiter not counted; that less its log-likelihood behind nothing (acc_mutual_info). The
// first of equals.
size_t pick(const ChoiceScores& scores);
size_t pick_by_characters(const ChoiceScores& scores, const Question& question);
size_t pick_by_bytes(const ChoiceScores& scores, const Question& question);
size_t pick_by_mutual_information(const ChoiceScores& scores);

struct Accuracy {
  double mean = 0, standard_error = 0;  // sqrt of the sample variance / N; 0 for a single question
};
Accuracy accuracy_of(const std::vector<bool>& right);

struct MultipleChoiceReport {
  int64_t questions = 0, choices = 0;
  int64_t truncated = 0;  // choices whose context lost its begin to the model's context length
  Accuracy accuracy = {}, by_characters = {}, by_bytes = {}, by_mutual_information = {};
  std::vector<ChoiceScores> scores = {};  // of each question
};

// Choices whose tokens but for the last are the same (A, B, C, D) are computed once; different texts share rows of a
// batch, none sees the others. Throws Error{value} for a choice longer than the model's context.
MultipleChoiceReport answer_questions(const LanguageModel& model, const LoraAdapter* adapter,
                                      const std::vector<Question>& questions, const MultipleChoiceOptions& options);

}  // namespace hearth
