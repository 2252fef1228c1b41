// SPDX-License-Identifier: Apache-2.0
// Chat templates where no oracle is needed: errors word for word, limits, folders, spans. tests/interop/chat_test.py
// compares renderings with jinja2.
#include "text/chat_template.h"

#include "base/file_test_folder.h"
#include "text/fuzz_chat_template.h"

namespace hearth {

static std::string render(const std::string& source, const Json& variables = Json::object()) {
  return jinja::Template::parse(source, "t.jinja").render(variables).text;
}

static std::string error_of(const std::string& source, const Json& variables = Json::object()) {
  try {
    return "no error, but: " + render(source, variables);
  } catch (const Error& error) {
    return error.what();
  }
}

struct TemplateErrorRow {
  const char *source, *message;
};
class ChatTemplateErrors : public testing::TestWithParam<TemplateErrorRow> {};

TEST_P(ChatTemplateErrors, are_named_with_their_line) {
  EXPECT_EQ(error_of(GetParam().source, {{"d", {{"a", 1}}}, {"x", 1}}), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    text, ChatTemplateErrors,
    testing::Values(
        TemplateErrorRow{"a\n{{ 'x }}", "t.jinja: line 2: a string has no end: ' is missing"},
        TemplateErrorRow{"{% if x %}\n", "t.jinja: line 1: the template ends where {% endif %} is missing"},
        TemplateErrorRow{"{{ x", "t.jinja: line 1: a tag has no end: '}}' is missing"},
        TemplateErrorRow{"{# x", "t.jinja: line 1: a comment has no end: '#}' is missing"},
        TemplateErrorRow{"\n\n{% frob %}", "t.jinja: line 3: unknown tag 'frob'"},
        TemplateErrorRow{"{% include 'x' %}", "t.jinja: line 1: the tag 'include' has no meaning in a chat template"},
        TemplateErrorRow{"{{ x|uper }}", "t.jinja: line 1: there is no filter 'uper'; nearest: 'upper'"},
        TemplateErrorRow{"{{ x is strin }}", "t.jinja: line 1: there is no test 'strin'; nearest: 'string'"},
        TemplateErrorRow{"{{ (x }}", "t.jinja: line 1: unexpected '}', expected ')'"},
        TemplateErrorRow{"{{ x ? 1 }}", "t.jinja: line 1: unexpected character '?'"},
        TemplateErrorRow{"{% break %}", "t.jinja: line 1: 'break' stands outside of a for loop"},
        TemplateErrorRow{"{{ }}", "t.jinja: line 1: expected an expression, found '}}'"},
        TemplateErrorRow{"{% set true = 1 %}", "t.jinja: line 1: 'true' cannot be assigned to"},
        TemplateErrorRow{"\n{{ y.z }}", "t.jinja: line 2: 'y' is undefined"},
        TemplateErrorRow{"{{ d.b.c }}", "t.jinja: line 1: 'dict object' has no attribute 'b'"},
        TemplateErrorRow{"{{ x + 'a' }}", "t.jinja: line 1: unsupported operand type(s) for +: 'int' and 'str'"},
        TemplateErrorRow{"{{ 'a' + x }}", "t.jinja: line 1: can only concatenate str (not \"int\") to str"},
        TemplateErrorRow{"{{ [1, 2].append(3) }}",
                         "t.jinja: line 1: access to attribute 'append' of 'list' object is unsafe: templates may not "
                         "change what they are given"},
        TemplateErrorRow{"\n{{ raise_exception('no ' ~ x) }}",
                         "t.jinja: line 2: the template refuses this conversation: no 1"},
        TemplateErrorRow{"{{ x / 0 }}", "t.jinja: line 1: division by zero"},
        TemplateErrorRow{"{{ 9223372036854775807 + 1 }}",
                         "t.jinja: line 1: the result of + is an integer beyond 64 bits"}));

TEST(ChatTemplate, hostile_templates_end) {
  const TemplateErrorRow rows[] = {
      {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
       "the template takes more than 10000000 steps"},
      {"{% set ns = namespace(x='ab') %}{% for a in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
       "the template makes more than 512 MiB of text"},
      {"{{ 'x' * 99999999999 }}", "the template takes more than 10000000 steps"},
      {"{{ ('%999999999d' % 1)|length }}", "format: a width of 999999999 or a precision of -1 is too large"},
      {"{{ [1] * 999999999 }}", "the template takes more than 10000000 steps"},
      {"{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
       "more than 1000 calls and operations run inside of each other"},
      {"{% set ns = namespace(x=[]) %}{% for a in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}",
       "lists and dicts are nested more than 100 deep"},
      {"{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
       "a namespace that holds namespaces is too large to be written"}};
  for (const TemplateErrorRow& row : rows)
    EXPECT_EQ(error_of(row.source), std::string("t.jinja: line 1: ") + row.message) << row.source;
  EXPECT_NE(
      error_of("{{ " + std::string(5000, '(') + '1' + std::string(5000, ')') + " }}").find("inside of each other"),
      std::string::npos);
  EXPECT_NE(error_of("{{ x" + std::string(5000, '.') + " }}").find("line 1"), std::string::npos);
  std::string sum = "{{ 1";
  for (int i = 0; i < 5000; ++i) sum += "|abs";
  EXPECT_NE(error_of(sum + " }}").find("inside of each other"), std::string::npos);
}

TEST(ChatTemplate, numbers_and_texts_print_as_in_python) {
  EXPECT_EQ(render("{{ [1.0, 1e16, 1e-5, 123456789.123, true, none, 'it\\'s', -0.0, 5e-324] }}"),
            "[1.0, 1e+16, 1e-05, 123456789.123, True, None, \"it's\", -0.0, 5e-324]");
  EXPECT_EQ(render("{{ 'Σας ß ǆ'.upper() }}|{{ 'ΟΔΥΣΣΕΥΣ'.lower() }}|{{ 'ǆ x'.title() }}"), "ΣΑΣ SS Ǆ|οδυσσευς|ǅ X");
}

static const char* kChat =
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}";
static const Json kMessages = Json::parse(R"([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yé"},
    {"role": "user", "content": "go"}, {"role": "assistant", "content": "z"}])");

