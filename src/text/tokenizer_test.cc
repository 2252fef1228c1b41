// SPDX-License-Identifier: Apache-2.0
// The real files of assets/, streaming, options. Equality with the tokenizers library on thousands of strings is
// tests/interop/tokenizer_test.py's job; the ids here come from that library.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/file_test_folder.h"
#include "io/json.h"
#include "text/utf8.h"

namespace hearth {

using Ids = std::vector<int32_t>;

static Tokenizer prose() { return Tokenizer::load(source_file("assets/prose-14m")); }
static Tokenizer llama2() { return Tokenizer::load_sentencepiece(source_file("tests/assets/llama2.tokenizer.model")); }

TEST(Tokenizer, encodes_the_reference_prompt) {
  const Json run = read_json_file(source_file("tests/assets/reference/reference_run.json"));
  const Tokenizer tokenizer = prose();
  const std::string prompt = run["base"]["prompt"].get<std::string>();
  const Ids ids = run["base"]["prompt_ids"].get<Ids>();
  EXPECT_EQ(tokenizer.encode(prompt), ids);
  EXPECT_EQ(tokenizer.decode(ids), prompt);
  EXPECT_EQ(tokenizer.decode(run["base"]["greedy_ids"].get<Ids>()), run["base"]["greedy_text"].get<std::string>());
}

TEST(Tokenizer, tokenizer_model_gives_what_tokenizer_json_gives) {
  const Tokenizer json = prose(),
                  model = Tokenizer::load_sentencepiece(source_file("assets/prose-14m/tokenizer.model"));
  const std::string text = read_file(source_file("assets/tinyshakespeare.txt"), 1 << 24).substr(0, 100000);
  EXPECT_EQ(json.encode(text), model.encode(text));
  EXPECT_EQ(json.vocab_size(), model.vocab_size());
  EXPECT_EQ(json.bos_id(), model.bos_id());
  EXPECT_EQ(json.eos_id(), model.eos_id());
}

TEST(Tokenizer, llama2_model) {
  const Tokenizer tokenizer = llama2();
  EXPECT_EQ(tokenizer.vocab_size(), 32000);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
  EXPECT_EQ(tokenizer.token(15043), "\xE2\x96\x81Hello");
  EXPECT_EQ(tokenizer.encode("Hello world"), (Ids{1, 15043, 3186}));
  EXPECT_EQ(tokenizer.encode("Hello world\n hi <s> \xC3\xA9"), (Ids{1, 15043, 3186, 13, 7251, 29871, 1, 904}));
}

TEST(Tokenizer, special_strings_in_a_text) {
  const Tokenizer tokenizer = prose();
  EXPECT_EQ(tokenizer.encode("<s>", {.add_special = false}), (Ids{1}));
  const Ids plain = tokenizer.encode("<s>", {.add_special = false, .parse_special = false});
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 1), 0);
  EXPECT_EQ(tokenizer.decode(plain), "<s>");
  EXPECT_EQ(tokenizer.decode(Ids{1, 2}), "");
  EXPECT_EQ(tokenizer.decode(Ids{1, 2}, {.skip_special = false}), "<s></s>");
}

TEST(Tokenizer, empty_text_and_unknown_ids) {
  const Tokenizer tokenizer = prose();
  EXPECT_EQ(tokenizer.encode(""), (Ids{1}));
  EXPECT_EQ(tokenizer.encode("", {.add_special = false}), (Ids{}));
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_EQ(tokenizer.decode(Ids{4096, 2147483647}), "");  // rows that pad an embedding
  EXPECT_THROW(tokenizer.decode(Ids{-1}), Error);
  EXPECT_THROW(tokenizer.token(4096), Error);
  EXPECT_THROW(tokenizer.token(-1), Error);
}

TEST(Tokenizer, invalid_utf8_counts_as_replacement_characters) {
  const Tokenizer tokenizer = prose();
  EXPECT_EQ(tokenizer.encode("a\xFF\xE2\x82z"), tokenizer.encode("a\xEF\xBF\xBD\xEF\xBF\xBDz"));
  EXPECT_EQ(tokenizer.encode("\xED\xA0\x80"), tokenizer.encode("\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"));  // a surrogate
}

TEST(Tokenizer, a_megabyte_without_a_space) {
  const Tokenizer tokenizer = prose();
  std::string text;
  uint32_t random = 1;
  while (text.size() < 1000000) text += "ethaniorsld"[(random = random * 1664525 + 1013904223) % 2147483647 % 11];
  const Ids ids = tokenizer.encode(text);  // quadratic merging would take hours
  EXPECT_EQ(tokenizer.decode(ids), text);
}

