// SPDX-License-Identifier: Apache-2.0
// What every kind of tokenizer must do with the texts that broke others.
#include <gtest/gtest.h>

#include <chrono>

#include "base/file_test_folder.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace hearth {

using Ids = std::vector<int32_t>;

class TokenizerKind : public testing::TestWithParam<const char*> {
 protected:
  Tokenizer load() const {
    return Tokenizer::load_json(source_file("tests/corpus/tokenizer_json/" + std::string(GetParam()) + ".json"));
  }
};

TEST_P(TokenizerKind, empty_text) {
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("", {.add_special = false}), Ids{});
  EXPECT_EQ(tokenizer.decode(Ids{}), "");
}

TEST_P(TokenizerKind, invalid_utf8_counts_as_replacement_characters) {
  const Tokenizer tokenizer = load();
  EXPECT_EQ(tokenizer.encode("a\xFF\xC3 b\xE2\x82"), tokenizer.encode("a\xEF\xBF\xBD\xEF\xBF\xBD b\xEF\xBF\xBD"));
}

// The limit is far above what linear work takes, and far below what 2^40 steps would.
TEST_P(TokenizerKind, a_megabyte_without_a_space) {
  const Tokenizer tokenizer = load();
  for (const std::string& piece :
       {std::string("a"), std::string("he1lo"), std::string("\xE6\x97\xA5"), std::string("e\xCC\x81\xCC\xA3"),
        std::string("\xCC\xA3\xCC\x81"), std::string("\n")}) {
    std::string text;
    while (text.size() < (1u << 20)) text += piece;
    const auto begin = std::chrono::steady_clock::now();
    tokenizer.encode(text);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LT(seconds, 20) << piece;
  }
}

TEST_P(TokenizerKind, line_ends_of_all_kinds) {
  const Tokenizer tokenizer = load();
  for (const char* text : {"a\r\nb", "a\rb", "a\n\n\nb", "\r\n", "  a  ", "\t a"})
    EXPECT_NO_THROW(tokenizer.encode(text)) << text;
}

// Each piece that a stream gives is whole characters, and all pieces together are the text.
TEST_P(TokenizerKind, streaming_never_splits_a_character) {
  const Tokenizer tokenizer = load();
  Ids ids = tokenizer.encode("hello \xF0\x9F\x98\x80 caf\xC3\xA9 the world", {.add_special = false});
  for (int32_t id = 0; id < tokenizer.vocab_size(); ++id) ids.push_back(id);
  StreamDecoder stream(tokenizer, {.skip_special = false});
  std::string joined;
  for (const int32_t id : ids) {
    const std::string piece = stream.push(id);
    EXPECT_TRUE(tokenizers::is_valid_utf8(piece));
    joined += piece;
  }
  joined += stream.finish();
  EXPECT_EQ(joined, tokenizer.decode(ids, {.skip_special = false}));
}

INSTANTIATE_TEST_SUITE_P(text, TokenizerKind,
                         testing::Values("llama_old", "llama_new", "byte_level", "bert", "unigram", "unigram_bytes",
                                         "word_level", "suffix"),
                         [](const auto& row) { return std::string(row.param); });

static std::string decode_all(const Tokenizer& tokenizer, const std::vector<std::string>& tokens) {
  Ids ids;
  for (const std::string& token : tokens) ids.push_back(tokenizer.id(token));
  return tokenizer.decode(ids);
}

TEST(TokenizerBert, words_pieces_and_unknown_ones) {
  const Tokenizer tokenizer = Tokenizer::load_json(source_file("tests/corpus/tokenizer_json/bert.json"));
  EXPECT_EQ(tokenizer.encode("HELLO, th\xC3\xA9 hex", {.add_special = false}),
            (Ids{tokenizer.id("hello"), tokenizer.id(","), tokenizer.id("the"), tokenizer.id("[UNK]")}));
  EXPECT_EQ(decode_all(tokenizer, {"he", "##llo", "##s", "!", "the"}), "hellos! the");
}

}  // namespace hearth
