// SPDX-License-Identifier: Apache-2.0
// The parts of tokenizer.json that are lists of steps: normalizer and pre_tokenizer.

#include <algorithm>

#include "base/error.h"
#include "text/charsmap.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"

namespace hearth::tokenizers {

std::string one_character(const JsonView& view, const char* key) {
  const std::string text = view.text(key);
  const bool one = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }) == 1;
  if (!one) view.refuse(key, "one character");
  return text;
}

std::string pattern_text(const JsonView& step, const char* part, bool* is_regex) {
  const JsonView pattern = step.object("pattern");
  allow_keys(pattern, "a pattern", {"String", "Regex"});
  const bool regex = pattern.has("Regex");
  *is_regex = regex;
  const std::string text = pattern.text(regex ? "Regex" : "String");
  if (text.empty()) refuse(step, std::string(part) + " with an empty pattern");
  return text;
}

static std::unique_ptr<const NormalizerStep> replace_of(const JsonView& step) {
  allow_keys(step, "normalizer Replace", {"type", "pattern", "content"});
  bool is_regex = false;
  const std::string pattern = pattern_text(step, "normalizer Replace", &is_regex), content = step.text("content");
  return is_regex ? replace_regex_step(Regex(pattern, step.file()), content) : replace_step(pattern, content);
}

