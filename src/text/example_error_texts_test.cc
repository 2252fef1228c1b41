// SPDX-License-Identifier: Apache-2.0
// Golden texts of what a text, examples and conversations can have wrong.
#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "text/chat_template.h"
#include "text/dataset.h"
#include "text/examples.h"

namespace hearth {
namespace {

const Tokenizer& prose() {
  static const Tokenizer tokenizer = Tokenizer::load(source_file("assets/prose-14m"));
  return tokenizer;
}

struct ExampleRow {
  const char* example;
  LossOn loss_on;
  const char* text;
};

TEST(ExampleErrorTexts, one_example) {
  const ChatTemplate chat = ChatTemplate::parse("{% for m in messages %}{{ m.content }}{% endfor %}", "template");
  const LossOn all = LossOn::all;
  const ExampleRow rows[] = {
      {"7", all, "an example must be an object, found number"},
      {"{}", all, "an example needs 'messages', or 'prompt' and 'completion', or 'text'"},
      {R"({"text": 7})", all, "'text' must be a text, found number"},
      {R"({"text": "a"})", LossOn::completion,
       "a plain text has no completion and no assistant\n  hint: --loss-on all"},
      {R"({"prompt": "a", "completion": []})", all,
       "'prompt' and 'completion' must both be texts or both be lists of messages"},
      {R"({"prompt": "a", "completion": 7})", all, "'completion' must be a text, found number"},
      {R"({"prompt": "a", "completion": "b"})", LossOn::assistant,
       "a prompt and a completion that are texts have no assistant\n  hint: --loss-on completion"},
      {R"({"messages": []})", LossOn::completion,
       "messages have no completion\n  hint: --loss-on assistant, or --loss-on all"},
      {R"({"messages": 7})", all, "a conversation must be a list of messages, found number"},
      {R"({"messages": [{"content": "a"}]})", all,
       "every message must be an object with a 'role', found {\"content\":\"a\"}"},
      {R"({"messages": ["a"]})", all, "every message must be an object with a 'role', found \"a\""}};
  for (const ExampleRow& row : rows) {
    ExampleOptions options;
    options.loss_on = row.loss_on;
    EXPECT_EQ(message_of([&] { tokenize_example(prose(), &chat, Json::parse(row.example), options); }), row.text)
        << row.example;
  }
  EXPECT_EQ(message_of([] { tokenize_example(prose(), nullptr, Json::parse(R"({"messages": []})"), {}); }),
            "messages need a chat template, and the model's folder has none");
}

TEST(ExampleErrorTexts, files) {
  const TestFolder folder;
  const auto error_with = [&](const std::string& name, const std::string& text, int64_t most = 64) {
    write_file_atomic(folder / name, text);
    ExampleOptions options;
    options.max_length = most;
    std::string said =
        message_of([&] { read_examples(prose(), source_file("assets/prose-14m"), folder / name, options); });
    for (size_t at; (at = said.find(folder.path())) != said.npos;) said.replace(at, folder.path().size(), "F");
    return said;
  };
  EXPECT_EQ(error_with("a.jsonl", "{\"text\": \"a\"}\n{\"text\": 7}\n"),
            "F/a.jsonl: line 2: 'text' must be a text, found number");
  EXPECT_EQ(error_with("a.jsonl", "{\"text\": \"a\"}\nno json\n"),
            "a.jsonl: line 2: not valid JSON at byte 1: syntax error while parsing value - invalid literal; last read: "
            "'no'\n  file F/a.jsonl: line 2");
  EXPECT_EQ(error_with("a.jsonl", ""), "'F/a.jsonl' has no example with at least 2 tokens");
  EXPECT_EQ(error_with("a.json", "7"),
            "F/a.json: a .json file of examples must be a list of objects, found number\n  hint: an object a line is a "
            ".jsonl file");
  EXPECT_EQ(error_with("a.json", "[{\"text\": \"a\"}, {}]"),
            "F/a.json: example 2: an example needs 'messages', or 'prompt' and 'completion', or 'text'");
  EXPECT_EQ(error_with("a.jsonl", R"({"prompt": "one two three four five", "completion": "six"})", 3),
            "'F/a.jsonl': no token counts for the loss; all 1 examples are prompt within --max-length 3");
  EXPECT_EQ(error_with("a.jsonl", "{\"text\": \"" + std::string(5000, 'a')),
            "a.jsonl: line 1: not valid JSON at byte 5010: syntax error while parsing value - invalid string: missing "
            "closing quote; last read: '\"" +
                std::string(33, 'a') + " ... " + std::string(59, 'a') + "'\n  file F/a.jsonl: line 1");
}

TEST(ExampleErrorTexts, blocks) {
  EXPECT_EQ(
      message_of([] { cut_blocks(prose(), "To be", "a.txt", Blocks::stream, 32); }),
      "text 'a.txt' gives 3 tokens, but one block of 32 needs 32; use a longer text or a block size of at most 3");
  EXPECT_EQ(message_of([] { cut_blocks(prose(), "", "a.txt", Blocks::stream, 32); }),
            "text 'a.txt' is empty: 0 tokens, but one block needs 32; give a file with text in it");
  EXPECT_EQ(
      message_of([] { cut_blocks(prose(), "To be", "a.txt", Blocks::textdataset, 1); }),
      "text 'a.txt': the block size is 1; it must be at least 2, because every token is learnt from those before it");
  EXPECT_EQ(message_of([] { pack_rows({9}, 8); }), "pack: an item of 9 does not fit a row of 8");
}

}  // namespace
}  // namespace hearth
