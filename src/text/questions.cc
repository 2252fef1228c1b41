// SPDX-License-Identifier: Apache-2.0
#include "text/questions.h"

#include <algorithm>
#include <initializer_list>

#include "base/error.h"
#include "io/nearest.h"
#include "text/example_file.h"
#include "text/utf8.h"

namespace hearth {
namespace {

struct Field {
  std::string name;
  const Json* value = nullptr;
};

// The first of these names that the object has; null without any.
Field first_field(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && !found->is_null()) return {name, &*found};
  }
  return {};
}

std::vector<std::string> texts_of(const Json& list, const std::string& name) {
  HEARTH_CHECK(list.is_array(), format, "'", name, "' must be a list of texts, found ", list.type_name());
  std::vector<std::string> texts;
  for (const Json& one : list) {
    HEARTH_CHECK(one.is_string(), format, "'", name, "' must be a list of texts, found ", one.type_name(), " in it");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

void read_choices(const Json& choices, Question& question, std::vector<std::string>& labels) {
  if (choices.is_object()) {
    const Field text = first_field(choices, {"text"}), label = first_field(choices, {"label"});
    HEARTH_CHECK(text.value, format, "'choices' must be a list of texts, or an object with a list 'text'");
    question.choices = texts_of(*text.value, "choices.text");
    if (label.value) labels = texts_of(*label.value, "choices.label");
    HEARTH_CHECK(labels.empty() || labels.size() == question.choices.size(), format, "'choices' has ",
                 question.choices.size(), " texts and ", labels.size(), " labels");
  } else {
    question.choices = texts_of(choices, "choices");
  }
  HEARTH_CHECK(question.choices.size() >= 2, format, "a question needs at least 2 choices, found ",
               question.choices.size());
  for (size_t i = 0; i < question.choices.size(); ++i)
    HEARTH_CHECK(!question.choices[i].empty(), format, "choice ", i, " is empty");
}

size_t answer_of(const Field& field, size_t count, const std::vector<std::string>& labels) {
  const Json& answer = *field.value;
  if (answer.is_string()) {
    const std::string text = answer.get<std::string>();
    const auto label = std::find(labels.begin(), labels.end(), text);
    if (label != labels.end()) return size_t(label - labels.begin());
    if (labels.empty() && text.size() == 1 && text[0] >= 'A' && size_t(text[0] - 'A') < count)
      return size_t(text[0] - 'A');
    if (labels.empty() && text.size() == 1 && text[0] >= '0' && size_t(text[0] - '0') < count)
      return size_t(text[0] - '0');
  }
  if (answer.is_number_integer() && answer >= 0 && answer < count) return answer.get<size_t>();
  HEARTH_FAIL(format, "'", field.name, "' must be a number from 0 to ", count - 1, " or a letter from A to ",
              std::string(1, char('A' + std::min<size_t>(count, 26) - 1)), ", found ", printable(answer.dump()));
}

// Where the white space at the end begins.
size_t trimmed_size(std::string_view text) {
  size_t size = text.size();
  while (size > 0) {
    const std::string_view left = text.substr(0, size);
    if (!tokenizers::is_white_space(tokenizers::last_code_point(left))) break;
    size -= tokenizers::last_code_point_size(left);
  }
  return size;
}

}  // namespace

Question parse_question(const Json& example) {
  HEARTH_CHECK(example.is_object(), format, "a question must be an object, found ", example.type_name());
  const Field context = first_field(example, {"question", "context"}), choices = first_field(example, {"choices"}),
              answer = first_field(example, {"answer", "answerKey", "label", "gold"});
  std::vector<std::string> names;
  for (const auto& [name, value] : example.items()) names.push_back(printable(name));
  HEARTH_CHECK(context.value && choices.value && answer.value, format,
               "a question needs 'question' or 'context', 'choices' and 'answer'; it has ",
               names.empty() ? "nothing" : list_names(names));
  HEARTH_CHECK(context.value->is_string(), format, "'", context.name, "' must be a text, found ",
               context.value->type_name());
  Question question{context.value->get<std::string>(), {}, 0};
  std::vector<std::string> labels;
  read_choices(*choices.value, question, labels);
  question.answer = answer_of(answer, question.choices.size(), labels);
  return question;
}

std::vector<Question> read_questions(const std::string& file) {
  std::vector<Question> questions;
  each_example(file, [&](const Json& example) { questions.push_back(parse_question(example)); });
  HEARTH_CHECK(!questions.empty(), value, "'", file, "' has no question");
  return questions;
}

ScoredText tokenize_continuation(const Tokenizer& tokenizer, const std::string& context,
                                 const std::string& continuation) {
  const int32_t prefix = tokenizer.bos_id() >= 0 ? tokenizer.bos_id() : tokenizer.eos_id();
  if (context.empty()) {
    ScoredText scored{tokenizer.encode(continuation, {.add_special = false}), 0};
    scored.continuation = scored.tokens.size();
    if (!scored.tokens.empty() && scored.tokens[0] == prefix) {
      --scored.continuation;
      return scored;
    }
    HEARTH_CHECK(prefix >= 0, value, "an empty context needs a tokenizer with <s> or </s>, and this one has neither");
    scored.tokens.insert(scored.tokens.begin(), prefix);
    return scored;
  }
  const std::string text = context + continuation, before = context.substr(0, trimmed_size(context));
  const auto encode = [&](const std::string& one) {
    return tokenizer.encode(one, {.add_special = prefix < 0 || !one.starts_with(tokenizer.token(prefix))});
  };
  ScoredText scored{encode(text), 0};
  const size_t first = encode(before).size();
  scored.continuation = scored.tokens.size() - std::min(first, scored.tokens.size());
  if (scored.continuation == scored.tokens.size() && prefix >= 0)  // a context of white space alone
    scored.tokens.insert(scored.tokens.begin(), prefix);
  return scored;
}

}  // namespace hearth
