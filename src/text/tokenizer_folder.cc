// SPDX-License-Identifier: Apache-2.0
// Folders without a tokenizer.json: vocab.json and merges.txt (GPT-2 and what came of it), or vocab.txt (BERT). Those
// files hold only the vocabulary. The rest is what transformers' class, which tokenizer_config.json names, builds
// around it; it is written here as that class's part of a tokenizer.json.

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "io/nearest.h"
#include "text/bpe.h"
#include "text/tokenizer_json.h"
#include "text/utf8.h"
#include "text/word_models.h"

namespace hearth::tokenizers {

namespace {

struct Recipe {
  std::vector<std::string> classes;  // without "Fast"
  const char* steps;                 // normalizer, pre_tokenizer, decoder
  std::map<std::string, std::string> tokens;
  bool wraps = false;  // cls_token and sep_token stand around a text; else add_bos_token and add_eos_token decide
};

constexpr char kGpt2Steps[] = R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
  "decoder": {"type": "ByteLevel"}})";

// Source: Qwen2's tokenizer.
constexpr char kQwen2Steps[] =
    R"--({"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
  {"type": "Split", "behavior": "Isolated", "pattern": {"Regex":
   "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
  {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}, "decoder": {"type": "ByteLevel"}})--";

constexpr char kBertSteps[] =
    R"({"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
  "decoder": {"type": "WordPiece", "prefix": "##"}})";

const std::string kEnd = "<|endoftext|>";

// The first of each list is taken where nothing names a class.
const std::vector<Recipe>& merges_recipes() {
  static const std::vector<Recipe> recipes = {
      {{"GPT2Tokenizer", "CodeGenTokenizer"},
       kGpt2Steps,
       {{"bos_token", kEnd}, {"eos_token", kEnd}, {"unk_token", kEnd}}},
      {{"Qwen2Tokenizer"}, kQwen2Steps, {{"eos_token", kEnd}, {"unk_token", kEnd}, {"pad_token", kEnd}}},
      {{"RobertaTokenizer", "BartTokenizer"},
       kGpt2Steps,
       {{"bos_token", "<s>"},
        {"eos_token", "</s>"},
        {"sep_token", "</s>"},
        {"cls_token", "<s>"},
        {"unk_token", "<unk>"},
        {"pad_token", "<pad>"},
        {"mask_token", "<mask>"}},
       true}};
  return recipes;
}

const std::vector<Recipe>& words_recipes() {
  static const std::vector<Recipe> recipes = {{{"BertTokenizer", "DistilBertTokenizer"},
                                               kBertSteps,
                                               {{"unk_token", "[UNK]"},
                                                {"sep_token", "[SEP]"},
                                                {"pad_token", "[PAD]"},
                                                {"cls_token", "[CLS]"},
                                                {"mask_token", "[MASK]"}},
                                               true}};
  return recipes;
}

}  // namespace

static const Recipe& find_recipe(const std::vector<Recipe>& recipes, std::string name, const std::string& where) {
  if (name.empty()) return recipes.front();
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  std::string known;
  for (const Recipe& recipe : recipes)
    for (const std::string& one : recipe.classes) {
      if (one == name) return recipe;
      known += (known.empty() ? "" : ", ") + one;
    }
  HEARTH_FAIL(unsupported, where, ": Hearth does not build the tokenizer of class '", printable(name),
              "' from a vocabulary alone; it does ", known,
              "\n  hint: save_pretrained of transformers writes a tokenizer.json; Hearth reads that");
}

// Calls line(text, number) for each line, without its end.
template <class Line>
static void each_line(std::string_view text, const Line& line) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (one.ends_with('\r')) one.remove_suffix(1);
    line(one, number);
  }
}

static std::string read_text(const std::string& file) {
  std::string text = read_file(file, kMaxTokenizerBytes);
  HEARTH_CHECK(is_valid_utf8(text), format, file, ": not valid UTF-8");
  return text;
}

