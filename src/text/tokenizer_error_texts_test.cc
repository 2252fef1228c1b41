// SPDX-License-Identifier: Apache-2.0
// Golden texts of what tokenizer files can have wrong.
#include <gtest/gtest.h>

#include <functional>

#include "base/file_test_folder.h"
#include "io/json.h"
#include "text/regex_dialect.h"
#include "text/tokenizer.h"

namespace hearth {
namespace {

TEST(TokenizerErrorTexts, patterns) {
  const std::string deep = std::string(17, '[') + "a" + std::string(17, ']');
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"(*FAIL)", "t.json: the regular expression uses (*, which Hearth does not do\n  pattern: (*FAIL)"},
      {"(?<n>a)", "t.json: the regular expression uses the group '(?<n', which Hearth does not do\n  pattern: (?<n>a)"},
      {"a{2}?",
       "t.json: the regular expression uses a counted repeat {n}?, which Hearth does not do\n  pattern: a{2}?"},
      {"a\\", "t.json: the regular expression uses \\ at its end, which Hearth does not do\n  pattern: a\\"},
      {"\\p{", "t.json: the regular expression uses \\p without {name}, which Hearth does not do\n  pattern: \\p{"},
      {"\\pL", "t.json: the regular expression uses \\p without {name}, which Hearth does not do\n  pattern: \\pL"},
      {"\\p{Alphabetic}",
       "t.json: the regular expression uses the property 'Alphabetic', which Hearth does not do\n  pattern: "
       "\\p{Alphabetic}"},
      {"\\G", "t.json: the regular expression uses \\G, which Hearth does not do\n  pattern: \\G"},
      {"(a)\\1", "t.json: the regular expression uses \\1, which Hearth does not do\n  pattern: (a)\\1"},
      {"\\xE9", "t.json: the regular expression uses a broken \\x or \\u, which Hearth does not do\n  pattern: \\xE9"},
      {"\\x{D800}",
       "t.json: the regular expression uses a broken \\x or \\u, which Hearth does not do\n  pattern: \\x{D800}"},
      {deep,
       "t.json: the regular expression uses sets nested deeper than 16, which Hearth does not do\n  pattern: "
       "[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]"},
      {"[]a]",
       "t.json: the regular expression uses ']' as the first member of a set, which Hearth does not do\n  pattern: "
       "[]a]"},
      {"[a", "t.json: the regular expression uses a set without its ']', which Hearth does not do\n  pattern: [a"},
      {"[a&&]",
       "t.json: the regular expression uses && with nothing on one side, which Hearth does not do\n  pattern: [a&&]"},
      {"[a[b[c]d&&e]]",
       "t.json: the regular expression uses && behind a set, inside a set, which Hearth does not do\n  pattern: "
       "[a[b[c]d&&e]]"},
      {"[a[]b]]",
       "t.json: the regular expression uses ']' as the first member of a set, which Hearth does not do\n  pattern: "
       "[a[]b]]"},
      {"[a[b", "t.json: the regular expression uses a set without its ']', which Hearth does not do\n  pattern: [a[b"},
      {"[[:alnum:]]",
       "t.json: the regular expression uses [:alnum:], which Hearth does not do\n  pattern: [[:alnum:]]"},
      {"[b-a]",
       "t.json: the regular expression uses a range that ends before it begins, which Hearth does not do\n  pattern: "
       "[b-a]"},
      {"[^" + deep + "]",
       "t.json: the regular expression uses sets nested deeper than 16, which Hearth does not do\n  pattern: "
       "[^[[[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]]]"}};
  for (const auto& [pattern, text] : rows)
    EXPECT_EQ(message_of([&] { tokenizers::oniguruma_to_pcre(pattern, "t.json"); }), text) << pattern;
}

struct FileRow {
  std::function<void(Json&)> change;
  const char* text;
};

void expect_texts(const std::string& corpus, const std::vector<FileRow>& rows) {
  for (const FileRow& row : rows) {
    Json file = read_json_file(source_file("tests/corpus/tokenizer_json/" + corpus + ".json"));
    row.change(file);
    EXPECT_EQ(message_of([&] { Tokenizer::parse_json(file.dump(), "t.json"); }), row.text);
  }
}

void lower_all(Json& f) { f["normalizer"] = {{"type", "Lowercase"}}; }

TEST(TokenizerErrorTexts, tokenizer_json) {
  expect_texts(
      "llama_new",
      {{[](Json& f) { f["model"]["type"] = "Fancy"; }, "t.json: model Fancy, which Hearth does not do"},
       {[](Json& f) { f["model"]["novelty"] = 1; }, "t.json: the model has \"novelty\", which Hearth does not do"},
       {[](Json& f) {
          lower_all(f);
          for (int64_t i = 0; i < 2; ++i)
            f["added_tokens"].push_back(
                {{"id", 283 + i}, {"content", i ? "<aB>" : "<Ab>"}, {"normalized", true}, {"special", false}});
        },
        "t.json: added tokens 283 and 284 look alike in a text: '<ab>'"},
       {[](Json& f) { f["model"]["merges"] = {"H zz"}; },
        "t.json: merge 0 ('H', 'zz') needs a token that is not in the vocabulary"},
       {[](Json& f) {
          f["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "a*=="}};
        },
        "t.json: normalizer Precompiled: no base64 text: character 1 is no digit of it"},
       {[](Json& f) {
          f["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", ""}}}, {"content", "a"}};
        },
        "t.json: normalizer Replace with an empty pattern, which Hearth does not do"},
       {[](Json& f) {
          Json step = {{"type", "NFC"}};
          for (int i = 0; i < 10; ++i) step = {{"type", "Sequence"}, {"normalizers", Json::array({step})}};
          f["normalizer"] = step;
        },
        "t.json: Sequence nested deeper than 8, which Hearth does not do"},
       {[](Json& f) {
          f["model"] = {{"type", "Unigram"}, {"vocab", Json::array()}};
        },
        "t.json: the vocabulary is empty"},
       {[](Json& f) {
          f["model"]["vocab"] = Json::object(), f["model"]["merges"] = Json::array(), f["added_tokens"] = nullptr;
          f["post_processor"] = nullptr;
        },
        "t.json: the vocabulary is empty"}});
}

