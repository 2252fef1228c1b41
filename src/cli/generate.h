// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth generate: continues a text.

#include "cli/flags_command.h"
#include "generate/generator.h"

namespace hearth {

struct GenerateFlags {
  std::string model, adapter, prompt;
  std::string dtype = "f32";
  GenerateOptions options;

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("model");
    flag("model", model, "folder with config.json, weights and tokenizer", {.needed = true, .path = PathKind::folder});
    flag("adapter", adapter, "PEFT folder with LoRA updates", {.path = PathKind::folder, .default_text = "none"});
    flag("dtype", dtype, "type of the arithmetic; auto: bf16 where the weights are stored so and the processor has it",
         {.allowed = {"f32", "bf16", "auto"}});
    flag.group("text");
    flag("prompt", prompt, "text to continue", {.needed = true});
    flag("max-tokens", options.max_tokens, "tokens to write at most", {.minimum = 0, .maximum = 1 << 24});
    flag("temperature", options.temperature, "0: always the likeliest token; 1: as the model was trained",
         {.minimum = 0, .maximum = 1000});
    flag("top-k", options.top_k, "draw from the K likeliest tokens only", {.minimum = 0, .default_text = "0 = all"});
    flag("top-p", options.top_p, "draw from the fewest tokens that have this probability together",
         {.maximum = 1, .above = 0});
    flag("seed", options.seed, "of the draws; the same seed gives the same text");
    flag("cache", options.cache, "keep keys and values of earlier tokens", {.hidden = true});
    flag("ignore-eos", options.ignore_eos, "go on after the end token", {.hidden = true});
  }
};

int run_generate(const GenerateFlags& flags, const CommonFlags& common);

}  // namespace hearth
