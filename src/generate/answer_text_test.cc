// SPDX-License-Identifier: Apache-2.0
#include "generate/answer_text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

// All pieces joined, each of them checked against what may still come.
std::string through(StopTexts stops, const std::vector<std::string>& pieces) {
  std::string out;
  for (const std::string& piece : pieces) out += stops.push(piece);
  return out + stops.finish();
}

TEST(StopTexts, over_several_pieces) {
  EXPECT_EQ(through(StopTexts({"STOP"}), {"go S", "TO", "P on"}), "go ");
  EXPECT_EQ(through(StopTexts({"STOP"}), {"go S", "TO", "ne"}), "go STOne");
  EXPECT_EQ(through(StopTexts({"STOP"}), {"go STO"}), "go STO");
  EXPECT_EQ(through(StopTexts({"\n\n"}), {"a\n", "b\n", "\nc"}), "a\nb");
  EXPECT_EQ(through(StopTexts({}), {"a", "b"}), "ab");
}

TEST(StopTexts, a_begin_within_a_begin) {
  EXPECT_EQ(through(StopTexts({"aab"}), {"a", "a", "a", "b", "c"}), "a");
  EXPECT_EQ(through(StopTexts({"abab", "abc"}), {"ab", "a", "bc"}), "");  // the first that is whole
  EXPECT_EQ(through(StopTexts({"abc", "b"}), {"a", "b", "c"}), "a");
}

TEST(StopTexts, what_is_given_out_is_never_taken_back) {
  StopTexts stops({"STOP"});
  EXPECT_EQ(stops.push("a S"), "a ");
  EXPECT_EQ(stops.push("T"), "");
  EXPECT_EQ(stops.push("x"), "STx");
  EXPECT_FALSE(stops.found());
  EXPECT_EQ(stops.push("yST"), "y");
  EXPECT_EQ(stops.push("OPz"), "");
  ASSERT_TRUE(stops.found());
  EXPECT_EQ(stops.text(), "STOP");
  EXPECT_EQ(stops.push("more"), "");
  EXPECT_EQ(stops.finish(), "");
}

// Where the first stop text that becomes whole begins, however the text is cut.
TEST(StopTexts, random_texts_in_random_pieces) {
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    const auto word = [&](int most) {
      std::string text(1 + random() % unsigned(most), 'a');
      for (char& c : text) c = char('a' + random() % 2);
      return text;
    };
    const std::string text = word(30);
    const std::vector<std::string> stops = {word(5), word(4)};
    size_t end = std::string::npos, begin = text.size();
    for (size_t n = 1; n <= text.size() && end == std::string::npos; ++n)
      for (const std::string& stop : stops)
        if (text.substr(0, n).ends_with(stop)) end = n, begin = std::min(begin, n - stop.size());
    std::vector<std::string> letters;
    for (const char c : text) letters.emplace_back(1, c);
    EXPECT_EQ(through(StopTexts(stops), letters), text.substr(0, begin)) << text << " " << stops[0] << " " << stops[1];
  }
}

TEST(AnswerText, joined_it_is_what_the_tokenizer_decodes) {
  const Tokenizer tokenizer = Tokenizer::load(source_file("assets/prose-14m"));
  const std::vector<int32_t> prompt = tokenizer.encode("My lord,");
  const std::vector<int32_t> behind = tokenizer.encode(" the night — is dark.", {.add_special = false});
  AnswerText text(tokenizer, prompt, {"dark", "nothing"});
  std::string out;
  for (const int32_t id : behind) out += text.push(id);
  EXPECT_EQ(out + text.finish(), " the night — is ");
  EXPECT_EQ(text.stops().text(), "dark");
}

}  // namespace
}  // namespace hearth
