// SPDX-License-Identifier: Apache-2.0
#pragma once
// What changes the logits before a token is chosen, in the order of transformers 5:
//   bias (its sequence_bias, bad_words_ids and suppress_tokens), repetition penalty, presence and frequency penalties
//   (OpenAI's; transformers has none), no_repeat_ngram, min_tokens, never_first.
// Temperature, top-k, top-p, min-p and typical come after them, in this order too: sampler.h.

#include <span>
#include <vector>

#include "generate/generate_options.h"

namespace hearth {

// ids: the prompt's `prompt_tokens`, then the new ones. `ends`: the tokens that end a text. Ids outside of the
// vocabulary change nothing. Cost: V + ids.
// Source: repetition penalty: Keskar et al. 2019, arXiv:1909.05858, section 4.1.
void process_logits(const GenerateOptions& options, std::span<const int32_t> ends, std::span<const int32_t> ids,
                    int64_t prompt_tokens, std::span<float> logits);

}  // namespace hearth
