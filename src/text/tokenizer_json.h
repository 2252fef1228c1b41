// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of the tokenizer.json reader share. Whatever a file may hold is either done or refused by its
// name.

#include <initializer_list>
#include <memory>
#include <string>

#include "io/json.h"
#include "text/tokenizer_parts.h"

namespace hearth::tokenizers {

// tokenizer_json_models.cc
std::unique_ptr<const Model> read_model(const JsonView& model);
Vocab read_vocab(const JsonView& entries);  // {"the": 262, ...}
// tokenizer_json_steps.cc: the parts that are lists of steps
void read_normalizer(const JsonView& root, Normalizer& out);
void read_pre_tokenizer(const JsonView& root, PreTokenizer& out);
void read_decoder(const JsonView& root, Decoder& out);  // tokenizer_json_decoder.cc
// Shared by these: a string of one character, {"String": "x"} or {"Regex": "x+"}, Metaspace's scheme in both dialects.
std::string one_character(const JsonView& view, const char* key);
std::string pattern_text(const JsonView& step, const char* part, bool* is_regex);
PrependScheme prepend_scheme(const JsonView& step);

// {"content": "<s>", "lstrip": false, ...}
AddedToken read_added_token(const JsonView& entry);

// Throws Error{unsupported}: "<file>: <what>, which Hearth does not do".
[[noreturn]] void refuse(const JsonView& view, const std::string& what);
// Refuses a key that is not in the list and has a value other than null.
void allow_keys(const JsonView& view, const char* part, std::initializer_list<const char*> known);
const Json& array_of(const JsonView& view, const char* key);
JsonView member(const Json& list, size_t i, const JsonView& parent, const char* key);

// Calls read(step, type) for the step, or for every member of a Sequence, which may be nested.
inline constexpr int kMaxNesting = 8;
template <class Read>
void each_step(const JsonView& step, const char* key, int depth, const Read& read) {
  const std::string type = step.text("type");
  if (type != "Sequence") return read(step, type);
  if (depth >= kMaxNesting) refuse(step, "Sequence nested deeper than " + std::to_string(kMaxNesting));
  allow_keys(step, "Sequence", {"type", key});
  const Json& list = array_of(step, key);
  for (size_t i = 0; i < list.size(); ++i) each_step(member(list, i, step, key), key, depth + 1, read);
}

}  // namespace hearth::tokenizers
