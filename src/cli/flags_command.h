// SPDX-License-Identifier: Apache-2.0
#pragma once
// The commands of the program and what every one of them shares: common flags, --help, error lines, exit codes.
//   int run_generate(const GenerateFlags& flags, const CommonFlags& common);
//   int main(int argc, char** argv) {
//     return run_program({"hearth", "0.1.0", "tunes, shrinks and runs language models",
//                         {command<GenerateFlags>("generate", "continue a text", run_generate)}}, argc, argv);
//   }
// Exit codes: 0 success and --help, 1 failure (error: generate: ...), 2 wrong usage (... see hearth generate --help),
// 130 after Ctrl-C and 141 when the reader of stdout has gone, both by dying of the signal as Unix tools do.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/flags.h"

namespace hearth {

// The flags that every command has.
struct CommonFlags {
  bool quiet = false;
  bool json = false;
  int threads = 0;
  std::string config;
  std::set<std::string> given;  // names of all flags, the command's too, that the command line or the file set

  template <class Visit>
  void visit(Visit&& flag) {
    flag.group("common flags");
    flag("quiet", quiet, "print no progress and no remarks, only results and errors");
    flag("json", json, "print the result as JSON");
    flag("threads", threads, "threads to compute with",
         {.minimum = 0, .maximum = 4096, .default_text = "0 = all processors"});
    flag("config", config, "JSON or YAML file of flag: value; the command line wins over it",
         {.path = PathKind::file, .default_text = "none"});
  }
};

// One run of a command: its flags, ready to be parsed into, and then to be run.
struct Invocation {
  FlagTable table;  // the command's flags, then the common ones
  std::function<int()> run;
  std::shared_ptr<CommonFlags> common;
};

struct Command {
  std::string name;
  std::string summary;  // one line, for hearth --help
  std::function<Invocation()> make;
};

template <class Flags>
Command command(const std::string& name, const std::string& summary,
                std::function<int(const Flags&, const CommonFlags&)> run) {
  return {name, summary, [run] {
            auto flags = std::make_shared<Flags>();
            auto common = std::make_shared<CommonFlags>();
            Invocation invocation;
            flags->visit(invocation.table);
            common->visit(invocation.table);
            invocation.common = common;
            invocation.run = [run, flags, common] { return run(*flags, *common); };
            return invocation;
          }};
}

struct Program {
  std::string name;
  std::string version;
  std::string summary;
  std::vector<Command> commands;  // `completion` and `help` are added by run_program
};

// Runs argv[1] with the rest as its flags; returns the exit code. Never throws.
int run_program(const Program& program, int argc, const char* const* argv);

std::string program_help(const Program& program);

}  // namespace hearth
