// SPDX-License-Identifier: Apache-2.0
// The part "model" of tokenizer.json.

#include "base/error.h"
#include "io/nearest.h"
#include "text/bpe.h"
#include "text/tokenizer_json.h"
#include "text/unigram.h"
#include "text/word_models.h"

namespace hearth::tokenizers {

// Written "left right" by transformers 4, ["left", "right"] by 5.
static std::vector<Bpe::Merge> read_merges(const JsonView& model) {
  std::vector<Bpe::Merge> merges;
  const Json& list = array_of(model, "merges");
  merges.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& merge = list[i];
    bool good = false;
    if (merge.is_string()) {
      const std::string& text = merge.get_ref<const std::string&>();
      if (text.starts_with("#version")) continue;  // the head of a merges.txt
      const size_t space = text.find(' ');
      good = space != std::string::npos && text.find(' ', space + 1) == std::string::npos;
      if (good) merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      good = true;
      merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
    }
    HEARTH_CHECK(good, format, model.file(), ": model.merges[", i, "] must be \"left right\" or [\"left\", \"right\"]");
  }
  return merges;
}

Vocab read_vocab(const JsonView& entries) {
  Vocab vocab;
  for (const auto& [text, id] : entries.json().items()) {
    if (!id.is_number_integer()) entries.refuse(text, "a whole number");
    const bool fits = !id.is_number_unsigned() || id.get<uint64_t>() <= static_cast<uint64_t>(Vocab::kMaxId);
    vocab.add(text, fits ? id.get<int64_t>() : Vocab::kMaxId + 1, entries.file());
  }
  return vocab;
}

static std::unique_ptr<const Model> read_bpe(const JsonView& model) {
  allow_keys(model, "the model",
             {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
              "byte_fallback", "ignore_merges", "vocab", "merges"});
  // With dropout the tokenizers library gives other ids at each call.
  if (model.number_or("dropout", 0) != 0) refuse(model, "model.dropout");
  BpeOptions options{.unk_token = model.text_or("unk_token", ""),
                     .fuse_unk = model.boolean_or("fuse_unk", false),
                     .byte_fallback = model.boolean_or("byte_fallback", false),
                     .ignore_merges = model.boolean_or("ignore_merges", false),
                     .prefix = model.text_or("continuing_subword_prefix", ""),
                     .suffix = model.text_or("end_of_word_suffix", "")};
  return std::make_unique<Bpe>(read_vocab(model.object("vocab")), read_merges(model), std::move(options), model.file());
}

// [["<unk>", 0.0], ["▁the", -3.2], ...]: a token's id is its place.
static std::unique_ptr<const Model> read_unigram(const JsonView& model) {
  allow_keys(model, "the model", {"type", "unk_id", "vocab", "byte_fallback"});
  const Json& list = array_of(model, "vocab");
  Vocab vocab;
  std::vector<double> scores;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& entry = list[i];
    const bool good = entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number();
    HEARTH_CHECK(good, format, model.file(), ": model.vocab[", i, "] must be [token, score]");
    vocab.append(entry[0].get<std::string>(), model.file());
    scores.push_back(entry[1].get<double>());
  }
  HEARTH_CHECK(!scores.empty(), format, model.file(), ": the vocabulary is empty");
  const int64_t unk_id = model.integer_or("unk_id", -1, {.min = 0, .max = Vocab::kMaxId});
  const UnigramOptions options{.unk_id = static_cast<int32_t>(unk_id),
                               .byte_fallback = model.boolean_or("byte_fallback", false)};
  return std::make_unique<Unigram>(std::move(vocab), std::move(scores), options, model.file());
}

static std::unique_ptr<const Model> read_word_piece(const JsonView& model) {
  allow_keys(model, "the model",
             {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  const int64_t most = model.integer("max_input_chars_per_word", {.min = 0});
  WordPieceOptions options{.unk_token = model.text("unk_token"),
                           .prefix = model.text("continuing_subword_prefix"),
                           .max_characters = static_cast<size_t>(most)};
  return std::make_unique<WordPiece>(read_vocab(model.object("vocab")), std::move(options));
}

static std::unique_ptr<const Model> read_word_level(const JsonView& model) {
  allow_keys(model, "the model", {"type", "unk_token", "vocab"});
  return std::make_unique<WordLevel>(read_vocab(model.object("vocab")), model.text("unk_token"));
}

// Old files do not say the type.
static std::string guess_type(const JsonView& model) {
  if (model.has("merges")) return "BPE";
  if (model.has("vocab") && model.get("vocab").is_array()) return "Unigram";
  return model.has("max_input_chars_per_word") ? "WordPiece" : "WordLevel";
}

std::unique_ptr<const Model> read_model(const JsonView& model) {
  const std::string type = model.has("type") ? model.text("type") : guess_type(model);
  if (type == "BPE") return read_bpe(model);
  if (type == "Unigram") return read_unigram(model);
  if (type == "WordPiece") return read_word_piece(model);
  if (type == "WordLevel") return read_word_level(model);
  refuse(model, "model " + type);
}

}  // namespace hearth::tokenizers
