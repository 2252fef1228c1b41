// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the readers of tokenizer files produce and Tokenizer runs.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/model.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"

namespace hearth::tokenizers {

struct Parts {
  explicit Parts(std::unique_ptr<const Model> m) : model(std::move(m)) {}

  std::unique_ptr<const Model> model;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::map<int32_t, AddedToken> added_list;  // what `added` is made of
  std::unordered_map<std::string, int32_t> added_ids;
  AddedTokens added;
  std::vector<int32_t> before, behind;  // the template: special tokens around a text
  Decoder decoder;
  int32_t bos_id = -1, eos_id = -1;

  // By id, made by finish(): text for decoding (null: no token) and whether skip_special skips it.
  std::vector<const std::string*> texts;
  std::vector<bool> is_special;

  // Enters token under its id in the vocabulary, or under the next free one. Returns the id, -1 if its
  // content is empty, which the tokenizers library passes over. Enter before finish().
  int32_t add_token(const AddedToken& token, const std::string& where);
  int32_t find(const std::string& token) const;  // added or in the vocabulary; -1 if neither
  void finish(const std::string& where);         // builds added, texts, is_special
};

// tokenizer_config.json: what of it bears on tokens.
struct TokenizerConfig {
  std::string file;
  std::string tokenizer_class;
  // A tokenizer.json knows these itself.
  std::optional<bool> add_bos, add_eos, add_prefix_space, legacy, do_lower_case, strip_accents, tokenize_chinese_chars;
  std::map<int32_t, AddedToken> added_tokens_decoder;
  std::map<std::string, AddedToken> named;  // "bos_token" -> <s>
  std::vector<AddedToken> extra;            // extra_special_tokens, additional_special_tokens
};
TokenizerConfig read_tokenizer_config(const std::string& file);

// Adds the config's tokens to parts, as transformers does, and sets bos_id and eos_id.
void apply_config(const TokenizerConfig& config, Parts& parts);

// The three readers call finish(), unless config is there, which they apply first.
Parts parse_tokenizer_json(std::string_view bytes, const std::string& name, const TokenizerConfig* config);
Parts parse_sentencepiece_model(std::string_view bytes, const std::string& name, const TokenizerConfig* config);
Parts read_vocabulary_folder(const std::string& dir,
                             const TokenizerConfig* config);  // vocab.json + merges.txt, vocab.txt

inline constexpr int64_t kMaxTokenizerBytes = 256 << 20;

}  // namespace hearth::tokenizers
