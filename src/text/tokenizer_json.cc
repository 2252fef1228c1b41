// SPDX-License-Identifier: Apache-2.0
// Reads tokenizer.json. Keys that mean nothing to a single text are passed over: truncation and padding (transformers
// sets them anew at each call), offsets, the template for pairs.
#include "text/tokenizer_json.h"

#include <algorithm>

#include "base/error.h"
#include "io/nearest.h"
#include "text/serde_number.h"

namespace hearth::tokenizers {

void refuse(const JsonView& view, const std::string& what) {
  HEARTH_FAIL(unsupported, view.file(), ": ", printable(what), ", which Hearth does not do");
}

void allow_keys(const JsonView& view, const char* part, std::initializer_list<const char*> known) {
  for (const std::string& key : view.keys()) {
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const char* k) { return key == k; });
    if (!is_known && view.has(key)) refuse(view, std::string(part) + " has \"" + key + "\"");
  }
}

JsonView member(const Json& list, size_t i, const JsonView& parent, const char* key) {
  return {list[i], parent.file(), std::string(key) + "[" + std::to_string(i) + "]."};
}

const Json& array_of(const JsonView& view, const char* key) {
  const Json& list = view.get(key);
  if (!list.is_array()) view.refuse(key, "a list");
  return list;
}

static void read_template(const JsonView& step, std::vector<int32_t>& before, std::vector<int32_t>& behind) {
  allow_keys(step, "TemplateProcessing", {"type", "single", "pair", "special_tokens"});
  const Json& single = array_of(step, "single");
  bool seen_text = false;
  for (size_t i = 0; i < single.size(); ++i) {
    const JsonView piece = member(single, i, step, "single");
    allow_keys(piece, "a template's piece", {"SpecialToken", "Sequence"});
    if (piece.has("Sequence")) {
      if (seen_text || piece.object("Sequence").text("id") != "A") refuse(step, "a template that is not one text A");
      seen_text = true;
      continue;
    }
    const std::string name = piece.object("SpecialToken").text("id");
    const JsonView special = step.object("special_tokens").object(name);
    for (const int64_t id : special.integers("ids", {.min = 0, .max = Vocab::kMaxId}))
      (seen_text ? behind : before).push_back(static_cast<int32_t>(id));
  }
  if (!seen_text) refuse(step, "a template without the text A");
}

// ["[SEP]", 102]
static int32_t processor_token(const JsonView& step, const char* key) {
  const Json& pair = array_of(step, key);
  const bool good = pair.size() == 2 && pair[0].is_string() && pair[1].is_number_unsigned() &&
                    pair[1].get<uint64_t>() <= static_cast<uint64_t>(Vocab::kMaxId);
  if (!good) step.refuse(key, "a list [token, id]");
  return pair[1].get<int32_t>();
}

// A later step of a Sequence goes around what the earlier ones have put around the text.
static void read_post_processor(const JsonView& root, Parts& parts) {
  if (!root.has("post_processor")) return;
  each_step(root.object("post_processor"), "processors", 0, [&](const JsonView& step, const std::string& type) {
    if (type == "ByteLevel") return;  // it trims offsets, which nobody asks for here
    std::vector<int32_t> before, behind;
    if (type == "TemplateProcessing") {
      read_template(step, before, behind);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      allow_keys(step, type.c_str(), {"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
      before = {processor_token(step, "cls")};
      behind = {processor_token(step, "sep")};
    } else {
      refuse(step, "post_processor " + type);
    }
    parts.before.insert(parts.before.begin(), before.begin(), before.end());
    parts.behind.insert(parts.behind.end(), behind.begin(), behind.end());
  });
}

AddedToken read_added_token(const JsonView& entry) {
  return {.content = entry.text("content"),
          .single_word = entry.boolean_or("single_word", false),
          .lstrip = entry.boolean_or("lstrip", false),
          .rstrip = entry.boolean_or("rstrip", false),
          .normalized = entry.boolean_or("normalized", !entry.boolean_or("special", false)),
          .special = entry.boolean_or("special", false)};
}

static void read_added_tokens(const JsonView& root, Parts& parts) {
  if (!root.has("added_tokens")) return;
  const Json& list = array_of(root, "added_tokens");
  for (size_t i = 0; i < list.size(); ++i) {
    const JsonView entry = member(list, i, root, "added_tokens");
    allow_keys(entry, "an added token", {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    const AddedToken token = read_added_token(entry);
    const int64_t wanted = entry.integer("id");
    const int32_t id = parts.add_token(token, root.file());
    HEARTH_CHECK(id < 0 || id == wanted, format, root.file(), ": added token '", printable(token.content), "' says id ",
                 wanted, ", but the vocabulary makes it ", id);
  }
}

// Where no tokenizer_config.json says which tokens these are, the template knows: what it puts first and last.
static void guess_bos_eos(Parts& parts) {
  if (!parts.before.empty()) parts.bos_id = parts.before.front();
  if (!parts.behind.empty()) parts.eos_id = parts.behind.back();
}

static void check_template(const Parts& parts, const std::string& file) {
  for (const std::vector<int32_t>* ids : {&parts.before, &parts.behind})
    for (const int32_t id : *ids)
      HEARTH_CHECK(parts.texts.size() > static_cast<size_t>(id) && parts.texts[id] != nullptr, format, file,
                   ": post_processor adds id ", id, ", which is no token");
}

Parts parse_tokenizer_json(std::string_view bytes, const std::string& name, const TokenizerConfig* config) {
  const Json json = parse_json(bytes, name, {.unique_keys = true, .read_number = serde_number});
  const JsonView root(json, name);
  allow_keys(root, "the file",
             {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
              "decoder", "model"});
  if (root.text_or("version", "1.0") != "1.0") refuse(root, "version " + root.text("version"));
  Parts parts(read_model(root.object("model")));
  read_normalizer(root, parts.normalizer);
  read_pre_tokenizer(root, parts.pre_tokenizer);
  read_decoder(root, parts.decoder);
  read_post_processor(root, parts);
  read_added_tokens(root, parts);
  guess_bos_eos(parts);
  if (config != nullptr) apply_config(*config, parts);
  parts.finish(name);
  check_template(parts, name);
  return parts;
}

}  // namespace hearth::tokenizers
