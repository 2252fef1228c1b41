// SPDX-License-Identifier: Apache-2.0
#pragma once
// How a model wants a conversation written: the chat template of its folder, applied to messages.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/template.h"

namespace hearth {

struct ChatOptions {
  Json tools = nullptr;      // a list of JSON schemas
  Json documents = nullptr;  // a list of {"title", "text"}
  bool add_generation_prompt = false;
  Json variables = Json::object();  // others that the template reads, such as "enable_thinking"
  std::string name = {};            // which of several templates; empty: "tool_use" if there are tools, else "default"
};

struct ChatText {
  std::string text;
  std::vector<jinja::TextSpan> assistant;  // bytes of `text` that the assistant said
};

// Immutable; copies share the templates; const functions may be called from several threads.
class ChatTemplate {
 public:
  // From a Hugging Face model folder: chat_template.jinja and chat_templates/*.jinja, else tokenizer_config.json's
  // "chat_template", a text or a list of {"name", "template"}. bos_token and the other special tokens are those of
  // tokenizer_config.json. Throws Error{file, format, unsupported}; Error{file} where the folder has no template.
  static ChatTemplate load(const std::string& model_dir);
  static bool is_in(const std::string& model_dir);
  // From the template's text alone. `name` stands for it in errors.
  static ChatTemplate parse(std::string_view source, const std::string& name);

  // messages: a list of {"role", "content", ...}. The text has its own <s> if the template writes one: encode it with
  // add_special = false. Error{value} for what the template raises.
  std::string apply(const Json& messages, const ChatOptions& options) const;
  std::string apply(const Json& messages) const { return apply(messages, ChatOptions{}); }

  // With what the assistant said: the template's {% generation %} blocks; where it has none, for each assistant turn
  // what the text gains by it behind the prompt for it. Error{value} for a template without such blocks whose text for
  // the first turns is no beginning of that for all of them.
  ChatText apply_with_spans(const Json& messages, const ChatOptions& options) const;

  bool marks_generation(const ChatOptions& options) const;
  void set_special_token(const std::string& name, const std::string& text) { special_[name] = text; }

 private:
  const jinja::Template& chosen(const ChatOptions& options) const;
  jinja::Rendering render(const Json& messages, const ChatOptions& options) const;
  std::map<std::string, jinja::Template> templates_;
  std::map<std::string, std::string> special_;  // "bos_token" -> "<s>"
  std::string where_;
};

}  // namespace hearth
