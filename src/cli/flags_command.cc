// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>

#include "base/threads.h"
#include "cli/completion.h"
#include "cli/flags_help.h"
#include "cli/flags_parse.h"
#include "io/nearest.h"

namespace hearth {

static constexpr int kOk = 0, kFailure = 1, kUsage = 2;

std::string program_help(const Program& program) {
  std::string out =
      program.name + ": " + program.summary + "\n\nusage: " + program.name + " COMMAND [flags]\n\ncommands:\n";
  std::vector<HelpRow> rows;
  for (const Command& command : program.commands) rows.push_back({command.name, command.summary});
  out += help_columns(rows);
  return out + "\n" + program.name + " COMMAND --help shows a command's flags; " + program.name +
         " --version the version.\n";
}

static void print_error(const std::string& text) {
  std::cout.flush();  // what was printed before comes before
  std::string line = "error: " + text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

// "generate: ...; see hearth generate --help", or " see ..." after a question.
static void print_usage_error(const std::string& place, const std::string& message, const std::string& see) {
  print_error(place + message + (message.ends_with('?') ? " see " : "; see ") + see + " --help");
}

// A full disk behind stdout is a failure, even if it shows only when the buffers are written out.
static int finish_stdout(const std::string& place, int code) {
  errno = 0;
  std::cout.flush();
  const bool failed = !std::cout.good() || std::fflush(stdout) != 0 || std::ferror(stdout);
  if (!failed || code != kOk) return code;
  print_error(cat(place, "cannot write to standard output: ", errno ? std::strerror(errno) : "a write failed"));
  return kFailure;
}

// Runs body and turns what it throws into an error line and an exit code. place: "generate: " or nothing.
static int run_guarded(const std::string& place, const std::string& see, const std::function<int()>& body) {
  try {
    return finish_stdout(place, body());
  } catch (const UsageError& error) {
    print_usage_error(place, error.what(), see);
    return kUsage;
  } catch (const Error& error) {
    print_error(place + error.what());
  } catch (const std::bad_alloc&) {
    print_error(place + "out of memory; a smaller batch, block or context needs less");
  } catch (const std::exception& error) {
    print_error(place + error.what());
  } catch (...) {
    print_error(place + "stopped by an unknown exception; please report it");
  }
  return kFailure;
}

static int run_command(const Program& program, const Command& command, const std::vector<std::string>& words) {
  Invocation invocation = command.make();
  if (parse_flags(invocation.table, words).help) {
    std::cout << help_text(program.name, command.name, command.summary, invocation.table);
    return kOk;
  }
  for (const Flag& flag : invocation.table.flags)
    if (flag.given) invocation.common->given.insert(flag.name);
  if (invocation.common->threads > 0) set_num_threads(invocation.common->threads);
  return invocation.run();
}

static const Command* find_command(const Program& program, const std::string& name) {
  for (const Command& command : program.commands)
    if (command.name == name) return &command;
  return nullptr;
}

[[noreturn]] static void refuse_command(const Program& program, const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : program.commands) names.push_back(command.name);
  const bool is_flag = word.starts_with("-");
  const std::string meant = is_flag ? likely_name(word, {"--help", "--version"}) : "";
  if (!meant.empty()) throw UsageError(cat("unknown flag ", printable(word), "; did you mean ", meant, "?"));
  if (is_flag) {
    const std::string form = program.name + " COMMAND [flags]";
    throw UsageError(cat("unknown flag ", printable(word), "; the command comes first: ", form));
  }
  throw UsageError(cat("unknown command '", printable(word), "'", did_you_mean(word, names)));
}

// --help, --version, help [COMMAND], nothing at all: what is no command.
static int run_top(const Program& program, const std::vector<std::string>& words) {
  if (words.empty()) {
    std::cerr << program_help(program);
    return kUsage;
  }
  const std::string& word = words[0];
  if (word == "--version" || word == "-V") {
    std::cout << program.name << " " << program.version << "\n";
    return kOk;
  }
  const bool asks_help = word == "--help" || word == "-h" || word == "help";
  if (!asks_help) refuse_command(program, word);
  if (words.size() == 1) {
    std::cout << program_help(program);
    return kOk;
  }
  const Command* command = find_command(program, words[1]);
  if (!command) refuse_command(program, words[1]);
  return run_command(program, *command, {"--help"});
}

int run_program(const Program& given, int argc, const char* const* argv) {
  // A parent may have left SIGPIPE ignored; without this `hearth ... | head` would end in an error message.
  std::signal(SIGPIPE, SIG_DFL);
  Program program = given;
  program.commands.push_back(completion_command(given));
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
  const Command* command = words.empty() ? nullptr : find_command(program, words[0]);
  if (!command) return run_guarded("", program.name, [&] { return run_top(program, words); });
  words.erase(words.begin());
  return run_guarded(command->name + ": ", program.name + " " + command->name,
                     [&] { return run_command(program, *command, words); });
}

}  // namespace hearth
