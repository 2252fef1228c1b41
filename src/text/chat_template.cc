// SPDX-License-Identifier: Apache-2.0
#include "text/chat_template.h"

#include "base/error.h"
#include "base/file.h"
#include "io/nearest.h"

namespace hearth {
namespace {

constexpr int64_t kMaxTemplateBytes = 4 << 20;
constexpr const char* kTemplateFile = "chat_template.jinja";
constexpr const char* kTemplateFolder = "chat_templates";
constexpr const char* kConfigFile = "tokenizer_config.json";

// Name -> text and where it stands.
using Sources = std::map<std::string, std::pair<std::string, std::string>>;

Sources read_template_files(const std::string& dir) {
  Sources sources;
  const auto add = [&](const std::string& name, const std::string& file) {
    sources[name] = {read_file(file, kMaxTemplateBytes), file};
  };
  if (exists(join_path(dir, kTemplateFile))) add("default", join_path(dir, kTemplateFile));
  const std::string folder = join_path(dir, kTemplateFolder);
  if (!is_folder(folder)) return sources;
  for (const std::string& file : list_folder(folder))
    if (file.ends_with(".jinja")) add(file.substr(0, file.size() - 6), join_path(folder, file));
  return sources;
}

Sources config_templates(const JsonView& config) {
  Sources sources;
  if (!config.has("chat_template")) return sources;
  const Json& value = config.get("chat_template");
  const std::string where = config.file() + ": 'chat_template'";
  if (value.is_string()) {
    sources["default"] = {value.get<std::string>(), where};
    return sources;
  }
  if (!value.is_array()) config.refuse("chat_template", "a text or a list of {\"name\", \"template\"}");
  for (const Json& entry : value) {
    const JsonView row(entry, config.file(), "chat_template.");
    sources[row.text("name")] = {row.text("template"), where + " '" + row.text("name") + "'"};
  }
  return sources;
}

// Special tokens are written "<s>" or {"content": "<s>"}; extra ones come as {"image_token": "<image>"}.
void read_special(const Json& object, std::map<std::string, std::string>& special) {
  for (const auto& item : object.items()) {
    if (!item.key().ends_with("_token")) continue;
    const Json& value = item.value();
    if (value.is_string()) special[item.key()] = value.get<std::string>();
    if (value.is_object() && value.contains("content") && value["content"].is_string())
      special[item.key()] = value["content"].get<std::string>();
  }
}

Json read_config(const std::string& dir) {
  const std::string file = join_path(dir, kConfigFile);
  return exists(file) ? read_json_file(file) : Json::object();
}

}  // namespace

bool ChatTemplate::is_in(const std::string& dir) {
  if (exists(join_path(dir, kTemplateFile)) || is_folder(join_path(dir, kTemplateFolder))) return true;
  const Json config = read_config(dir);
  return config.is_object() && config.contains("chat_template") && !config["chat_template"].is_null();
}

ChatTemplate ChatTemplate::load(const std::string& dir) {
  const Json json = read_config(dir);
  const JsonView config(json, join_path(dir, kConfigFile));
  Sources sources = read_template_files(dir);
  if (sources.empty()) sources = config_templates(config);
  HEARTH_CHECK(!sources.empty(), file, "'", dir, "' has no chat template: neither ", kTemplateFile,
               " nor 'chat_template' in ", kConfigFile,
               "\n  hint: base models have none; take the folder of a model made for chat");
  ChatTemplate chat;
  chat.where_ = dir;
  for (const auto& [name, source] : sources)
    chat.templates_.emplace(name, jinja::Template::parse(source.first, source.second));
  read_special(json, chat.special_);
  if (config.has("extra_special_tokens") && config.get("extra_special_tokens").is_object())
    read_special(config.get("extra_special_tokens"), chat.special_);
  return chat;
}

ChatTemplate ChatTemplate::parse(std::string_view source, const std::string& name) {
  ChatTemplate chat;
  chat.where_ = name;
  chat.templates_.emplace("default", jinja::Template::parse(source, name));
  return chat;
}

const jinja::Template& ChatTemplate::chosen(const ChatOptions& options) const {
  const bool tools = !options.tools.is_null() && templates_.count("tool_use") > 0;
  const std::string name = !options.name.empty() ? options.name : tools ? "tool_use" : "default";
  const auto found = templates_.find(name);
  if (found != templates_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& row : templates_) names.push_back(row.first);
  HEARTH_FAIL(value, "'", where_, "' has no chat template '", printable(name), "'; it has ", list_names(names));
}

jinja::Rendering ChatTemplate::render(const Json& messages, const ChatOptions& options) const {
  HEARTH_CHECK(messages.is_array(), value, "a conversation must be a list of messages, found ", messages.type_name());
  for (const Json& message : messages)
    HEARTH_CHECK(message.is_object() && message.contains("role"), value,
                 "every message must be an object with a 'role', found ", printable(message.dump().substr(0, 80)));
  Json variables = Json::object();
  for (const auto& [name, text] : special_) variables[name] = text;
  variables["messages"] = messages;
  variables["tools"] = options.tools;
  variables["documents"] = options.documents;
  variables["add_generation_prompt"] = options.add_generation_prompt;
  for (const auto& item : options.variables.items()) variables[item.key()] = item.value();
  return chosen(options).render(variables);
}

std::string ChatTemplate::apply(const Json& messages, const ChatOptions& options) const {
  return render(messages, options).text;
}

bool ChatTemplate::marks_generation(const ChatOptions& options) const { return chosen(options).has_generation(); }

ChatText ChatTemplate::apply_with_spans(const Json& messages, const ChatOptions& options) const {
  jinja::Rendering whole = render(messages, options);
  if (marks_generation(options)) return {std::move(whole.text), std::move(whole.generated)};
  ChatText chat{std::move(whole.text), {}};
  Json part = Json::array();
  for (size_t i = 0; i < messages.size(); ++i) {
    const bool assistant = messages[i]["role"] == "assistant";
    ChatOptions prompt = options, answer = options;
    prompt.add_generation_prompt = true;
    answer.add_generation_prompt = false;
    const std::string before = assistant ? render(part, prompt).text : "";
    part.push_back(messages[i]);
    if (!assistant) continue;
    const std::string with =
        i + 1 == messages.size() && !options.add_generation_prompt ? chat.text : render(part, answer).text;
    HEARTH_CHECK(with.starts_with(before) && chat.text.starts_with(with), value, "'", where_,
                 "': the chat template writes earlier turns differently when turn ", i + 1,
                 " is there, so what the assistant said cannot be told from the rest\n  hint: a template with {% "
                 "generation %} blocks tells it; or train on all tokens with --loss-on all");
    chat.assistant.push_back({before.size(), with.size()});
  }
  return chat;
}

}  // namespace hearth
