// SPDX-License-Identifier: Apache-2.0
#include "train/multiple_choice.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "text/utf8.h"
#include "train/packed_scores.h"

namespace hearth {
namespace {

size_t largest(size_t count, const std::function<double(size_t)>& value) {
  size_t best = 0;
  for (size_t i = 1; i < count; ++i)
    if (value(i) > value(best)) best = i;
  return best;
}

}  // namespace

size_t pick(const ChoiceScores& s) {
  return largest(s.log_likelihoods.size(), [&](size_t i) { return s.log_likelihoods[i]; });
}
size_t pick_by_characters(const ChoiceScores& s, const Question& q) {
  return largest(q.choices.size(),
                 [&](size_t i) { return s.log_likelihoods[i] / double(tokenizers::count_code_points(q.choices[i])); });
}
size_t pick_by_bytes(const ChoiceScores& s, const Question& q) {
  return largest(q.choices.size(), [&](size_t i) { return s.log_likelihoods[i] / double(q.choices[i].size()); });
}
size_t pick_by_mutual_information(const ChoiceScores& s) {
  return largest(s.log_likelihoods.size(), [&](size_t i) { return s.log_likelihoods[i] - s.unconditional[i]; });
}

Accuracy accuracy_of(const std::vector<bool>& right) {
  const double count = double(right.size());
  if (right.empty()) return {};
  Accuracy a{.mean = double(std::count(right.begin(), right.end(), true)) / count};
  double squares = 0;
  for (const bool one : right) squares += (double(one) - a.mean) * (double(one) - a.mean);
  if (right.size() > 1) a.standard_error = std::sqrt(squares / (count - 1) / count);
  return a;
}

MultipleChoiceReport answer_questions(const LanguageModel& model, const LoraAdapter* adapter,
                                      const std::vector<Question>& questions, const MultipleChoiceOptions& o) {
  PackedScores packed(model.spec().max_positions);
  MultipleChoiceReport report;
  report.questions = int64_t(questions.size());
  const auto add = [&](const std::string& context, const std::string& choice, size_t question) {
    try {
      report.truncated += packed.add(tokenize_continuation(model.tokenizer(), context, o.delimiter + choice));
    } catch (const Error& error) {
      throw Error(error.kind(), cat("question ", question + 1, ": ", error.what()));
    }
  };
  for (size_t i = 0; i < questions.size(); ++i) {
    for (const std::string& choice : questions[i].choices) add(questions[i].context, choice, i);
    for (const std::string& choice : questions[i].choices)
      if (o.mutual_information) add("", choice, i);
    report.choices += int64_t(questions[i].choices.size());
  }
  const std::vector<TextScore> scores = packed.score(model, adapter, o.batch, o.dtype);
  std::vector<bool> plain, characters, bytes, mutual;
  size_t next = 0;
  for (const Question& q : questions) {
    ChoiceScores s;
    for (size_t i = 0; i < q.choices.size(); ++i, ++next) {
      s.log_likelihoods.push_back(scores[next].log_prob);
      s.greedy.push_back(scores[next].greedy);
    }
    for (size_t i = 0; i < q.choices.size() && o.mutual_information; ++i, ++next)
      s.unconditional.push_back(scores[next].log_prob);
    plain.push_back(pick(s) == q.answer);
    characters.push_back(pick_by_characters(s, q) == q.answer);
    bytes.push_back(pick_by_bytes(s, q) == q.answer);
    if (o.mutual_information) mutual.push_back(pick_by_mutual_information(s) == q.answer);
    report.scores.push_back(std::move(s));
  }
  report.accuracy = accuracy_of(plain);
  report.by_characters = accuracy_of(characters);
  report.by_bytes = accuracy_of(bytes);
  report.by_mutual_information = accuracy_of(mutual);
  return report;
}

}  // namespace hearth
