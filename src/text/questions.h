// SPDX-License-Identifier: Apache-2.0
#pragma once
// Multiple-choice questions of a .jsonl or .json file, and their tokens.

#include <string>
#include <vector>

#include "io/json.h"
#include "text/tokenizer.h"

namespace hearth {

struct Question {
  std::string context;
  std::vector<std::string> choices;  // at least 2
  size_t answer = 0;                 // which of them is right
};

// {"question" or "context": text, "choices": [texts], "answer": number from 0, or a letter from "A"}. As published data
// sets have them, choices may be {"text": [...], "label": [...]}, and the answer's name "answerKey", "label" or "gold";
// labels count where there are any. Throws Error{format} saying what is wrong.
Question parse_question(const Json& example);
// All questions of a file. Throws Error{file, format, value} naming file and line.
std::vector<Question> read_questions(const std::string& file);

// What is asked of a model: the last tokens, `continuation` of them, given those before.
struct ScoredText {
  std::vector<int32_t> tokens;
  size_t continuation = 0;
};

// The tokens of a continuation behind a context, as lm-evaluation-harness makes them: white space at the context's end
// belongs to the continuation; both are tokenized together, and what stands behind the context's own number of tokens
// is the continuation. An empty context is <s>, or </s> where there is none; the tokenizer's special tokens are added
// unless the text begins with that token. Throws Error{value} when there is no such token.
// Source: EleutherAI, lm-evaluation-harness 0.4.13, TemplateLM.loglikelihood.
ScoredText tokenize_continuation(const Tokenizer& tokenizer, const std::string& context,
                                 const std::string& continuation);

}  // namespace hearth