static std::vector<Bpe::Merge> read_merges_file(const std::string& file) {
  std::vector<Bpe::Merge> merges;
  each_line(read_text(file), [&](std::string_view line, size_t number) {
    if (line.empty() || line.starts_with("#version")) return;
    const size_t space = line.find(' ');
    const bool good = space != std::string_view::npos && line.find(' ', space + 1) == std::string_view::npos;
    HEARTH_CHECK(good, format, file, ": line ", number, " must be two tokens with a space between, found '",
                 printable(std::string(line.substr(0, 80))), "'");
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  });
  return merges;
}

static std::unique_ptr<const Model> read_bpe_files(const std::string& dir) {
  const std::string file = join_path(dir, "vocab.json");
  const Json json = parse_json(read_file(file, kMaxTokenizerBytes), file, {.unique_keys = true});
  return std::make_unique<Bpe>(read_vocab(JsonView(json, file)), read_merges_file(join_path(dir, "merges.txt")),
                               BpeOptions{}, file);
}

static std::unique_ptr<const Model> read_words_file(const std::string& file, const TokenizerConfig& config) {
  Vocab vocab;
  each_line(read_text(file), [&](std::string_view line, size_t) { vocab.append(std::string(line), file); });
  return std::make_unique<WordPiece>(std::move(vocab),
                                     WordPieceOptions{.unk_token = config.named.at("unk_token").content});
}

// The recipe's steps, with what the config says about them.
static Json steps_of(const Recipe& recipe, const TokenizerConfig& config, const std::string& where) {
  Json steps = parse_json(recipe.steps, where);
  if (steps["pre_tokenizer"].contains("add_prefix_space"))
    steps["pre_tokenizer"]["add_prefix_space"] = config.add_prefix_space.value_or(false);
  if (!steps.contains("normalizer")) return steps;
  const auto set = [&](const char* key, const std::optional<bool>& value) {
    if (value) steps["normalizer"][key] = *value;
  };
  set("lowercase", config.do_lower_case);
  set("strip_accents", config.strip_accents);
  set("handle_chinese_chars", config.tokenize_chinese_chars);
  return steps;
}

static void add_specials_around(const Recipe& recipe, const TokenizerConfig& config, Parts& parts) {
  const auto put = [&](bool wanted, const char* key, std::vector<int32_t>& out) {
    const auto token = config.named.find(key);
    const int32_t id = wanted && token != config.named.end() ? parts.find(token->second.content) : -1;
    if (id >= 0) out = {id};
  };
  put(recipe.wraps || config.add_bos.value_or(false), recipe.wraps ? "cls_token" : "bos_token", parts.before);
  put(recipe.wraps || config.add_eos.value_or(false), recipe.wraps ? "sep_token" : "eos_token", parts.behind);
}

Parts read_vocabulary_folder(const std::string& dir, const TokenizerConfig* given) {
  const bool has_merges = exists(join_path(dir, "merges.txt"));
  const std::string file = join_path(dir, has_merges ? "vocab.json" : "vocab.txt");
  TokenizerConfig config;
  config.file = file;
  if (given != nullptr) config = *given;
  const Recipe& recipe =
      find_recipe(has_merges ? merges_recipes() : words_recipes(), config.tokenizer_class, config.file);
  for (const auto& [key, content] : recipe.tokens)
    config.named.try_emplace(key, AddedToken{.content = content, .special = true});

  Parts parts(has_merges ? read_bpe_files(dir) : read_words_file(file, config));
  const Json steps = steps_of(recipe, config, file);
  const JsonView root(steps, file);
  read_normalizer(root, parts.normalizer);
  read_pre_tokenizer(root, parts.pre_tokenizer);
  read_decoder(root, parts.decoder);
  apply_config(config, parts);
  add_specials_around(recipe, config, parts);
  parts.finish(file);
  return parts;
}

}  // namespace hearth::tokenizers
