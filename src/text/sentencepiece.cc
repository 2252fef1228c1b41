// SPDX-License-Identifier: Apache-2.0
// Reads sentencepiece's tokenizer.model. One of type bpe becomes the same BPE as a tokenizer.json, the way
// transformers' Llama tokenizer does it. The sentencepiece library itself is not used: it encodes differently (leading
// spaces, special tokens in a text), so the ids would not be those that transformers gives, and it aborts the process
// on some broken files. One of type unigram, for which transformers has a different way for every class, encodes as
// sentencepiece does.

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "io/nearest.h"
#include "text/bpe.h"
#include "text/tokenizer_parts.h"
#include "text/unigram.h"
#include "text/utf8.h"
#include "text/wire_reader.h"

namespace hearth::tokenizers {

static constexpr size_t kMaxPieceBytes = 1024;   // every cut of a piece is looked up, which is quadratic in this
static constexpr char kMeta[] = "\xE2\x96\x81";  // sentencepiece's mark for a space, U+2581

namespace {
enum class PieceType : int64_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct Piece {
  std::string text;
  PieceType type = PieceType::normal;
  double score = 0;
};

// The fields of ModelProto that bear on encoding, with the defaults of sentencepiece_model.proto.
struct ModelProto {
  std::vector<Piece> pieces;
  int64_t model_type = 1;  // unigram; 2 is BPE
  bool suffix_white_space = false;
  bool add_dummy_prefix = true, merge_white_space = true, escape_white_space = true;
  bool byte_fallback = false;
  std::string charsmap;
  std::string normalization = "?";
};
}  // namespace

static bool is_unigram(const ModelProto& model) { return model.model_type == 1; }

static Piece read_piece(WireReader message, const std::string& file, size_t index) {
  Piece piece;
  while (message.next()) {
    if (message.field() == 1) piece.text = message.bytes();
    if (message.field() == 2) piece.score = message.real();
    if (message.field() == 3) piece.type = static_cast<PieceType>(message.integer());
  }
  HEARTH_CHECK(!piece.text.empty(), format, file, ": piece ", index, " is empty");
  HEARTH_CHECK(is_valid_utf8(piece.text), format, file, ": piece ", index, " is not valid UTF-8");
  HEARTH_CHECK(piece.text.size() <= kMaxPieceBytes, unsupported, file, ": piece ", index, " has ", piece.text.size(),
               " bytes; Hearth takes at most ", kMaxPieceBytes);
  HEARTH_CHECK(piece.type >= PieceType::normal && piece.type <= PieceType::byte, unsupported, file, ": piece ", index,
               " '", printable(piece.text), "' has type ", static_cast<int64_t>(piece.type),
               ", which Hearth does not know");
  HEARTH_CHECK(piece.type != PieceType::unused, unsupported, file, ": piece ", index, " '", printable(piece.text),
               "' is marked unused, which Hearth does not do");
  return piece;
}

static void read_trainer_spec(WireReader message, ModelProto& model) {
  while (message.next()) {
    if (message.field() == 3) model.model_type = message.integer();
    if (message.field() == 35) model.byte_fallback = message.boolean();
    if (message.field() == 24) model.suffix_white_space = message.boolean();
  }
}

static void read_normalizer_spec(WireReader message, ModelProto& model) {
  while (message.next()) {
    if (message.field() == 1) model.normalization = message.bytes();
    if (message.field() == 2) model.charsmap = message.bytes();
    if (message.field() == 3) model.add_dummy_prefix = message.boolean();
    if (message.field() == 4) model.merge_white_space = message.boolean();
    if (message.field() == 5) model.escape_white_space = message.boolean();
  }
}

static ModelProto read_model(std::string_view bytes, const std::string& file) {
  ModelProto model;
  WireReader message(bytes, file, 0);
  while (message.next()) {
    if (message.field() == 1) model.pieces.push_back(read_piece(message.message(), file, model.pieces.size()));
    if (message.field() == 2) read_trainer_spec(message.message(), model);
    if (message.field() == 3) read_normalizer_spec(message.message(), model);
    if (message.field() == 5) {  // denormalizer_spec
      WireReader spec = message.message();
      while (spec.next())
        HEARTH_CHECK(spec.field() != 2 || spec.bytes().empty(), unsupported, file,
                     ": a denormalizer, which Hearth does not do");
    }
  }
  HEARTH_CHECK(!model.pieces.empty(), format, file, ": no sentencepiece model: it has no pieces");
  return model;
}

static void refuse_others(const ModelProto& model, const std::string& file) {
  static constexpr char kHint[] =
      "\n  hint: save_pretrained of transformers writes a tokenizer.json; Hearth reads that";
  static constexpr const char* kTypes[] = {"?", "unigram", "bpe", "word", "char"};
  HEARTH_CHECK(is_unigram(model) || model.model_type == 2, unsupported, file, ": a sentencepiece model of type ",
               model.model_type >= 1 && model.model_type <= 4 ? kTypes[model.model_type] : "unknown",
               "; Hearth reads those of type bpe and unigram", kHint);
  HEARTH_CHECK(is_unigram(model) || model.charsmap.empty(), unsupported, file, ": normalization '",
               printable(model.normalization),
               "', which Hearth does not do in a bpe model; it reads those trained with 'identity'", kHint);
  HEARTH_CHECK(!model.suffix_white_space, unsupported, file, ": treat_whitespace_as_suffix, which Hearth does not do");
  HEARTH_CHECK(model.escape_white_space, unsupported, file, ": escape_whitespaces = false, which Hearth does not do");
}

// Every way to cut a piece in two pieces is a merge; earlier pieces go first, then shorter left parts.
// Source: transformers' generate_merges, which orders by (id of the whole, length of left, length of right).
static std::vector<Bpe::Merge> find_merges(const ModelProto& model, const Vocab& vocab) {
  std::vector<Bpe::Merge> merges;
  for (const Piece& piece : model.pieces) {
    const std::string_view text = piece.text;
    for (size_t cut = decode_valid(text, 0).size_bytes; cut < text.size(); cut += decode_valid(text, cut).size_bytes)
      if (vocab.id(text.substr(0, cut)) >= 0 && vocab.id(text.substr(cut)) >= 0)
        merges.emplace_back(text.substr(0, cut), text.substr(cut));
  }
  return merges;
}

static std::unique_ptr<const Model> make_bpe(const ModelProto& model, const std::string& file) {
  Vocab vocab;
  BpeOptions options{.fuse_unk = true, .byte_fallback = true};
  int bytes = 0;
  for (size_t i = 0; i < model.pieces.size(); ++i) {
    vocab.add(model.pieces[i].text, static_cast<int64_t>(i), file);
    bytes += model.pieces[i].type == PieceType::byte;
    if (model.pieces[i].type == PieceType::unknown) options.unk_token = model.pieces[i].text;
  }
  HEARTH_CHECK(bytes == 0 || bytes == 256, format, file, ": it has ", bytes, " byte pieces instead of 0 or 256");
  const std::vector<Bpe::Merge> merges = find_merges(model, vocab);
  return std::make_unique<Bpe>(std::move(vocab), merges, std::move(options), file);
}

// Only normal pieces compete for a text; added tokens are cut out of it before.
static std::unique_ptr<const Model> make_unigram(const ModelProto& model, const std::string& file) {
  Vocab vocab;
  std::vector<double> scores;
  int32_t unk_id = -1;
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::unknown) unk_id = static_cast<int32_t>(scores.size());
    vocab.add(piece.text, static_cast<int64_t>(scores.size()), file);
    scores.push_back(piece.type == PieceType::normal ? piece.score : Unigram::kHidden);
  }
  return std::make_unique<Unigram>(
      std::move(vocab), std::move(scores),
      UnigramOptions{.unk_id = unk_id, .byte_fallback = model.byte_fallback, .single_precision = true}, file);
}

