// SPDX-License-Identifier: Apache-2.0
// tests/cli/generate_test.py has conversations that overflow the context.
#include "generate/conversation.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

const LanguageModel& prose() {
  static const LanguageModel model = LanguageModel::load(source_file("assets/prose-14m"));
  return model;
}

const std::string kTemplate =
    "<s>{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% "
    "endif %}";

ChatTemplate chat(const std::string& text = kTemplate) { return ChatTemplate::parse(text, "test"); }

// What the same conversation gives without anything in the cache.
std::vector<int32_t> fresh_answer(const Json& messages, const ChatTemplate& chat) {
  Generator generator(prose());
  const std::string text = chat.apply(messages, {.add_generation_prompt = true});
  const auto ids = prose().tokenizer().encode(text, {.add_special = false});
  return generator.generate_all({ids}, {.max_tokens = 12}).answers[0][0].ids;
}

TEST(Conversation, a_turn_computes_only_its_own_tokens) {
  Generator generator(prose());
  Conversation talk(generator, chat(), "It was night.");
  int64_t before = 0;
  for (const std::string text : {"Who is there?", "And you?", "Where do you go?"}) {
    const Reply reply = talk.say(text, {.max_tokens = 12});
    EXPECT_GE(reply.reused_tokens, before);
    EXPECT_LT(reply.reused_tokens, reply.answer.prompt_tokens);
    before = reply.answer.prompt_tokens;
    Json messages = talk.messages();
    EXPECT_EQ(messages.back()["content"], reply.answer.text);
    messages.erase(messages.end() - 1);
    EXPECT_EQ(reply.answer.ids, fresh_answer(messages, chat())) << text;
  }
}

// Earlier answers are written otherwise once they are not the last: all from there on is computed anew.
TEST(Conversation, a_template_that_changes_what_was_said) {
  const ChatTemplate changes = chat(
      "<s>{% for m in messages %}{% if loop.last %}{{ m.role }}: {{ m.content }}\n{% else %}{{ m.role | upper }}: {{ "
      "m.content }}\n{% endif %}{% endfor %}");
  Generator generator(prose());
  Conversation talk(generator, changes, "");
  talk.say("Who is there?", {.max_tokens = 12});
  const Reply reply = talk.say("And you?", {.max_tokens = 12});
  EXPECT_LT(reply.reused_tokens, 4);  // <s> and what "user" and "USER" share
  Json messages = talk.messages();
  messages.erase(messages.end() - 1);
  EXPECT_EQ(reply.answer.ids, fresh_answer(messages, changes));
}

TEST(Conversation, reset_keeps_the_system) {
  Generator generator(prose());
  Conversation talk(generator, chat(), "It was night.");
  const std::vector<int32_t> first = talk.say("Who is there?", {.max_tokens = 12}).answer.ids;
  talk.reset();
  EXPECT_EQ(talk.messages().size(), 1u);
  EXPECT_EQ(talk.say("Who is there?", {.max_tokens = 12}).answer.ids, first);
}

TEST(Conversation, a_refused_message_is_forgotten) {
  Generator generator(prose());
  Conversation talk(generator,
                    chat("{% if messages | length > 2 %}{{ raise_exception('enough') }}{% endif %}" + kTemplate), "");
  talk.say("Who is there?", {.max_tokens = 3});
  const Json before = talk.messages();
  EXPECT_TEXT(error_of(Kind::value, [&] { talk.say("And you?", {.max_tokens = 3}); }), "enough");
  EXPECT_EQ(talk.messages(), before);
}

TEST(Conversation, a_cancelled_answer_stays_as_far_as_it_came) {
  Generator generator(prose());
  Conversation talk(generator, chat(), "");
  int asked = 0;
  const Reply reply = talk.say("Who is there?", {.max_tokens = 50, .cancelled = [&] { return ++asked > 5; }});
  EXPECT_EQ(reply.answer.reason, StopReason::cancelled);
  EXPECT_EQ(reply.answer.ids.size(), 6u);
  EXPECT_EQ(talk.messages().back()["content"], reply.answer.text);
  Json messages = talk.messages();
  messages.push_back({{"role", "user"}, {"content", "And you?"}});
  EXPECT_EQ(talk.say("And you?", {.max_tokens = 12}).answer.ids, fresh_answer(messages, chat()));
}

}  // namespace
}  // namespace hearth
