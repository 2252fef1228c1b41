// SPDX-License-Identifier: Apache-2.0
#pragma once
// Examples of a .jsonl file (an object a line) or a .json file (a list of objects): {"text"}, {"prompt", "completion"}
// (texts or lists of messages), or {"messages"} with an optional "tools". Tokens and labels are those of TRL's
// SFTTrainer.

#include "text/chat_template.h"
#include "text/dataset.h"

namespace hearth {

enum class LossOn {
  automatic,   // completion where there is one, else all
  all,         // every token but the first
  completion,  // what follows the prompt
  assistant,   // what the assistant said: needs messages
};

struct ExampleOptions {
  LossOn loss_on = LossOn::automatic;
  int64_t max_length = 1024;  // tokens; what is behind them is cut off and counted
  bool packing = false;       // several examples share a row of max_length tokens
  std::string text_field = "text", prompt_field = "prompt", completion_field = "completion",
              messages_field = "messages", tools_field = "tools";
  std::string folder = {};  // for tokens that do not fit in memory; empty: TMPDIR
};

// True for the names of such files: .jsonl, .json, .ndjson.
bool holds_examples(const std::string& path);

// Reads line by line: memory is bounded by the longest line and 8 bytes an example. A text and a completion get the
// tokenizer's </s> behind them unless they end with it; conversations are written by the model folder's chat template,
// which says itself what ends a turn. Throws Error{file, format, value} naming file and line.
TokenBlocks read_examples(const Tokenizer& tokenizer, const std::string& model_dir, const std::string& file,
                          const ExampleOptions& options);

// One example as (token, or ~token where its prediction does not count). `chat` may be null where no messages come.
std::vector<int32_t> tokenize_example(const Tokenizer& tokenizer, const ChatTemplate* chat, const Json& example,
                                      const ExampleOptions& options);

// Which of a text's tokens hold a byte of the spans. ids are those of encode(text, {.add_special = false}).
std::vector<bool> tokens_in_spans(const Tokenizer& tokenizer, const std::string& text, const std::vector<int32_t>& ids,
                                  const std::vector<jinja::TextSpan>& spans);

// Fills rows of at most `room` with items of these lengths: the longest first, each into the fullest row that has room
// for it, as TRL's "bfd" does. Row by row, the items in it. Cost: N log room.
// Source: Ding et al. 2024, arXiv:2404.10830 (best-fit packing); Johnson 1973 (best-fit decreasing).
std::vector<std::vector<int64_t>> pack_rows(const std::vector<int64_t>& lengths, int64_t room);
// Puts the examples into rows of block_size tokens that way.
void pack_examples(TokenBlocks& blocks);

}  // namespace hearth
