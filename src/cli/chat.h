// SPDX-License-Identifier: Apache-2.0
#pragma once
// hearth chat: a conversation with a chat model, turn by turn; each line of standard input is one.

#include "cli/flags_command.h"
#include "cli/sampling_flags.h"

namespace hearth {

struct ChatFlags {
  std::string model, adapter, system;
  std::string dtype = "f32";
  SamplingFlags sampling;

  ChatFlags() { sampling.options.max_tokens = 1024; }

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("model");
    flag("model", model, "folder with config.json, weights, tokenizer and a chat template",
         {.needed = true, .path = PathKind::folder});
    flag("adapter", adapter, "PEFT folder with LoRA updates", {.path = PathKind::folder, .default_text = "none"});
    flag("dtype", dtype, "type of the arithmetic; auto: bf16 where the weights are stored so and the processor has it",
         {.allowed = {"f32", "bf16", "f16", "auto"}});
    flag.group("text");
    flag("system", system, "what the model is told before the conversation", {.default_text = "nothing"});
    sampling.visit(flag);
  }
};

int run_chat(const ChatFlags& flags, const CommonFlags& common);

}  // namespace hearth
