// SPDX-License-Identifier: Apache-2.0
#include "text/dataset.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/file_test_folder.h"
#include "io/json.h"

namespace hearth {

using Ids = std::vector<int32_t>;

static const Tokenizer& prose() {
  static const Tokenizer tokenizer = Tokenizer::load(source_file("assets/prose-14m"));
  return tokenizer;
}

TEST(Dataset, stream_of_the_reference_run) {
  const Json lora = read_json_file(source_file("tests/assets/reference/reference_run.json"))["lora"];
  const std::string text =
      read_file(source_file("assets/tinyshakespeare.txt"), 1 << 24);  // ASCII: bytes are characters
  const int64_t block = lora["block"].get<int64_t>(), steps = static_cast<int64_t>(lora["loss_gradnorm"].size());
  const TokenBlocks blocks =
      cut_blocks(prose(), text.substr(0, lora["train_chars"].get<size_t>()), "text", Blocks::stream, block);
  const int64_t batch = lora["batch"].get<int64_t>(), epochs = lora["epochs"].get<int64_t>();
  EXPECT_EQ(blocks.count() / batch * epochs, steps);  // that run dropped its last partial batch
  EXPECT_EQ(blocks.block(0)[0], prose().bos_id());
  EXPECT_NE(blocks.block(1)[0], prose().bos_id());
  EXPECT_LT(blocks.dropped_tokens, block);
  EXPECT_EQ(blocks.block(0).size(), static_cast<size_t>(block));
}

TEST(Dataset, stream_is_bos_and_text_cut) {
  const std::string text = "one two three\r\nfour <s> five";
  const TokenBlocks blocks = cut_blocks(prose(), text, "t", Blocks::stream, 4);
  Ids all = prose().encode(text);  // with <s>
  EXPECT_EQ(blocks.dropped_tokens, static_cast<int64_t>(all.size()) % 4);
  all.resize(all.size() / 4 * 4);
  EXPECT_EQ(blocks.tokens, all);
}

TEST(Dataset, textdataset_puts_special_tokens_in_every_block) {
  const std::string text = "one two three\r\nfour\rfive six seven eight";
  const TokenBlocks blocks = cut_blocks(prose(), text, "t", Blocks::textdataset, 5);
  const Ids all = prose().encode("one two three\nfour\nfive six seven eight", {.add_special = false});
  ASSERT_EQ(blocks.count(), static_cast<int64_t>(all.size()) / 4);
  EXPECT_EQ(blocks.dropped_tokens, static_cast<int64_t>(all.size()) % 4);
  for (int64_t i = 0; i < blocks.count(); ++i) {
    EXPECT_EQ(blocks.block(i)[0], 1);
    for (int64_t k = 0; k < 4; ++k) EXPECT_EQ(blocks.block(i)[k + 1], all[i * 4 + k]);
  }
}

TEST(Dataset, exactly_one_block) {
  const Ids all = prose().encode("some words here");
  const int64_t size = static_cast<int64_t>(all.size());
  EXPECT_EQ(cut_blocks(prose(), "some words here", "t", Blocks::stream, size).tokens, all);
  EXPECT_EQ(cut_blocks(prose(), "some words here", "t", Blocks::textdataset, size).tokens, all);
  const auto refusal = [&](Blocks blocks) {
    return error_of(Kind::value, [&] { cut_blocks(prose(), "some words here", "t.txt", blocks, size + 1); });
  };
  EXPECT_EQ(refusal(Blocks::stream), cat("text 't.txt' gives ", size, " tokens, but one block of ", size + 1, " needs ",
                                         size + 1, "; use a longer text or a block size of at most ", size));
  EXPECT_EQ(refusal(Blocks::textdataset),
            cat("text 't.txt' gives ", size - 1, " tokens, but one block of ", size + 1, " needs ", size,
                "; use a longer text or a block size of at most ", size));
}

TEST(Dataset, errors_name_the_file_and_what_to_do) {
  const auto refusal = [](const char* text, const char* name, int64_t size) {
    return error_of(Kind::value, [&] { cut_blocks(prose(), text, name, Blocks::stream, size); });
  };
  EXPECT_TEXT(error_of(Kind::file, [] { make_blocks(prose(), "/nowhere/x.txt", Blocks::stream, 8); }),
              "'/nowhere/x.txt'");
  EXPECT_TEXT(error_of(Kind::file, [] { make_blocks(prose(), source_file("assets"), Blocks::stream, 8); }), "folder");
  EXPECT_EQ(refusal("", "e.txt", 8),
            "text 'e.txt' is empty: 0 tokens, but one block needs 8; give a file with text in it");
  EXPECT_EQ(
      refusal("a", "a.txt", 1),
      "text 'a.txt': the block size is 1; it must be at least 2, because every token is learnt from those before it");
  EXPECT_TEXT(refusal("a", "a.txt", -5), "the block size is -5");
}

TEST(Dataset, shuffled_order_is_fixed_for_ever) {
  EXPECT_EQ(shuffled_order(8, 42, 0), (std::vector<int64_t>{0, 3, 4, 5, 7, 2, 1, 6}));
  EXPECT_EQ(shuffled_order(8, 42, 1), (std::vector<int64_t>{6, 7, 1, 4, 0, 5, 2, 3}));
  EXPECT_EQ(shuffled_order(0, 1, 0), std::vector<int64_t>{});
  EXPECT_EQ(shuffled_order(1, 1, 0), std::vector<int64_t>{0});
  EXPECT_THROW(shuffled_order(-1, 1, 0), Error);
  std::vector<int64_t> order = shuffled_order(10007, 7, 3), sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int64_t i = 0; i < 10007; ++i) ASSERT_EQ(sorted[i], i);
  EXPECT_NE(order, shuffled_order(10007, 7, 4));
  EXPECT_NE(order, shuffled_order(10007, 8, 3));
}

// Every one of the 24 orders of 4 things should come about equally often: 24000 draws, 1000 each, deviation about 31.
TEST(Dataset, shuffled_order_is_fair) {
  std::map<std::vector<int64_t>, int> seen;
  for (int64_t epoch = 0; epoch < 24000; ++epoch) ++seen[shuffled_order(4, 5, epoch)];
  EXPECT_EQ(seen.size(), 24u);
  for (const auto& [order, times] : seen) EXPECT_NEAR(times, 1000, 160);
}

}  // namespace hearth
