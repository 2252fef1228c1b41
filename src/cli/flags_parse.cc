// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "cli/flags_config.h"
#include "io/nearest.h"

namespace hearth {

// "--name", "-s,--name" or, for a positional, "--name,name": how CLI11 wants to hear of a flag.
static std::string cli11_names(const Flag& flag) {
  std::string names = "--" + flag.name;
  if (!flag.options.short_name.empty()) names = "-" + flag.options.short_name + "," + names;
  if (flag.options.positional) names += "," + flag.name;
  return names;
}

namespace {
// CLI11's options for a table. It only sorts words to flags: conversion and its error texts are ours.
struct Cli11Parser {
  CLI::App app;
  CLI::Option* help = nullptr;
  std::map<std::string, CLI::Option*> values;       // by flag name
  std::map<std::string, CLI::Option*> no_switches;  // --no-name of bools

  explicit Cli11Parser(const FlagTable& table) {
    app.set_help_flag();
    app.allow_extras();  // so that the unknown come back and are named with a suggestion
    help = app.add_flag("-h,--help");
    for (const Flag& flag : table.flags) {
      if (flag.is_bool()) {
        values[flag.name] = app.add_flag(cli11_names(flag))->disable_flag_override();
        no_switches[flag.name] = app.add_flag("--no-" + flag.name)->disable_flag_override();
      } else {
        values[flag.name] = app.add_option(cli11_names(flag), [](const CLI::results_t&) { return true; });
        values[flag.name]->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
    }
  }
};
}  // namespace

static std::vector<std::string> known_names(const FlagTable& table) {
  std::vector<std::string> names = {"help"};
  for (const Flag& flag : table.flags) {
    if (flag.options.hidden) continue;
    names.push_back(flag.name);
    if (flag.is_bool()) names.push_back("no-" + flag.name);
  }
  return names;
}

// The flag that a word "--name" or "--name=value" names, or nullptr.
static Flag* flag_of_word(FlagTable& table, const std::string& word) {
  if (!word.starts_with("--")) return nullptr;
  const std::string name = word.substr(2, word.find('=') == std::string::npos ? word.npos : word.find('=') - 2);
  return table.find(name);
}

// CLI11 reads "--prompt=" as "--prompt" followed by the next word; here it means the empty text.
static std::vector<std::string> split_empty_values(FlagTable& table, const std::vector<std::string>& words) {
  std::vector<std::string> out;
  bool only_positionals = false;
  for (const std::string& word : words) {
    only_positionals = only_positionals || word == "--";
    const Flag* flag = word.ends_with('=') ? flag_of_word(table, word) : nullptr;
    if (!only_positionals && flag && !flag->is_bool() && word.size() == flag->name.size() + 3) {
      out.push_back("--" + flag->name);
      out.emplace_back();
    } else {
      out.push_back(word);
    }
  }
  return out;
}

static void refuse_unknown_flags(const FlagTable& table, const std::vector<std::string>& extras) {
  for (const std::string& word : extras) {
    if (word.size() < 2 || word[0] != '-' || word == "--") continue;
    const std::string flag = word.substr(0, word.find('='));
    const std::string name = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
    throw UsageError(cat("unknown flag ", printable(flag), did_you_mean(name, known_names(table), "--")));
  }
}

static void refuse_unknown_words(const std::vector<std::string>& extras) {
  for (const std::string& word : extras)
    if (word != "--") throw UsageError(cat("unexpected argument '", printable(word), "'"));
}

static void store_bool(Flag& flag, size_t yes, size_t no) {
  const std::string name = "--" + flag.name;
  if (yes && no) throw UsageError(cat(name, " and --no-", flag.name, " contradict each other"));
  if (yes + no > 1) throw UsageError(cat(yes ? name : "--no-" + flag.name, " is given twice"));
  if (yes + no == 1) set_flag(flag, {yes ? "true" : "false"}, name);
}

// "--model --data x" takes "--data" for the model: say so rather than fail on 'x'.
static void refuse_flag_as_value(FlagTable& table, const Flag& flag, const std::string& value,
                                 const std::vector<std::string>& words) {
  const bool is_flag = flag_of_word(table, value) || value == "--help";
  const std::string assigned = "--" + flag.name + "=" + value;  // written that way it is meant
  if (!is_flag || std::find(words.begin(), words.end(), assigned) != words.end()) return;
  throw UsageError(cat("--", flag.name, " needs a value, but is followed by the flag ", value));
}

static void run_cli11(Cli11Parser& parser, std::vector<std::string> words) {
  const std::string last = words.empty() ? "" : words.back();
  std::reverse(words.begin(), words.end());  // CLI11 takes words from the back
  try {
    parser.app.parse(words);
  } catch (const CLI::ArgumentMismatch& error) {
    if (std::string(error.what()).find("overrid") != std::string::npos) throw UsageError(error.what());
    throw UsageError(cat(last, " needs a value"));  // only the last word can lack one
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
}

static void refuse_bool_values(FlagTable& table, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word == "--") return;
    const size_t equals = word.find('=');
    if (equals == std::string::npos || !word.starts_with("--")) continue;
    const std::string name = word.substr(2, equals - 2);
    const Flag* flag = table.find(name.starts_with("no-") && !table.find(name) ? name.substr(3) : name);
    if (flag && flag->is_bool())
      throw UsageError(cat("--", name, " takes no value; write --", flag->name, " or --no-", flag->name));
  }
}

ParseResult parse_flags(FlagTable& table, const std::vector<std::string>& words) {
  refuse_bool_values(table, words);
  Cli11Parser parser(table);
  run_cli11(parser, split_empty_values(table, words));
  ParseResult result;
  result.help = parser.help->count() > 0;
  if (result.help) return result;
  refuse_unknown_flags(table, parser.app.remaining());
  for (Flag& flag : table.flags) {
    CLI::Option* option = parser.values[flag.name];
    if (flag.is_bool()) {
      store_bool(flag, option->count(), parser.no_switches[flag.name]->count());
    } else if (option->count() > 0) {
      for (const std::string& value : option->results()) refuse_flag_as_value(table, flag, value, words);
      set_flag(flag, option->results(), flag.options.positional ? flag.placeholder() : "--" + flag.name);
    }
  }
  refuse_unknown_words(parser.app.remaining());
  if (const Flag* config = table.find("config"); config && config->given) {
    result.config_path = flag_text(*config);
    apply_config_file(table, result.config_path);
  }
  table.check_needed();
  return result;
}

}  // namespace hearth
