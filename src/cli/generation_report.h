// SPDX-License-Identifier: Apache-2.0
#pragma once
// What commands say about generated text.

#include "generate/generate_options.h"
#include "io/json.h"
#include "text/tokenizer.h"

namespace hearth {

// One answer with its speed and memory, and with log-probabilities where they were asked for.
Json answer_json(const Generation& answer, const Tokenizer& tokenizer);
// {"answers": [{"prompt": 0, "sample": 0, ...}, ...], ...}
Json answers_json(const Generations& all, const Tokenizer& tokenizer);

std::string speed_remark(const Generation& answer);  // "prompt 5 tokens, 910 tok/s; 20 new, 1.81k tok/s"
std::string speed_remark(const Generations& all);

}  // namespace hearth
