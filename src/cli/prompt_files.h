// SPDX-License-Identifier: Apache-2.0
#pragma once
// Prompts from files and from standard input.

#include <string>
#include <vector>

#include "models/language_model.h"

namespace hearth {

// The whole text of a file, "-" for standard input, without a newline at its end. Throws Error{file}.
std::string read_prompt(const std::string& file);

// Prompts as token ids. A .jsonl or .json file has objects (a line each, or a list): {"prompt": a text, or messages} or
// {"messages"}, where messages, with "tools" if there are any, are written by the model's chat template. Any other file
// has a prompt a line; empty lines are none. Throws Error{file, format, value} naming file and line.
std::vector<std::vector<int32_t>> read_prompts(const LanguageModel& model, const std::string& file);

}  // namespace hearth