struct BytesRow {
  std::string bytes;
  const char* text;
};

std::string field(int number, const std::string& bytes) {
  std::string size;
  for (size_t n = bytes.size(); size.empty() || n > 0; n >>= 7) size += char((n & 0x7F) | (n > 0x7F ? 0x80 : 0));
  return std::string(1, char(number << 3 | 2)) + size + bytes;
}
std::string number(int field, int value) { return std::string(1, char(field << 3)) + char(value); }
std::string piece(const std::string& text, int type) { return field(1, field(1, text) + number(3, type)); }

TEST(TokenizerErrorTexts, tokenizer_model) {
  const std::string start = piece("<unk>", 2) + piece("a", 1), bpe = field(2, number(3, 2));
  const std::vector<BytesRow> rows = {
      {"", "t.model: no sentencepiece model: it has no pieces"},
      {start + bpe + piece(std::string(3000, 'x'), 1), "t.model: piece 2 has 3000 bytes; Hearth takes at most 1024"},
      {start + bpe + piece("u", 9), "t.model: piece 2 'u' has type 9, which Hearth does not know"},
      {start + bpe + piece("u", 5), "t.model: piece 2 'u' is marked unused, which Hearth does not do"},
      {start + bpe + piece("\xFF", 1), "t.model: piece 2 is not valid UTF-8"},
      {start + bpe + piece("a", 1), "t.model: token 'a' is there twice, with ids 1 and 2"},
      {start + bpe + field(5, field(2, "x")), "t.model: a denormalizer, which Hearth does not do"},
      {start + bpe + field(3, number(5, 0)), "t.model: escape_whitespaces = false, which Hearth does not do"},
      {start + field(2, number(3, 2) + "\xC0\x01\x01"),
       "t.model: treat_whitespace_as_suffix, which Hearth does not do"},
      {start + field(2, number(3, 3)),
       "t.model: a sentencepiece model of type word; Hearth reads those of type bpe and unigram\n  hint: "
       "save_pretrained of transformers writes a tokenizer.json; Hearth reads that"}};
  for (const BytesRow& row : rows)
    EXPECT_EQ(message_of([&] { Tokenizer::parse_sentencepiece(row.bytes, "t.model"); }), row.text);
}

// A folder of a GPT-2 vocabulary, which files that say more are written into.
TEST(TokenizerErrorTexts, folders) {
  const TestFolder folder;
  const auto error_with = [&](const std::string& config, const std::string& merges) {
    write_file_atomic(folder / "vocab.json", R"({"a": 0, "b": 1, "ab": 2})");
    write_file_atomic(folder / "merges.txt", merges);
    write_file_atomic(folder / "tokenizer_config.json", config);
    const std::string text = message_of([&] { Tokenizer::load(folder.path()); });
    const size_t begin = text.starts_with(folder.path()) ? folder.path().size() + 1 : 0;
    return text.substr(begin, text.find("\n  file ") - begin);
  };
  const std::string gpt2 = R"("tokenizer_class": "GPT2Tokenizer")";
  EXPECT_EQ(error_with("{" + gpt2 + "}", "a b\n"), "");
  EXPECT_EQ(error_with("{" + gpt2 + "}", "a b c\n"),
            "merges.txt: line 1 must be two tokens with a space between, found 'a b c'");
  EXPECT_EQ(error_with("{" + gpt2 + R"(, "bos_token": 7})", "a b\n"),
            "tokenizer_config.json: 'bos_token' must be a string or an object with \"content\", found 7");
  EXPECT_EQ(error_with("{" + gpt2 + R"(, "extra_special_tokens": 7})", "a b\n"),
            "tokenizer_config.json: 'extra_special_tokens' must be a list of tokens, found 7");
  EXPECT_EQ(error_with("{" + gpt2 + R"(, "added_tokens_decoder": {"x": {"content": "<s>"}}})", "a b\n"),
            "tokenizer_config.json: added_tokens_decoder has the key 'x', which is no id");
  EXPECT_EQ(error_with("{" + gpt2 + R"(, "added_tokens_decoder": {"5": {"content": "<s>"}}, "bos_token": "<t>"})",
                       "\xFF b\n"),
            "merges.txt: not valid UTF-8");
  EXPECT_EQ(error_with(R"({"tokenizer_class": "FancyTokenizer"})", "a b\n"),
            "tokenizer_config.json: Hearth does not build the tokenizer of class 'FancyTokenizer' from a vocabulary "
            "alone; it does GPT2Tokenizer, CodeGenTokenizer, Qwen2Tokenizer, RobertaTokenizer, BartTokenizer\n  hint: "
            "save_pretrained of transformers writes a tokenizer.json; Hearth reads that");
}

}  // namespace
}  // namespace hearth
