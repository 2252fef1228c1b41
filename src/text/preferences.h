// SPDX-License-Identifier: Apache-2.0
#pragma once
// Preferences: two answers to one prompt, of which one is better.

#include "text/examples.h"

namespace hearth {

struct PreferencePair {
  std::vector<int32_t> chosen, rejected;  // prompt and answer; ~id where the prompt stands
};

// {"prompt", "chosen", "rejected"}, all texts or all lists of messages; without a prompt, chosen and rejected are
// conversations, and what they begin with alike is the prompt. Prompt and answer are tokenized as prompt and completion
// of an example are, whatever the options say of the loss. `chat` may be null where no messages come. Throws
// Error{format, value}.
PreferencePair tokenize_preference(const Tokenizer& tokenizer, const ChatTemplate* chat, const Json& example,
                                   const ExampleOptions& options);

// Rows 2i and 2i + 1 are the chosen and the rejected answer of pair i. Pairs of which an answer is cut off whole are
// left out and counted. Throws Error{file, format, value} naming file and line.
TokenBlocks read_preferences(const Tokenizer& tokenizer, const std::string& model_dir, const std::string& file,
                             const ExampleOptions& options);

}  // namespace hearth