static std::unique_ptr<const NormalizerStep> bert_of(const JsonView& step) {
  allow_keys(step, "BertNormalizer", {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  const bool lowercase = step.boolean_or("lowercase", true);
  return bert_step({.clean_text = step.boolean_or("clean_text", true),
                    .handle_chinese_chars = step.boolean_or("handle_chinese_chars", true),
                    .strip_accents = step.boolean_or("strip_accents", lowercase),
                    .lowercase = lowercase});
}

static std::unique_ptr<const NormalizerStep> charsmap_of(const JsonView& step) {
  allow_keys(step, "normalizer Precompiled", {"type", "precompiled_charsmap"});
  const std::string where = step.file() + ": normalizer Precompiled";
  return charsmap_step(decode_base64(step.text("precompiled_charsmap"), where), CharsmapUse::by_cluster, where);
}

static std::unique_ptr<const NormalizerStep> normalizer_step(const JsonView& step, const std::string& type) {
  if (type == "Replace") return replace_of(step);
  if (type == "BertNormalizer") return bert_of(step);
  if (type == "Precompiled") return charsmap_of(step);
  if (type == "Prepend") {
    allow_keys(step, "normalizer Prepend", {"type", "prepend"});
    return prepend_step(step.text("prepend"));
  }
  if (type == "Strip") {
    allow_keys(step, "normalizer Strip", {"type", "strip_left", "strip_right"});
    return strip_white_space_step(step.boolean_or("strip_left", true), step.boolean_or("strip_right", true));
  }
  allow_keys(step, type.c_str(), {"type"});
  if (type == "NFC") return unicode_form_step(NormalForm::nfc);
  if (type == "NFD") return unicode_form_step(NormalForm::nfd);
  if (type == "NFKC") return unicode_form_step(NormalForm::nfkc);
  if (type == "NFKD") return unicode_form_step(NormalForm::nfkd);
  if (type == "Lowercase") return lower_case_step();
  if (type == "StripAccents") return strip_accents_step();
  if (type == "Nmt") return nmt_step();
  if (type == "ByteLevel") return bytes_to_chars_step();
  refuse(step, "normalizer " + type);
}

void read_normalizer(const JsonView& root, Normalizer& out) {
  if (!root.has("normalizer")) return;
  each_step(root.object("normalizer"), "normalizers", 0,
            [&](const JsonView& step, const std::string& type) { out.add(normalizer_step(step, type)); });
}

static SplitBehavior split_behavior(const JsonView& step) {
  const std::string name = step.text("behavior");
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  refuse(step, "Split behavior " + name);
}

static void read_split(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer Split", {"type", "pattern", "behavior", "invert"});
  Split split;
  bool is_regex = false;
  const std::string pattern = pattern_text(step, "pre_tokenizer Split", &is_regex);
  if (is_regex) {
    split.regex.emplace(pattern, step.file());
  } else {
    split.literal = pattern;
  }
  split.behavior = split_behavior(step);
  split.invert = step.boolean_or("invert", false);
  out.add(std::move(split));
}

PrependScheme prepend_scheme(const JsonView& step) {
  const std::string name = step.text_or("prepend_scheme", "always");
  const bool prefix = step.boolean_or("add_prefix_space", true);
  if (!prefix && step.has("prepend_scheme") && name != "never")
    step.refuse("prepend_scheme", "\"never\", because add_prefix_space is false");
  if (!prefix || name == "never") return PrependScheme::never;
  if (name == "first") return PrependScheme::first;
  if (name == "always") return PrependScheme::always;
  refuse(step, "Metaspace prepend_scheme " + name);
}

static void read_metaspace(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "Metaspace", {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"});
  const std::string replacement = one_character(step, "replacement");
  out.add(Metaspace{replacement, prepend_scheme(step)});
  if (!step.boolean_or("split", true)) return;
  Split split;
  split.literal = replacement;
  split.behavior = SplitBehavior::merged_with_next;
  out.add(std::move(split));
}

// Source: GPT-2's encoder.py; a part of the tokenizers library, not of the file.
static constexpr char kGpt2Words[] = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

static void read_byte_level(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer ByteLevel", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (step.boolean_or("add_prefix_space", true)) out.add(PrefixSpace{});
  if (step.boolean_or("use_regex", true)) {
    Split split;
    split.regex.emplace(kGpt2Words, step.file());
    out.add(std::move(split));
  }
  out.add(BytesToChars{});
}

static Split characters_split(bool (*is_match)(uint32_t), SplitBehavior behavior) {
  Split split;
  split.is_match = is_match;
  split.behavior = behavior;
  return split;
}

static void read_digits(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer Digits", {"type", "individual_digits"});
  const bool individual = step.boolean_or("individual_digits", false);
  out.add(characters_split(is_numeric, individual ? SplitBehavior::isolated : SplitBehavior::contiguous));
}

static void read_delimiter(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer CharDelimiterSplit", {"type", "delimiter"});
  Split split;
  split.literal = one_character(step, "delimiter");
  split.behavior = SplitBehavior::removed;
  out.add(std::move(split));
}

static void read_punctuation(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer Punctuation", {"type", "behavior"});
  out.add(characters_split(is_punctuation, step.has("behavior") ? split_behavior(step) : SplitBehavior::isolated));
}

static void read_fixed_length(const JsonView& step, PreTokenizer& out) {
  allow_keys(step, "pre_tokenizer FixedLength", {"type", "length"});
  out.add(FixedLength{static_cast<size_t>(step.integer_or("length", 5, {.min = 1}))});
}

static void read_pre_tokenizer_step(const JsonView& step, const std::string& type, PreTokenizer& out) {
  if (type == "Split") return read_split(step, out);
  if (type == "Metaspace") return read_metaspace(step, out);
  if (type == "ByteLevel") return read_byte_level(step, out);
  if (type == "Digits") return read_digits(step, out);
  if (type == "Punctuation") return read_punctuation(step, out);
  if (type == "CharDelimiterSplit") return read_delimiter(step, out);
  if (type == "FixedLength") return read_fixed_length(step, out);
  allow_keys(step, type.c_str(), {"type"});
  if (type == "Whitespace") return out.add(WordRuns{});
  if (type == "UnicodeScripts") return out.add(ScriptRuns{});
  const bool is_bert = type == "BertPreTokenizer";
  if (type != "WhitespaceSplit" && !is_bert) refuse(step, "pre_tokenizer " + type);
  out.add(characters_split(is_white_space, SplitBehavior::removed));
  if (is_bert) out.add(characters_split(is_punctuation, SplitBehavior::isolated));
}

void read_pre_tokenizer(const JsonView& root, PreTokenizer& out) {
  if (!root.has("pre_tokenizer")) return;
  each_step(root.object("pre_tokenizer"), "pretokenizers", 0,
            [&](const JsonView& step, const std::string& type) { read_pre_tokenizer_step(step, type, out); });
}

}  // namespace hearth::tokenizers
