// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

namespace hearth {

using namespace tokenizers;

Tokenizer::Tokenizer(Parts parts) : parts_(std::make_shared<const Parts>(std::move(parts))) {}

Tokenizer Tokenizer::load(const std::string& model_dir) {
  const std::string json = join_path(model_dir, "tokenizer.json"), model = join_path(model_dir, "tokenizer.model");
  const std::string config_file = join_path(model_dir, "tokenizer_config.json");
  std::optional<TokenizerConfig> config;
  if (exists(config_file)) config = read_tokenizer_config(config_file);
  const TokenizerConfig* used = config ? &*config : nullptr;
  if (exists(json)) return Tokenizer(parse_tokenizer_json(read_file(json, kMaxTokenizerBytes), json, used));
  if (exists(model)) return Tokenizer(parse_sentencepiece_model(read_file(model, kMaxTokenizerBytes), model, used));
  const auto has = [&](const char* name) { return exists(join_path(model_dir, name)); };
  HEARTH_CHECK((has("vocab.json") && has("merges.txt")) || has("vocab.txt"), file, "no tokenizer in '", model_dir,
               "': it has neither tokenizer.json nor tokenizer.model, nor vocab.json with merges.txt, nor vocab.txt",
               "\n  hint: copy that file from where the model comes from");
  return Tokenizer(read_vocabulary_folder(model_dir, used));
}

Tokenizer Tokenizer::load_json(const std::string& file) {
  return parse_json(read_file(file, kMaxTokenizerBytes), file);
}

Tokenizer Tokenizer::load_sentencepiece(const std::string& file) {
  return parse_sentencepiece(read_file(file, kMaxTokenizerBytes), file);
}

Tokenizer Tokenizer::parse_json(std::string_view bytes, const std::string& name) {
  return Tokenizer(parse_tokenizer_json(bytes, name, nullptr));
}

Tokenizer Tokenizer::parse_sentencepiece(std::string_view bytes, const std::string& name) {
  return Tokenizer(parse_sentencepiece_model(bytes, name, nullptr));
}

// Normalizes one piece between added tokens, looks for those tokens that stand for normalized text, encodes the rest.
// head: how many bytes of piece are the first character of the whole text; 0 where nobody asks for it.
static void encode_piece(const Parts& parts, std::string_view piece, size_t head, bool parse_special, WordCache& cache,
                         std::vector<int32_t>& ids) {
  std::string normalized;
  if (!parts.normalizer.empty()) piece = normalized = parts.normalizer.apply(piece, head > 0 ? &head : nullptr);
  const auto encode_word = [&](std::string_view word) { parts.model->encode_word(word, cache, ids); };
  parts.added.split(piece, true, parse_special, [&](size_t begin, size_t end, int32_t id) {
    if (id >= 0) return ids.push_back(id);
    parts.pre_tokenizer.apply(piece.substr(begin, end - begin), head - std::min(head, begin), encode_word);
  });
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::string repaired;
  if (!is_valid_utf8(text)) text = repaired = replace_invalid_utf8(text);
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  if (options.add_special) ids = parts_->before;
  WordCache cache;
  parts_->added.split(text, false, options.parse_special, [&](size_t begin, size_t end, int32_t id) {
    if (id >= 0) return ids.push_back(id);
    const size_t head = begin == 0 && parts_->pre_tokenizer.looks_at_head() ? decode_valid(text, 0).size_bytes : 0;
    encode_piece(*parts_, text.substr(begin, end - begin), head, options.parse_special, cache, ids);
  });
  if (options.add_special) ids.insert(ids.end(), parts_->behind.begin(), parts_->behind.end());
  return ids;
}

static void push_token(const Parts& parts, int32_t id, bool skip_special, DecodeStage& stages) {
  HEARTH_CHECK(id >= 0, value, "tokenizer: cannot decode the id ", id, "; ids are 0..", parts.texts.size() - 1);
  const size_t at = static_cast<size_t>(id);
  if (at >= parts.texts.size() || parts.texts[at] == nullptr || (skip_special && parts.is_special[at])) return;
  stages.push(*parts.texts[at]);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, DecodeOptions options) const {
  std::string text;
  const std::unique_ptr<DecodeStage> stages = parts_->decoder.start(&text);
  for (const int32_t id : ids) push_token(*parts_, id, options.skip_special, *stages);
  stages->finish();
  return text;
}

int32_t Tokenizer::bos_id() const { return parts_->bos_id; }
int32_t Tokenizer::eos_id() const { return parts_->eos_id; }
int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(parts_->texts.size()); }
std::span<const int32_t> Tokenizer::special_before() const { return parts_->before; }
std::span<const int32_t> Tokenizer::special_behind() const { return parts_->behind; }
int32_t Tokenizer::id(std::string_view token) const { return parts_->find(std::string(token)); }

bool Tokenizer::has(int32_t id) const { return id >= 0 && id < vocab_size() && parts_->texts[id] != nullptr; }

bool Tokenizer::is_special(int32_t id) const { return has(id) && parts_->is_special[id]; }

const std::string& Tokenizer::token(int32_t id) const {
  HEARTH_CHECK(has(id), value, "tokenizer: there is no token with id ", id, "; ids are 0..", vocab_size() - 1);
  const AddedToken* added = parts_->added.find(id);
  return added != nullptr ? added->content : *parts_->texts[id];
}

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options)
    : parts_(tokenizer.parts_), options_(options) {
  restart();
}
StreamDecoder::~StreamDecoder() = default;

void StreamDecoder::restart() { stages_ = parts_->decoder.start(&text_); }

std::string StreamDecoder::push(int32_t id) {
  push_token(*parts_, id, options_.skip_special, *stages_);
  return std::exchange(text_, {});
}

std::string StreamDecoder::finish() {
  stages_->finish();
  restart();
  return std::exchange(text_, {});
}

}  // namespace hearth
