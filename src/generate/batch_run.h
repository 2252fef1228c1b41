// SPDX-License-Identifier: Apache-2.0
#pragma once
// Answers to several prompts, and several to one, computed together: every answer has a row of the cache, the next one
// begins where one has ended, and answers to one prompt share its prefill.

#include "generate/answer.h"
#include "generate/cached_model.h"

namespace hearth {

// Called with each answer as it is done, in the order in which they are.
using AnswerReader = std::function<void(size_t prompt, int64_t sample, const Generation&)>;

// The answers are those that each prompt would get alone with the same options: a token depends on its own text, the
// seed, the number of the sample and the position. (Rows of one call are multiplied together, in another order than one
// row is; sums differ by rounding, which shows where two tokens are equally likely to six digits.)
// `reader` gets the text of a single answer as it comes; with several it is not called.
Generations run_batch(CachedModel& model, const std::vector<std::vector<int32_t>>& prompts,
                      const GenerateOptions& options, const TextReader& reader = {}, const AnswerReader& done = {});

}  // namespace hearth
