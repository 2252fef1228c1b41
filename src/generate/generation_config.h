// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a model's generation_config.json says about generation, as transformers' generate takes it.

#include "generate/generate_options.h"
#include "io/json.h"

namespace hearth {

struct ModelDefaults {
  GenerateOptions options;           // with Hearth's own where the file says nothing
  std::vector<std::string> ignored;  // keys that would change the text and that Hearth has not
};

// max_tokens: where the file has no max_new_tokens. temperature, top_k (50 where it is not there, as transformers has
// it), top_p, min_p and typical_p count with do_sample: true only. max_length is not taken: it is 20 or the whole
// context. The end tokens are ModelSpec::eos_ids. Throws Error{format} naming the key of a value that has the wrong
// type or makes no sense.
ModelDefaults read_generation_config(const JsonView& config, int64_t max_tokens = 128);

}  // namespace hearth