// Special: the three that every Llama tokenizer has, and control pieces. User-defined pieces are found in a text, but
// not skipped when decoding.
static void add_tokens(const ModelProto& model, Parts& parts, const std::string& file) {
  for (const char* text : {"<unk>", "<s>", "</s>"})
    if (parts.find(text) >= 0) parts.add_token({.content = text, .special = true}, file);
  for (const Piece& piece : model.pieces) {
    const bool special = piece.type == PieceType::control;
    const bool is_new = parts.added_ids.find(piece.text) == parts.added_ids.end();
    if (is_new && (special || piece.type == PieceType::user_defined))
      parts.add_token({.content = piece.text, .special = special}, file);
  }
  parts.bos_id = parts.find("<s>");
  parts.eos_id = parts.find("</s>");
}

static void add_text_steps(const ModelProto& model, Parts& parts, const TokenizerConfig& config,
                           const std::string& file) {
  const bool prefix = config.add_prefix_space.value_or(model.add_dummy_prefix);
  const bool legacy = config.legacy.value_or(false);
  if (!model.charsmap.empty()) parts.normalizer.add(charsmap_step(model.charsmap, CharsmapUse::longest, file));
  if (model.merge_white_space) parts.normalizer.add(merge_white_space_step());
  PrependScheme scheme = !prefix ? PrependScheme::never : legacy ? PrependScheme::always : PrependScheme::first;
  if (is_unigram(model)) {  // every text gets the prefix, a text that begins with a space too
    scheme = PrependScheme::never;
    if (prefix) parts.normalizer.add(prepend_step(" "));
  }
  parts.pre_tokenizer.add(Metaspace{kMeta, scheme});
  parts.decoder.add(ReplaceText{kMeta, " "});
  parts.decoder.add(BytesFromTokens{});
  parts.decoder.add(Fuse{});
  if (prefix) parts.decoder.add(StripEnds{" ", 1, 0});
}

Parts parse_sentencepiece_model(std::string_view bytes, const std::string& name, const TokenizerConfig* config) {
  const ModelProto model = read_model(bytes, name);
  refuse_others(model, name);
  Parts parts(is_unigram(model) ? make_unigram(model, name) : make_bpe(model, name));
  const TokenizerConfig used = config != nullptr ? *config : TokenizerConfig{};
  add_text_steps(model, parts, used, name);
  add_tokens(model, parts, name);
  apply_config(used, parts);
  // Differs: transformers 5.17 adds no <s> unless the config says so, against its own documentation; version 4 and the
  // models' training do.
  if (used.add_bos.value_or(true) && parts.bos_id >= 0) parts.before = {parts.bos_id};
  if (used.add_eos.value_or(false) && parts.eos_id >= 0) parts.behind = {parts.eos_id};
  parts.finish(name);
  return parts;
}

}  // namespace hearth::tokenizers
