// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt_files.h"

#include <functional>
#include <iostream>
#include <iterator>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "text/chat_template.h"
#include "text/examples.h"

namespace hearth {
namespace {

constexpr int64_t kMostBytes = int64_t(1) << 30;

std::string read_all(const std::string& file) {
  if (file != "-") return read_file(file, kMostBytes);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

class PromptReader {
 public:
  explicit PromptReader(const LanguageModel& model) : model_(model) {}

  std::vector<int32_t> text(const std::string& text) const { return model_.tokenizer().encode(text); }

  std::vector<int32_t> object(const Json& example) {
    HEARTH_CHECK(example.is_object(), format, "a prompt must be an object, found ", example.type_name());
    const auto messages = example.find("messages"), prompt = example.find("prompt");
    if (messages != example.end()) return conversation(*messages, example);
    HEARTH_CHECK(prompt != example.end(), format, "a prompt needs 'prompt' or 'messages'");
    if (prompt->is_array()) return conversation(*prompt, example);
    HEARTH_CHECK(prompt->is_string(), format, "'prompt' must be a text or a list of messages, found ",
                 prompt->type_name());
    return text(prompt->get<std::string>());
  }

 private:
  std::vector<int32_t> conversation(const Json& messages, const Json& example) {
    if (!chat_) chat_ = ChatTemplate::load(model_.path());
    ChatOptions options{.add_generation_prompt = true};
    if (example.contains("tools")) options.tools = example["tools"];
    return model_.tokenizer().encode(chat_->apply(messages, options), {.add_special = false});
  }

  const LanguageModel& model_;
  std::optional<ChatTemplate> chat_;
};

// "file:3: " in front of what an example's error says.
template <class Body>
void at_place(const std::string& file, int64_t number, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    throw Error(error.kind(), cat(file, ":", number, ": ", error.what()));
  }
}

void each_line(const std::string& text, const std::function<void(std::string, int64_t)>& visit) {
  int64_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    visit(std::move(line), ++number);
    begin = end + 1;
  }
}

}  // namespace

std::string read_prompt(const std::string& file) {
  std::string text = read_all(file);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

std::vector<std::vector<int32_t>> read_prompts(const LanguageModel& model, const std::string& file) {
  PromptReader reader(model);
  std::vector<std::vector<int32_t>> prompts;
  const std::string text = read_all(file);
  if (file.ends_with(".json")) {
    const Json list = parse_json(text, file);
    HEARTH_CHECK(list.is_array(), format, file, ": prompts must be a list, found ", list.type_name());
    int64_t number = 0;
    for (const Json& example : list) at_place(file, ++number, [&] { prompts.push_back(reader.object(example)); });
  } else {
    const bool objects = holds_examples(file);
    each_line(text, [&](std::string line, int64_t number) {
      if (line.find_first_not_of(" \t") == std::string::npos) return;
      at_place(file, number,
               [&] { prompts.push_back(objects ? reader.object(parse_json(line, "this line")) : reader.text(line)); });
    });
  }
  HEARTH_CHECK(!prompts.empty(), value, "'", file, "' has no prompts");
  return prompts;
}

}  // namespace hearth