// What encode did in pieces and with its cache must be what it does with the whole at once.
TEST(Tokenizer, every_line_alone_decodes_to_itself) {
  const Tokenizer tokenizer = prose();
  std::ifstream file(source_file("assets/tinyshakespeare.txt"));
  std::string line;
  for (int i = 0; i < 2000 && std::getline(file, line); ++i)
    ASSERT_EQ(tokenizer.decode(tokenizer.encode(line)), line.starts_with(' ') ? line.substr(1) : line);
}

TEST(Tokenizer, may_be_shared_between_threads) {
  const Tokenizer tokenizer = prose();
  const std::string text = read_file(source_file("assets/tinyshakespeare.txt"), 1 << 24).substr(0, 50000);
  const Ids want = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::vector<Ids> got(4);
  for (Ids& ids : got) threads.emplace_back([&] { ids = tokenizer.encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : got) EXPECT_EQ(ids, want);
}

TEST(StreamDecoder, never_splits_a_character_and_adds_up) {
  const std::string text = "  A caf\xC3\xA9 \xF0\x9F\x98\x80\xF0\x9F\x98\x80 \xE6\x97\xA5\xE6\x9C\xAC\n\nend ";
  for (const Tokenizer& tokenizer : {prose(), llama2()}) {
    const Ids ids = tokenizer.encode(text);
    StreamDecoder stream(tokenizer);
    std::string joined;
    size_t pieces = 0;
    for (const int32_t id : ids) {
      const std::string piece = stream.push(id);
      EXPECT_TRUE(tokenizers::is_valid_utf8(piece));
      pieces += !piece.empty();
      joined += piece;
    }
    joined += stream.finish();
    EXPECT_EQ(joined, tokenizer.decode(ids));
    EXPECT_GT(pieces, 5u) << "nothing is shown while tokens arrive";
  }
}

TEST(StreamDecoder, holds_back_an_unfinished_character) {
  const Tokenizer tokenizer = prose();
  const int32_t bytes[] = {tokenizer.id("<0xC3>"), tokenizer.id("<0xA9>"), tokenizer.id("<0xE2>")};
  StreamDecoder stream(tokenizer);
  EXPECT_EQ(stream.push(bytes[0]), "");
  EXPECT_EQ(stream.push(bytes[1]), "");  // more bytes may come, and make the run invalid
  EXPECT_EQ(stream.push(tokenizer.id("a")),
            "\xC3\xA9"
            "a");
  EXPECT_EQ(stream.push(bytes[2]), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
  EXPECT_EQ(stream.push(tokenizer.id("a")), "a");  // anew
}

// tokenizer_config.json beside a tokenizer.model: it decides about <s> and </s> and brings tokens.
TEST(Tokenizer, folder_with_config) {
  char folder[] = "/tmp/hearth_tokenizer_XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string dir = folder, model = read_file(source_file("tests/assets/llama2.tokenizer.model"), 1 << 20);
  const auto load_with = [&](const std::string& config) {
    write_file_atomic(dir + "/tokenizer.model", model);
    write_file_atomic(dir + "/tokenizer_config.json", config);
    return Tokenizer::load(dir);
  };
  EXPECT_EQ(load_with("{}").encode("Hello"), (Ids{1, 15043}));
  EXPECT_EQ(load_with(R"({"add_bos_token": false, "add_eos_token": true})").encode("Hello"), (Ids{15043, 2}));
  EXPECT_EQ(load_with(R"({"add_prefix_space": false})").encode("Hello"), (Ids{1, 10994}));
  const Tokenizer tokenizer = load_with(R"({"pad_token": "[PAD]", "eos_token": {"content": "[PAD]"}})");
  EXPECT_EQ(tokenizer.encode("[PAD]"), (Ids{1, 32000}));
  EXPECT_EQ(tokenizer.eos_id(), 32000);
  EXPECT_EQ(tokenizer.vocab_size(), 32001);
  EXPECT_THROW(load_with(R"({"bos_token": 5})"), Error);
  EXPECT_THROW(load_with(R"({"added_tokens_decoder": {"77": {"content": "new"}}})"), Error);
  EXPECT_THROW(load_with("[]"), Error);
  remove_tree(dir);
}

TEST(Tokenizer, folder_without_tokenizer) {
  EXPECT_TEXT(error_of(Kind::file, [] { Tokenizer::load(source_file("tests/assets/reference")); }),
              "neither tokenizer.json nor tokenizer.model");
  EXPECT_THROW(Tokenizer::load("/nowhere"), Error);
  EXPECT_THROW(Tokenizer::load_json("/nowhere/tokenizer.json"), Error);
}

}  // namespace hearth
