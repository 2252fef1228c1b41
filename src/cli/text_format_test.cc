// SPDX-License-Identifier: Apache-2.0
#include "cli/text_format.h"

#include <gtest/gtest.h>

namespace hearth {
namespace {

TEST(TextFormat, texts_stand_below_each_other) {
  EXPECT_EQ(text_rows({{"loss", "3.2"}, {"perplexity", "24"}}), "loss        3.2\nperplexity  24\n");
  EXPECT_EQ(text_rows({}), "");
}

TEST(TextFormat, words_that_a_shell_reads_back) {
  EXPECT_EQ(shell_word("runs/a-1_b.txt"), "runs/a-1_b.txt");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("my run"), "'my run'");
  EXPECT_EQ(shell_word("$HOME;x"), "'$HOME;x'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_words({"hearth", "generate", "--prompt", "a b"}), "hearth generate --prompt 'a b'");
}

TEST(TextFormat, json_is_one_line_whatever_is_in_it) {
  testing::internal::CaptureStdout();
  print_json({{"text", "a\nb\xff"}});
  const std::string out = testing::internal::GetCapturedStdout();
  EXPECT_EQ(out, "{\"text\":\"a\\nb\xef\xbf\xbd\"}\n");
}

}  // namespace
}  // namespace hearth