static std::vector<std::string> pieces(const ChatText& chat) {
  std::vector<std::string> out;
  for (const jinja::TextSpan& span : chat.assistant) out.push_back(chat.text.substr(span.begin, span.end - span.begin));
  return out;
}

TEST(ChatTemplate, assistant_spans_by_prefixes_and_by_generation_blocks) {
  const ChatTemplate plain = ChatTemplate::parse(kChat, "plain");
  EXPECT_EQ(pieces(plain.apply_with_spans(kMessages, {})), (std::vector<std::string>{"yé</>", "z</>"}));
  const ChatTemplate marked = ChatTemplate::parse(
      "{% for m in messages %}{% if m.role == 'assistant' %}>{% generation %}{{ m.content }}{% endgeneration %}"
      "{% else %}{{ m.content }}{% endif %}{% endfor %}",
      "marked");
  EXPECT_EQ(pieces(marked.apply_with_spans(kMessages, {})), (std::vector<std::string>{"yé", "z"}));
  const ChatTemplate last_only =
      ChatTemplate::parse("{% for m in messages %}{{ m.content if loop.last }}{% endfor %}", "x");
  EXPECT_THROW(last_only.apply_with_spans(kMessages, {}), Error);
}

TEST(ChatTemplate, is_read_from_each_place_of_a_folder) {
  const TestFolder folder;
  EXPECT_FALSE(ChatTemplate::is_in(folder.path()));
  EXPECT_THROW(ChatTemplate::load(folder.path()), Error);
  const auto write = [&](const std::string& name, const std::string& text) {
    write_file_atomic(join_path(folder.path(), name), text);
  };
  Json config = {{"bos_token", {{"content", "<s>"}}}, {"chat_template", kChat}};
  write("tokenizer_config.json", config.dump());
  EXPECT_TRUE(ChatTemplate::is_in(folder.path()));
  EXPECT_EQ(ChatTemplate::load(folder.path()).apply(kMessages, {.add_generation_prompt = true}),
            "<s><user>hi</><assistant>yé</><user>go</><assistant>z</><assistant>");
  config["chat_template"] = Json::array({{{"name", "default"}, {"template", "d{{ bos_token }}"}},
                                         {{"name", "tool_use"}, {"template", "t{{ tools|length }}"}}});
  write("tokenizer_config.json", config.dump());
  EXPECT_EQ(ChatTemplate::load(folder.path()).apply(kMessages), "d<s>");
  EXPECT_EQ(ChatTemplate::load(folder.path()).apply(kMessages, {.tools = Json::array({1, 2})}), "t2");
  write("chat_template.jinja", "file");
  ensure_folder(join_path(folder.path(), "chat_templates"));
  write("chat_templates/rag.jinja", "rag");
  EXPECT_EQ(ChatTemplate::load(folder.path()).apply(kMessages), "file");
  EXPECT_EQ(ChatTemplate::load(folder.path()).apply(kMessages, {.name = "rag"}), "rag");
  EXPECT_THROW(ChatTemplate::load(folder.path()).apply(kMessages, {.name = "rug"}), Error);
}

TEST(ChatTemplateCorpus, every_file_ends_well) {
  for (const std::string& folder :
       {source_file("tests/corpus/chat_template"), source_file("tests/assets/chat_templates")}) {
    const std::vector<std::string> names = list_folder(folder);
    EXPECT_GE(names.size(), 10u);
    for (const std::string& name : names) {
      SCOPED_TRACE(name);
      const std::string bytes = read_file(join_path(folder, name), 1 << 20);
      EXPECT_NO_THROW(fuzz_chat_template(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    }
  }
}

}  // namespace hearth
