// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "io/nearest.h"

namespace hearth {

static constexpr int64_t kMaxConfigBytes = 1 << 20;  // a configuration is a page; more is the wrong file

namespace {
struct Entry {
  std::string key;
  std::vector<std::string> values = {};
  bool is_null = false;
  bool is_list = false;
};
}  // namespace

static std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

static void refuse_nested(const std::string& name, const std::string& key) {
  throw UsageError(cat(name, ": ", printable(key),
                       " holds a mapping or a list of lists; a flag takes one value or a list of values"));
}

static std::string json_text(const nlohmann::json& value, const std::string& name, const std::string& key) {
  if (value.is_structured() || value.is_null()) refuse_nested(name, key);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// nlohmann keeps the last of two equal keys, so the keys of the outermost object are counted while parsing.
static std::vector<Entry> read_json(const std::string& text, const std::string& name) {
  std::vector<std::string> keys;  // in the order of the file
  std::set<std::string> seen;
  const auto note_key = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1) {
      const std::string key = parsed.get<std::string>();
      if (!seen.insert(key).second) throw UsageError(cat(name, ": ", printable(key), " is given twice"));
      keys.push_back(key);
    }
    return true;
  };
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text, note_key);
  } catch (const nlohmann::json::exception& error) {
    const std::string what = error.what();  // "[json.exception.parse_error.101] parse error at line 2, column 5: ..."
    const size_t end = what.find("] ");
    throw UsageError(cat(name, ": not valid JSON: ", one_line(end == what.npos ? what : what.substr(end + 2))));
  }
  if (!json.is_object()) throw UsageError(cat(name, ": the file must hold a mapping from flags to values"));
  std::vector<Entry> entries;
  for (const std::string& key : keys) {
    const nlohmann::json& value = json[key];
    Entry entry{.key = key, .is_null = value.is_null(), .is_list = value.is_array()};
    if (value.is_array())
      for (const nlohmann::json& item : value) entry.values.push_back(json_text(item, name, key));
    else if (!value.is_null())
      entry.values.push_back(json_text(value, name, key));
    entries.push_back(std::move(entry));
  }
  return entries;
}

static std::vector<Entry> read_yaml(const std::string& text, const std::string& name) {
  std::vector<Entry> entries;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return entries;  // an empty file changes nothing
    if (!root.IsMap()) throw UsageError(cat(name, ": the file must hold a mapping from flags to values"));
    for (const auto& pair : root) {
      if (!pair.first.IsScalar()) throw UsageError(cat(name, ": a key is not a word"));
      Entry entry{.key = pair.first.Scalar(), .is_null = pair.second.IsNull(), .is_list = pair.second.IsSequence()};
      if (pair.second.IsMap()) refuse_nested(name, entry.key);
      if (pair.second.IsScalar()) entry.values.push_back(pair.second.Scalar());
      if (pair.second.IsSequence())
        for (const YAML::Node& item : pair.second) {
          if (!item.IsScalar()) refuse_nested(name, entry.key);
          entry.values.push_back(item.Scalar());
        }
      entries.push_back(std::move(entry));
    }
  } catch (const YAML::Exception& error) {
    throw UsageError(cat(name, ": not valid YAML: ", one_line(error.what())));
  }
  return entries;
}

// Flags that mean something only where they are typed.
static bool allowed_in_file(const Flag& flag) { return flag.name != "config" && flag.name != "help"; }

static Flag& flag_of_key(FlagTable& table, const std::string& key, const std::string& name) {
  std::string flag_name = key;
  std::replace(flag_name.begin(), flag_name.end(), '_', '-');
  Flag* flag = table.find(flag_name);
  if (flag && allowed_in_file(*flag)) return *flag;
  if (flag) throw UsageError(cat(name, ": ", key, " cannot be set in a file"));
  std::vector<std::string> names;
  for (const Flag& known : table.flags)
    if (!known.options.hidden && allowed_in_file(known)) names.push_back(known.name);
  throw UsageError(cat(name, ": unknown key '", printable(key.substr(0, 60)), "'", did_you_mean(flag_name, names)));
}

static void set_from_entry(Flag& flag, const Entry& entry, const std::string& name) {
  const std::string where = cat(name, ": ", entry.key);
  if (entry.is_list && !flag.is_list()) throw UsageError(cat(where, " takes one value, not a list"));
  if (!entry.is_list) return set_flag(flag, entry.values, where);
  const char separator = flag.options.separator;
  flag.options.separator = 0;  // an item of a real list may hold commas
  set_flag(flag, entry.values, where);
  flag.options.separator = separator;
}

void apply_config_text(FlagTable& table, const std::string& text, const std::string& name) {
  if (text.find('\0') != text.npos) throw UsageError(cat(name, ": not a text file: it holds a zero byte"));
  const size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && text[first] == '{';
  std::vector<Flag*> seen;
  std::vector<Flag*> from_words;
  for (Flag& flag : table.flags)
    if (flag.given) from_words.push_back(&flag);
  for (const Entry& entry : is_json ? read_json(text, name) : read_yaml(text, name)) {
    Flag& flag = flag_of_key(table, entry.key, name);
    if (std::find(seen.begin(), seen.end(), &flag) != seen.end())
      throw UsageError(cat(name, ": ", entry.key, " is given twice"));
    seen.push_back(&flag);
    const bool typed = std::find(from_words.begin(), from_words.end(), &flag) != from_words.end();
    if (!entry.is_null && !typed) set_from_entry(flag, entry, name);
  }
}

void apply_config_file(FlagTable& table, const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw UsageError(cat("--config: there is no file '", path, "'"));
  if (std::filesystem::is_directory(path, error))
    throw UsageError(cat("--config: '", path, "' is a folder, not a file"));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UsageError(cat("--config: cannot read '", path, "': ", std::strerror(errno)));
  std::string text(kMaxConfigBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (file.bad()) throw UsageError(cat("--config: cannot read '", path, "': ", std::strerror(errno)));
  if (static_cast<int64_t>(text.size()) > kMaxConfigBytes)
    throw UsageError(cat("--config: '", path, "' is larger than ", kMaxConfigBytes, " bytes; is it a configuration?"));
  apply_config_text(table, text, path);
}

}  // namespace hearth
