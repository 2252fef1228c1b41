// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text to token ids and back, equal to the tokenizers library: tokenizer.json with its models, normalizers,
// pre-tokenizers, post-processors and decoders, sentencepiece's tokenizer.model, and the bare vocabularies of GPT-2 and
// BERT.
// What a file asks for and Hearth does not do is refused by name when the file is read: Error{unsupported}.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

namespace tokenizers {
struct Parts;
class DecodeStage;
}  // namespace tokenizers

struct EncodeOptions {
  bool add_special = true;    // what the file's template puts around a text: usually <s> in front
  bool parse_special = true;  // "<s>" inside the text becomes its id; false: for text of people who are not trusted
};

struct DecodeOptions {
  bool skip_special = true;
};

// Immutable; copies share the data; all const functions may be called from several threads.
class Tokenizer {
 public:
  // A Hugging Face model folder: tokenizer.json if it is there, else tokenizer.model, else vocab.json with merges.txt,
  // else vocab.txt, which the class named in tokenizer_config.json completes. tokenizer_config.json, if there, names
  // <s> and </s>, brings its own added tokens, and beside a tokenizer.model its add_bos_token (default true) and
  // add_eos_token (default false) count; a tokenizer.json says itself what stands around a text.
  // Throws Error{file, format, unsupported} that names the file and the place in it.
  static Tokenizer load(const std::string& model_dir);
  static Tokenizer load_json(const std::string& file);
  static Tokenizer load_sentencepiece(const std::string& file);  // adds <s> in front, as Llama does
  static Tokenizer parse_json(std::string_view bytes, const std::string& name);
  static Tokenizer parse_sentencepiece(std::string_view bytes, const std::string& name);

  // Invalid UTF-8 counts as U+FFFD, one for each broken sequence, as Python's errors="replace" has it.
  // Cost: linear, except N log N in stretches of text where any character may merge with the next.
  std::vector<int32_t> encode(std::string_view text, EncodeOptions options = {}) const;

  // Always valid UTF-8. Ids that are no token (a model's padding rows) give no text; a negative id is Error{value}.
  std::string decode(std::span<const int32_t> ids, DecodeOptions options = {}) const;

  int32_t bos_id() const;      // -1 if there is none
  int32_t eos_id() const;      // -1 if there is none
  int32_t vocab_size() const;  // largest id + 1; a model's embedding may have more rows
  bool has(int32_t id) const;
  const std::string& token(int32_t id) const;  // as the file writes it: "▁the", "<0x0A>"; Error{value} if there is none
  int32_t id(std::string_view token) const;    // -1 if there is none
  bool is_special(int32_t id) const;           // skipped by decode

  // What add_special puts before and behind a text.
  std::span<const int32_t> special_before() const;
  std::span<const int32_t> special_behind() const;

 private:
  friend class StreamDecoder;
  explicit Tokenizer(tokenizers::Parts parts);
  std::shared_ptr<const tokenizers::Parts> parts_;
};

// Decodes while tokens arrive. All texts that push and finish returned, joined, are what decode gives for all ids.
// Each is valid UTF-8 by itself and never taken back; what may still change is held back, at most until finish().
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options = {});
  ~StreamDecoder();
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;

  std::string push(int32_t id);  // Error{value} for a negative id
  std::string finish();          // the rest; afterwards the decoder starts anew

 private:
  void restart();
  std::shared_ptr<const tokenizers::Parts> parts_;
  DecodeOptions options_;
  std::string text_;
  std::unique_ptr<tokenizers::DecodeStage> stages_;  // writes to text_
};

}  // namespace hearth
