// SPDX-License-Identifier: Apache-2.0
#pragma once
// The flags that say how a file of examples is read.

#include "cli/flags.h"
#include "text/examples.h"

namespace hearth {

struct DataFlags {
  std::string loss_on = "auto";
  std::string text_field = "text", prompt_field = "prompt", completion_field = "completion",
              messages_field = "messages";
  int64_t max_length = 0;
  bool packing = false, group_by_length = false;

  template <class Visit>
  void visit(Visit&& flag) {
    visit_reading(flag);
    flag("packing", packing, "put several examples into a row; none sees the others");
    flag("group-by-length", group_by_length, "compute examples of similar length together");
  }

  // What says which tokens count, and not how they are computed.
  template <class Visit>
  void visit_reading(Visit&& flag) {
    flag.group("examples (--data FILE.jsonl or .json)");
    flag("max-length", max_length, "most tokens of an example, and of a packed row; the rest is cut off",
         {.minimum = 0, .maximum = 1 << 24, .default_text = "0 = 1024, or the model's context"});
    flag("loss-on", loss_on, "what is learnt; auto: completions where there are prompts, else all tokens",
         {.allowed = {"auto", "all", "completion", "assistant"}});
    flag("text-field", text_field, "name of the text in an example");
    flag("prompt-field", prompt_field, "name of the prompt: a text or messages");
    flag("completion-field", completion_field, "name of the completion");
    flag("messages-field", messages_field, "name of the messages");
  }
};

inline ExampleOptions example_options(const DataFlags& flags) {
  ExampleOptions o;
  o.loss_on = flags.loss_on == "all"          ? LossOn::all
              : flags.loss_on == "completion" ? LossOn::completion
              : flags.loss_on == "assistant"  ? LossOn::assistant
                                              : LossOn::automatic;
  o.max_length = flags.max_length;
  o.packing = flags.packing;
  o.text_field = flags.text_field;
  o.prompt_field = flags.prompt_field;
  o.completion_field = flags.completion_field;
  o.messages_field = flags.messages_field;
  return o;
}

}  // namespace hearth
