// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "cli/flags_test_command.h"

namespace hearth {
namespace {

int run_nothing(const TuneFlags&, const CommonFlags&) { return 0; }

Program test_program() {
  Program program{"hearth", "1.0", "tunes", {command<TuneFlags>("tune", "tune a model's: [words]", run_nothing)}};
  program.commands.push_back(completion_command(program));
  return program;
}

bool has_shell(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

class ScriptFolder {
 public:
  ScriptFolder() {
    path_ = std::filesystem::temp_directory_path() / cat("hearth_completion_", getpid());
    std::filesystem::create_directories(path_ / "a folder");
    write("text.txt", "x");
  }
  ~ScriptFolder() { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(path_ / name) << text; }

  // What the command prints, run inside the folder; its lines in alphabetical order.
  std::vector<std::string> run(const std::string& command) {
    std::vector<std::string> lines;
    FILE* pipe = popen(("cd '" + path_.string() + "' && " + command + " 2>&1").c_str(), "r");
    std::array<char, 4096> line;
    while (pipe && std::fgets(line.data(), line.size(), pipe)) {
      std::string text = line.data();
      if (text.ends_with('\n')) text.pop_back();
      lines.push_back(text);
    }
    status = pipe ? pclose(pipe) : -1;
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  int status = 0;

 private:
  std::filesystem::path path_;
};

// What bash offers for these words, the last of which is being typed.
std::vector<std::string> bash_offers(ScriptFolder& folder, const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += " '" + word + "'";
  folder.write("try.sh", bash_completion(test_program()) + "\nCOMP_WORDS=(hearth" + list + ")\nCOMP_CWORD=" +
                             std::to_string(words.size()) + "\n_hearth\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  return folder.run("bash try.sh");
}

using Words = std::vector<std::string>;

TEST(Completion, bash_offers_commands_flags_values_and_paths) {
  if (!has_shell("bash")) GTEST_SKIP() << "SKIP no bash";
  ScriptFolder folder;
  EXPECT_EQ(bash_offers(folder, {"t"}), Words{"tune"});
  EXPECT_EQ(bash_offers(folder, {""}), (Words{"--help", "--version", "completion", "help", "tune"}));
  EXPECT_EQ(bash_offers(folder, {"tune", "--lora"}), (Words{"--lora-rank", "--lora-targets"}));
  EXPECT_EQ(bash_offers(folder, {"tune", "--no"}), Words{"--no-shuffle"});
  EXPECT_EQ(bash_offers(folder, {"tune", "--tr"}), Words{""});  // --trace is hidden
  EXPECT_EQ(bash_offers(folder, {"tune", "--dtype", ""}), (Words{"bf16", "f32"}));
  EXPECT_EQ(bash_offers(folder, {"tune", "--dtype", "=", "b"}), Words{"bf16"});
  EXPECT_EQ(bash_offers(folder, {"tune", "--dtype", "="}), (Words{"bf16", "f32"}));
  EXPECT_EQ(bash_offers(folder, {"tune", "--formats", "svg,t"}), Words{"svg,tensorboard"});
  EXPECT_EQ(bash_offers(folder, {"tune", "--model", "a"}), Words{"a folder"});
  EXPECT_EQ(bash_offers(folder, {"tune", "-m", "a"}), Words{"a folder"});
  EXPECT_EQ(bash_offers(folder, {"tune", "--data", "te"}), Words{"text.txt"});
  EXPECT_EQ(bash_offers(folder, {"tune", "--lr", ""}), Words{""});
  EXPECT_EQ(bash_offers(folder, {"completion", "z"}), Words{"zsh"});
  EXPECT_EQ(bash_offers(folder, {"help", "c"}), Words{"completion"});
}

TEST(Completion, every_shell_accepts_its_script) {
  ScriptFolder folder;
  folder.write("script.bash", bash_completion(test_program()));
  folder.write("script.zsh", zsh_completion(test_program()));
  folder.write("script.fish", fish_completion(test_program()));
  for (const char* shell : {"bash", "zsh", "fish"}) {
    if (!has_shell(shell)) {
      std::cout << "SKIP no " << shell << "\n";
      continue;
    }
    EXPECT_EQ(folder.run(cat(shell, " -n script.", shell)), Words{}) << shell;
    EXPECT_EQ(folder.status, 0) << shell;
  }
}

TEST(Completion, fish_offers_flags_and_values) {
  if (!has_shell("fish")) GTEST_SKIP() << "SKIP no fish";
  ScriptFolder folder;
  folder.write("script.fish", fish_completion(test_program()));
  const auto offers = [&](const std::string& line) {
    return folder.run("HOME=$PWD fish --no-config -c \"source script.fish; complete -C '" + line + "'\" | cut -f1");
  };
  EXPECT_EQ(offers("hearth t"), Words{"tune"});
  EXPECT_EQ(offers("hearth tune --lora"), (Words{"--lora-rank", "--lora-targets"}));
  EXPECT_EQ(offers("hearth tune --dtype "), (Words{"bf16", "f32"}));
  EXPECT_EQ(offers("hearth tune --formats svg,t"), Words{"svg,tensorboard"});
  EXPECT_EQ(offers("hearth tune --no"), Words{"--no-shuffle"});
  EXPECT_EQ(offers("hearth completion "), (Words{"bash", "fish", "zsh"}));
}

TEST(Completion, zsh_escapes_what_it_would_read) {
  const std::string script = zsh_completion(test_program());
  EXPECT_NE(script.find(R"('tune:tune a model'\''s\: [words]')"), std::string::npos) << script;
  EXPECT_NE(script.find(R"('--dtype=[type of the arithmetic]:dtype:(f32 bf16)')"), std::string::npos) << script;
  EXPECT_NE(
      script.find(R"('--lora-targets=[linear layers that get an adapter\: names, or all-linear]:lora-targets: ')"),
      std::string::npos)
      << script;
}

}  // namespace
}  // namespace hearth
