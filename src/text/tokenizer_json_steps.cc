// SPDX-License-Identifier: Apache-2.0
// The parts of tokenizer.json that are lists of steps: normalizer, pre_tokenizer, decoder.

#include <algorithm>

#include "base/error.h"
#include "text/tokenizer_json.h"

namespace hearth::tokenizers {

static std::string one_character(const JsonView& view, const char* key) {
  const std::string text = view.text(key);
  const bool one = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }) == 1;
  if (!one) view.refuse(key, "one character");
  return text;
}

// {"String": "x"}; a regular expression only where the caller takes one.
static std::string pattern_text(const JsonView& step, const char* part, bool* is_regex) {
  const JsonView pattern = step.object("pattern");
  allow_keys(pattern, "a pattern", {"String", "Regex"});
  const bool regex = pattern.has("Regex");
  if (regex && is_regex == nullptr) refuse(step, std::string(part) + " with a Regex pattern");
  if (is_regex != nullptr) *is_regex = regex;
  const std::string text = pattern.text(regex ? "Regex" : "String");
  if (text.empty()) refuse(step, std::string(part) + " with an empty pattern");
  return text;
}

void read_normalizer(const JsonView& root, Normalizer& out) {
  if (!root.has("normalizer")) return;
  each_step(root.object("normalizer"), "normalizers", 0, [&](const JsonView& step, const std::string& type) {
    if (type == "Prepend") {
      allow_keys(step, "normalizer Prepend", {"type", "prepend"});
      out.add(Prepend{step.text("prepend")});
    } else if (type == "Replace") {
      allow_keys(step, "normalizer Replace", {"type", "pattern", "content"});
      out.add(Replace{pattern_text(step, "normalizer Replace", nullptr), step.text("content")});
    } else if (type == "NFC") {
      allow_keys(step, "normalizer NFC", {"type"});
      out.add(NormalizeNfc{});
    } else {
      refuse(step, "normalizer " + type);
    }
  });
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

static PrependScheme prepend_scheme(const JsonView& step) {
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

void read_pre_tokenizer(const JsonView& root, PreTokenizer& out) {
  if (!root.has("pre_tokenizer")) return;
  each_step(root.object("pre_tokenizer"), "pretokenizers", 0, [&](const JsonView& step, const std::string& type) {
    if (type == "Split") return read_split(step, out);
    if (type == "Metaspace") return read_metaspace(step, out);
    if (type == "ByteLevel") return read_byte_level(step, out);
    if (type != "Digits") refuse(step, "pre_tokenizer " + type);
    allow_keys(step, "pre_tokenizer Digits", {"type", "individual_digits"});
    Split split;
    split.regex.emplace("\\p{N}", step.file());
    if (!step.boolean_or("individual_digits", false)) split.behavior = SplitBehavior::contiguous;
    out.add(std::move(split));
  });
}

void read_decoder(const JsonView& root, Decoder& out) {
  if (!root.has("decoder")) return out.add(JoinWithSpaces{}, root.file());
  each_step(root.object("decoder"), "decoders", 0, [&](const JsonView& step, const std::string& type) {
    if (type == "Replace") {
      allow_keys(step, "decoder Replace", {"type", "pattern", "content"});
      out.add(ReplaceText{pattern_text(step, "decoder Replace", nullptr), step.text("content")}, step.file());
    } else if (type == "ByteFallback") {
      out.add(BytesFromTokens{}, step.file());
    } else if (type == "Fuse") {
      out.add(Fuse{}, step.file());
    } else if (type == "Strip") {
      allow_keys(step, "decoder Strip", {"type", "content", "start", "stop"});
      const auto count = [&](const char* key) {
        return static_cast<size_t>(step.integer(key, {.min = 0, .max = 1 << 16}));
      };
      out.add(StripEnds{one_character(step, "content"), count("start"), count("stop")}, step.file());
    } else if (type == "ByteLevel") {
      out.add(CharsToBytes{}, step.file());
    } else if (type == "Metaspace") {
      allow_keys(step, "Metaspace", {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"});
      const bool drop = prepend_scheme(step) != PrependScheme::never;
      out.add(SpaceFromMeta{one_character(step, "replacement"), drop}, step.file());
    } else {
      refuse(step, "decoder " + type);
    }
  });
}

}  // namespace hearth::tokenizers
