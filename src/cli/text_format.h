// SPDX-License-Identifier: Apache-2.0
#pragma once
// How commands print: aligned rows of label and text, JSON on one line, words that a shell reads back.

#include <string>
#include <utility>
#include <vector>

#include "io/json.h"

namespace hearth {

using TextRows = std::vector<std::pair<std::string, std::string>>;

// "label   text\n" for each row, the texts below each other.
std::string text_rows(const TextRows& rows);

// To stdout, on one line, so that a script may take the last line. Broken UTF-8 becomes U+FFFD.
void print_json(const Json& json);

// The word as it would be typed: quoted where the shell would read it otherwise.
std::string shell_word(const std::string& word);
std::string shell_words(const std::vector<std::string>& words);

}  // namespace hearth
