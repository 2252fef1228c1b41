// SPDX-License-Identifier: Apache-2.0
// The commands as users meet them: help texts, and the errors of each command's own checks.
#include "cli/hearth_program.h"

#include <gtest/gtest.h>

#include "base/file_test_folder.h"
#include "cli/flags_help.h"
#include "cli/flags_parse.h"

namespace hearth {
namespace {

const Command& command_named(const Program& program, const std::string& name) {
  for (const Command& command : program.commands)
    if (command.name == name) return command;
  throw std::out_of_range(name);
}

// Parses and runs; returns the message of the Error it must end with.
std::string refusal(const std::string& name, const std::vector<std::string>& words, Kind kind = Kind::value) {
  const Program program = hearth_program();
  Invocation invocation = command_named(program, name).make();
  return error_of(kind, [&] {
    parse_flags(invocation.table, words);
    for (const Flag& flag : invocation.table.flags)
      if (flag.given) invocation.common->given.insert(flag.name);
    invocation.run();
  });
}

const std::string& prose() {
  static const std::string path = source_file("assets/prose-14m");
  return path;
}
const std::string& play() {
  static const std::string path = source_file("assets/tinyshakespeare.txt");
  return path;
}

// The golden texts are src/cli/help/*.txt; "build/hearth COMMAND --help > src/cli/help/COMMAND.txt" writes one anew.
TEST(HearthProgram, help_is_as_recorded) {
  const Program program = hearth_program();
  for (const Command& command : program.commands) {
    const Invocation invocation = command.make();
    const std::string text = help_text(program.name, command.name, command.summary, invocation.table);
    EXPECT_EQ(text, read_file(source_file("src/cli/help/" + command.name + ".txt"), 1 << 20)) << command.name;
  }
}

TEST(HearthProgram, commands_in_order) {
  std::string names;
  for (const Command& command : hearth_program().commands) names += command.name + " ";
  EXPECT_EQ(names, "finetune generate chat evaluate merge combine convert info inspect ");
}

TEST(HearthProgram, inspect_needs_a_model_or_a_plan) {
  EXPECT_EQ(refusal("inspect", {}), "missing --model DIR or --plan FILE");
  EXPECT_EQ(refusal("inspect", {"--model", "a", "--plan", "b"}), "--model and --plan cannot be given together");
}

TEST(HearthProgram, finetune_keeps_away_from_foreign_folders) {
  TestFolder folder;
  write_file_atomic(folder / "thesis.txt", "years of work");
  const auto refused = [&](const std::string& output) {
    return refusal("finetune", {"--model", prose(), "--data", play(), "--output", output}, Kind::file);
  };
  EXPECT_EQ(refused(folder.path()),
            cat("--output '", folder.path(),
                "' holds other files, such as 'thesis.txt', and no run of Hearth; name a new folder"));
  EXPECT_EQ(refused(folder / "thesis.txt"), cat("--output '", folder / "thesis.txt", "' is a file; name a folder"));
  EXPECT_TEXT(refused(prose()), "is a folder that is read");
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"thesis.txt"});
}

TEST(HearthProgram, finetune_resumes_only_what_was_begun) {
  TestFolder folder;
  const std::vector<std::string> words = {"--model", prose(), "--data", play(), "--output", folder / "run"};
  std::vector<std::string> resume = words;
  resume.push_back("--resume");
  EXPECT_EQ(refusal("finetune", resume, Kind::state), cat("--resume: there is no checkpoint in '", folder / "run",
                                                          "' to go on from; leave --resume out to begin"));
  EXPECT_FALSE(exists(folder / "run"));
}

TEST(HearthProgram, finetune_names_targets_that_are_no_layer) {
  TestFolder folder;
  const std::string text = refusal(
      "finetune", {"--model", prose(), "--data", play(), "--output", folder / "run", "--lora-targets", "q_proj,k_prj"});
  EXPECT_TEXT(text, "--lora-targets: the model has no layer 'k_prj'; it has 'embed_tokens', 'q_proj', ");
  EXPECT_TEXT(text, "did you mean k_proj?");
}

TEST(HearthProgram, finetune_refuses_flags_that_contradict_the_adapter) {
  TestFolder folder;
  const std::string adapter = source_file("tests/assets/reference/lora_init");
  const auto with = [&](const std::string& flag, const std::string& value) {
    return refusal("finetune", {"--model", prose(), "--data", play(), "--output", folder / "run", "--adapter", adapter,
                                flag, value});
  };
  EXPECT_EQ(with("--lora-rank", "4"), cat("--lora-rank 4 contradicts the adapter '", adapter,
                                          "', which has 8; leave the flag out, or leave out --adapter"));
  EXPECT_TEXT(with("--lora-targets", "q_proj"), "which has q_proj,v_proj");
}

TEST(HearthProgram, blocks_longer_than_the_context) {
  EXPECT_EQ(refusal("evaluate", {"--model", prose(), "--data", play(), "--block-size", "1025"}),
            "--block-size 1025 is longer than the model's context of 1024 tokens; make it at most 1024");
}

TEST(HearthProgram, merge_writes_into_no_folder_that_it_reads) {
  const std::string adapter = source_file("tests/assets/reference/lora_init");
  for (const std::string& output : {prose(), adapter, prose() + "/../prose-14m"}) {
    EXPECT_EQ(refusal("merge", {"--model", prose(), "--adapter", adapter, "--output", output}),
              cat("--output '", output, "' is the folder that is read; choose another"));
  }
}

}  // namespace
}  // namespace hearth
