// SPDX-License-Identifier: Apache-2.0
// The part "decoder" of tokenizer.json.

#include "text/tokenizer_json.h"

namespace hearth::tokenizers {

static DecoderStep replace_of(const JsonView& step) {
  allow_keys(step, "decoder Replace", {"type", "pattern", "content"});
  bool is_regex = false;
  std::string pattern = pattern_text(step, "decoder Replace", &is_regex), content = step.text("content");
  if (is_regex) return ReplaceMatches{Regex(pattern, step.file()), std::move(content)};
  return ReplaceText{std::move(pattern), std::move(content)};
}

static DecoderStep strip_of(const JsonView& step) {
  allow_keys(step, "decoder Strip", {"type", "content", "start", "stop"});
  const auto count = [&](const char* key) {
    return static_cast<size_t>(step.integer(key, {.min = 0, .max = 1 << 16}));
  };
  return StripEnds{one_character(step, "content"), count("start"), count("stop")};
}

static DecoderStep metaspace_of(const JsonView& step) {
  allow_keys(step, "Metaspace", {"type", "replacement", "prepend_scheme", "add_prefix_space", "split", "str_rep"});
  return SpaceFromMeta{one_character(step, "replacement"), prepend_scheme(step) != PrependScheme::never};
}

static std::string text_that_is_not_empty(const JsonView& step, const char* key) {
  const std::string text = step.text(key);
  if (text.empty()) step.refuse(key, "a string that is not empty");
  return text;
}

static DecoderStep ctc_of(const JsonView& step) {
  allow_keys(step, "decoder CTC", {"type", "pad_token", "word_delimiter_token", "cleanup"});
  return MergeRepeats{step.text("pad_token"), text_that_is_not_empty(step, "word_delimiter_token"),
                      step.boolean_or("cleanup", true)};
}

static DecoderStep decoder_step(const JsonView& step, const std::string& type) {
  if (type == "Replace") return replace_of(step);
  if (type == "Strip") return strip_of(step);
  if (type == "Metaspace") return metaspace_of(step);
  if (type == "CTC") return ctc_of(step);
  if (type == "WordPiece") {
    allow_keys(step, "decoder WordPiece", {"type", "prefix", "cleanup"});
    return JoinPieces{step.text("prefix"), step.boolean_or("cleanup", true)};
  }
  if (type == "BPEDecoder") {
    allow_keys(step, "BPEDecoder", {"type", "suffix"});
    return SpaceFromSuffix{text_that_is_not_empty(step, "suffix")};
  }
  if (type == "ByteLevel") {
    allow_keys(step, "decoder ByteLevel", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
    return CharsToBytes{};
  }
  allow_keys(step, type.c_str(), {"type"});
  if (type == "ByteFallback") return BytesFromTokens{};
  if (type == "Fuse") return Fuse{};
  refuse(step, "decoder " + type);
}

void read_decoder(const JsonView& root, Decoder& out) {
  if (!root.has("decoder")) return out.add(JoinWithSpaces{});
  each_step(root.object("decoder"), "decoders", 0,
            [&](const JsonView& step, const std::string& type) { out.add(decoder_step(step, type)); });
}

}  // namespace hearth::tokenizers
