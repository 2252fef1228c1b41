// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <iostream>

namespace hearth {

namespace {
struct CompletionFlags {
  std::string shell;
  template <class Visit>
  void visit(Visit&& flag) {
    flag("shell", shell, "shell to write the script for",
         {.needed = true, .positional = true, .allowed = {"bash", "zsh", "fish"}, .value_name = "SHELL"});
  }
};
}  // namespace

// 'text' for any of the three shells; fish reads '\'' the same way.
static std::string quote(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

static std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

static std::string words_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

static std::vector<std::string> command_names(const Program& program) {
  std::vector<std::string> names;
  for (const Command& command : program.commands) names.push_back(command.name);
  return names;
}

// The flags that completion offers; a positional is offered as a word, not as a flag.
static std::vector<Flag> offered_flags(const Command& command) {
  std::vector<Flag> flags;
  for (const Flag& flag : command.make().table.flags)
    if (!flag.options.hidden) flags.push_back(flag);
  return flags;
}

static std::string bash_value_case(const Command& command, const Flag& flag) {
  std::string action = ":";  // free text: nothing to offer
  if (flag.options.path == PathKind::file) action = "_{prog}_paths -f";
  if (flag.options.path == PathKind::folder) action = "_{prog}_paths -d";
  if (!flag.options.allowed.empty())
    action = (flag.is_list() ? "_{prog}_list " : "_{prog}_words ") + quote(words_of(flag.options.allowed));
  std::string pattern = command.name + ":--" + flag.name;
  if (!flag.options.short_name.empty()) pattern += "|" + command.name + ":-" + flag.options.short_name;
  return "    " + pattern + ") " + action + "; return ;;\n";
}

static const char* const kBashStart = R"SH(# Completion of {prog} for bash. Use:  eval "$({prog} completion bash)"
_{prog}_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_{prog}_list() {  # a,b,c: completes what stands after the last comma
  local done=""
  case "$cur" in *,*) done="${cur%,*}," ;; esac
  COMPREPLY=($(compgen -P "$done" -W "$1" -- "${cur##*,}"))
}
_{prog}_paths() {
  local IFS=$'\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}
_{prog}() {
  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$cur" = "=" ]; then cur=""; elif [ "$prev" = "=" ]; then prev="${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
)SH";

std::string bash_completion(const Program& program) {
  std::string out = kBashStart;
  out += "  if [ \"$COMP_CWORD\" -eq 1 ]; then _{prog}_words " +
         quote(words_of(command_names(program)) + " help --help --version") + "; return; fi\n";
  out += "  case \"${COMP_WORDS[1]}:$prev\" in\n";
  out += "    help:*) _{prog}_words " + quote(words_of(command_names(program))) + "; return ;;\n";
  std::string flag_cases;
  for (const Command& command : program.commands) {
    std::vector<std::string> offered = {"--help"};
    std::string positional;
    for (const Flag& flag : offered_flags(command)) {
      if (!flag.is_bool()) out += bash_value_case(command, flag);
      if (flag.options.positional)
        positional += words_of(flag.options.allowed) + " ";
      else
        offered.push_back((flag.is_bool() && flag.default_text == "true" ? "--no-" : "--") + flag.name);
    }
    flag_cases += "    " + command.name + ") _{prog}_words " + quote(positional + words_of(offered)) + " ;;\n";
  }
  out += "  esac\n  case \"${COMP_WORDS[1]}\" in\n" + flag_cases + "  esac\n}\ncomplete -F _{prog} {prog}\n";
  return replace_all(out, "{prog}", program.name);
}

// One argument of zsh's _arguments. In it, brackets and colons need a backslash.
static std::string zsh_argument(const Flag& flag) {
  std::string help = replace_all(replace_all(replace_all(flag.help, "\\", "\\\\"), "]", "\\]"), "[", "\\[");
  help = replace_all(help, ":", "\\:");
  const bool is_off = flag.is_bool() && flag.default_text == "true";
  if (flag.is_bool()) return quote(std::string(is_off ? "--no-" : "--") + flag.name + "[" + help + "]");
  std::string action = " ";  // free text
  if (flag.options.path == PathKind::file) action = "_files";
  if (flag.options.path == PathKind::folder) action = "_files -/";
  const std::string allowed = words_of(flag.options.allowed);
  if (!allowed.empty()) action = flag.is_list() ? "_values -s , " + flag.name + " " + allowed : "(" + allowed + ")";
  const std::string value = ":" + flag.name + ":" + action;
  return quote(flag.options.positional ? "1" + value : "--" + flag.name + "=[" + help + "]" + value);
}

std::string zsh_completion(const Program& program) {
  std::string out =
      "#compdef {prog}\n# Completion of {prog} for zsh. Use:  source <({prog} completion zsh)  or save it as _{prog} "
      "in a folder of $fpath.\n"
      "_{prog}() {\n  local -a commands\n  commands=(\n";
  for (const Command& command : program.commands)
    out += "    " + quote(command.name + ":" + replace_all(command.summary, ":", "\\:")) + "\n";
  out +=
      "  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
      "  local name=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $name in\n"
      "    help) _describe command commands ;;\n";
  for (const Command& command : program.commands) {
    out += "    " + command.name + ")\n      _arguments : \\\n        '--help[show the flags]'";
    for (const Flag& flag : offered_flags(command)) out += " \\\n        " + zsh_argument(flag);
    out += "\n      ;;\n";
  }
  out += "  esac\n}\nif [ \"$funcstack[1]\" = _{prog} ]; then _{prog} \"$@\"; else compdef _{prog} {prog}; fi\n";
  return replace_all(out, "{prog}", program.name);
}

static std::string fish_flag(const std::string& condition, const Flag& flag) {
  std::string line = "complete -c {prog} -n " + condition;
  const bool is_off = flag.is_bool() && flag.default_text == "true";
  if (!flag.options.positional) line += " -l " + std::string(is_off ? "no-" : "") + flag.name;
  if (!flag.options.short_name.empty()) line += " -s " + flag.options.short_name;
  const std::string allowed = words_of(flag.options.allowed);
  if (flag.options.path == PathKind::file)
    line += " -r -F";
  else if (flag.options.path == PathKind::folder)
    line += " -x -a '(__fish_complete_directories)'";
  else if (!allowed.empty() && flag.is_list())
    line += " -x -a \"(__fish_append , " + allowed + ")\"";
  else if (!allowed.empty())
    line += (flag.options.positional ? " -a " : " -x -a ") + quote(allowed);
  else if (!flag.is_bool())
    line += " -x";
  return line + " -d " + quote(flag.help) + "\n";
}

std::string fish_completion(const Program& program) {
  std::string out = "# Completion of {prog} for fish. Use:  {prog} completion fish | source\ncomplete -c {prog} -f\n";
  out += "complete -c {prog} -n __fish_use_subcommand -l version -d 'print the version'\n";
  out += "complete -c {prog} -l help -d 'show help'\n";
  for (const Command& command : program.commands) {
    out += "complete -c {prog} -n __fish_use_subcommand -a " + command.name + " -d " + quote(command.summary) + "\n";
    const std::string condition = quote("__fish_seen_subcommand_from " + command.name);
    for (const Flag& flag : offered_flags(command)) out += fish_flag(condition, flag);
  }
  return replace_all(out, "{prog}", program.name);
}

Command completion_command(const Program& program) {
  return command<CompletionFlags>("completion", "print a script that completes this program's flags in your shell",
                                  [program](const CompletionFlags& flags, const CommonFlags&) {
                                    Program whole = program;
                                    whole.commands.push_back(completion_command(program));
                                    if (flags.shell == "bash") std::cout << bash_completion(whole);
                                    if (flags.shell == "zsh") std::cout << zsh_completion(whole);
                                    if (flags.shell == "fish") std::cout << fish_completion(whole);
                                    return 0;
                                  });
}

}  // namespace hearth
