// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "io/nearest.h"
#include "text/tokenizer_json.h"

namespace hearth::tokenizers {

// A token is written "<s>" or {"content": "<s>", "lstrip": false, ...}.
static AddedToken token_of(const Json& value, const JsonView& parent, const std::string& key) {
  if (value.is_string()) return {.content = value.get<std::string>(), .special = true};
  if (!value.is_object()) parent.refuse(key, "a string or an object with \"content\"");
  AddedToken token = read_added_token(JsonView(value, parent.file(), key + "."));
  token.special = true;
  return token;
}

static void read_extra(const JsonView& root, const char* key, TokenizerConfig& config) {
  if (!root.has(key)) return;
  const Json& value = root.get(key);
  if (!value.is_array() && !value.is_object()) root.refuse(key, "a list of tokens");
  for (const auto& item : value.items()) config.extra.push_back(token_of(item.value(), root, key));
}

static std::optional<bool> optional_bool(const JsonView& root, const char* key) {
  if (!root.has(key)) return std::nullopt;
  return root.boolean_or(key, false);
}

TokenizerConfig read_tokenizer_config(const std::string& file) {
  const Json json = read_json_file(file);
  const JsonView root(json, file);
  TokenizerConfig config;
  config.file = file;
  config.add_bos = optional_bool(root, "add_bos_token");
  config.add_eos = optional_bool(root, "add_eos_token");
  config.add_prefix_space = optional_bool(root, "add_prefix_space");
  config.legacy = optional_bool(root, "legacy");
  config.do_lower_case = optional_bool(root, "do_lower_case");
  config.strip_accents = optional_bool(root, "strip_accents");
  config.tokenize_chinese_chars = optional_bool(root, "tokenize_chinese_chars");
  config.tokenizer_class = root.text_or("tokenizer_class", "");
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
    if (root.has(key)) config.named[key] = token_of(root.get(key), root, key);
  read_extra(root, "additional_special_tokens", config);
  read_extra(root, "extra_special_tokens", config);
  if (!root.has("added_tokens_decoder")) return config;
  const JsonView decoder = root.object("added_tokens_decoder");
  for (const std::string& key : decoder.keys()) {
    int32_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    HEARTH_CHECK(error == std::errc() && end == key.data() + key.size() && id >= 0, format, file,
                 ": added_tokens_decoder has the key '", printable(key), "', which is no id");
    config.added_tokens_decoder[id] = read_added_token(decoder.object(key));
  }
  return config;
}

static void add_if_new(const AddedToken& token, Parts& parts, const std::string& file) {
  if (parts.added_ids.find(token.content) == parts.added_ids.end()) parts.add_token(token, file);
}

static void apply_added_tokens(const TokenizerConfig& config, Parts& parts) {
  for (const auto& [id, token] : config.added_tokens_decoder) {
    const int32_t got = parts.add_token(token, config.file);
    HEARTH_CHECK(got < 0 || got == id, format, config.file, ": added_tokens_decoder says that '",
                 printable(token.content), "' has id ", id, ", but the vocabulary makes it ", got);
  }
  // transformers' order, which decides about the ids of new ones
  for (const char* key : {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}) {
    const auto named = config.named.find(key);
    if (named != config.named.end()) add_if_new(named->second, parts, config.file);
  }
  for (const AddedToken& token : config.extra) add_if_new(token, parts, config.file);
}

void apply_config(const TokenizerConfig& config, Parts& parts) {
  apply_added_tokens(config, parts);
  const auto id_of = [&](const char* key, int32_t otherwise) {
    const auto named = config.named.find(key);
    return named == config.named.end() ? otherwise : parts.find(named->second.content);
  };
  parts.bos_id = id_of("bos_token", parts.bos_id);
  parts.eos_id = id_of("eos_token", parts.eos_id);
}

}  // namespace hearth::tokenizers
