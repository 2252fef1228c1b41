// SPDX-License-Identifier: Apache-2.0
#include "cli/flags_command.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <new>

#include "cli/flags_test_command.h"

namespace hearth {
namespace {

struct ActFlags {
  std::string act = "print";
  template <class Visit>
  void visit(Visit&& flag) {
    flag("act", act, "what to do");
  }
};

int run_act(const ActFlags& flags, const CommonFlags& common) {
  if (flags.act == "fail") HEARTH_FAIL(file, "load: no config.json in 'x'");
  if (flags.act == "usage") throw UsageError("--resume and --adapter exclude each other");
  if (flags.act == "memory") throw std::bad_alloc();
  if (flags.act == "other") throw std::runtime_error("something else");
  if (flags.act == "strange") throw 7;
  if (flags.act == "flood")
    for (;;) std::cout << "line\n";
  std::cout << flags.act;
  for (const std::string& name : common.given) std::cout << " " << name;
  std::cout << "\n";
  return flags.act == "three" ? 3 : 0;
}

const Program& test_program() {
  static const Program program{
      "hearth",
      "1.2.3",
      "tunes language models",
      {command<ActFlags>("act", "do something", run_act),
       command<TuneFlags>("tune", "tune a model", [](const TuneFlags&, const CommonFlags&) { return 0; })}};
  return program;
}

struct Outcome {
  int code;
  std::string out, err;
};

Outcome run(std::vector<const char*> words) {
  words.insert(words.begin(), "hearth");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_program(test_program(), static_cast<int>(words.size()), words.data());
  Outcome outcome{code, "", ""};
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

void expect_error(std::vector<const char*> words, int code, const std::string& text) {
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, text);
}

TEST(Commands, success_prints_and_returns_its_code) {
  const Outcome outcome = run({"act", "--act", "hello", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "hello act quiet\n");
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(run({"act", "--act", "three"}).code, 3);
}

TEST(Commands, error_lines_and_codes) {
  expect_error({"act", "--act", "fail"}, 1, "error: act: load: no config.json in 'x'\n");
  expect_error({"act", "--act", "usage"}, 2,
               "error: act: --resume and --adapter exclude each other; see hearth act --help\n");
  expect_error({"act", "--act", "memory"}, 1,
               "error: act: out of memory; a smaller batch, block or context needs less\n");
  expect_error({"act", "--act", "other"}, 1, "error: act: something else\n");
  expect_error({"act", "--act", "strange"}, 1, "error: act: stopped by an unknown exception; please report it\n");
  expect_error({"act", "--atc", "x"}, 2, "error: act: unknown flag --atc; did you mean --act? see hearth act --help\n");
  expect_error(
      {"tune"}, 2,
      "error: tune: missing --model DIR (folder with config.json and *.safetensors); see hearth tune --help\n");
  expect_error({"tnue"}, 2, "error: unknown command 'tnue'; did you mean tune? see hearth --help\n");
  expect_error({"dance"}, 2, "error: unknown command 'dance'; see hearth --help\n");
  expect_error({"help", "tnue"}, 2, "error: unknown command 'tnue'; did you mean tune? see hearth --help\n");
  expect_error({"--verson"}, 2, "error: unknown flag --verson; did you mean --version? see hearth --help\n");
  expect_error({"--model", "x"}, 2,
               "error: unknown flag --model; the command comes first: hearth COMMAND [flags]; see hearth --help\n");
}

TEST(Commands, help_goes_to_stdout) {
  const std::string help =
      "hearth: tunes language models\n\nusage: hearth COMMAND [flags]\n\ncommands:\n  act         do something\n"
      "  tune        tune a model\n  completion  print a script that completes this program's flags in your shell\n\n"
      "hearth COMMAND --help shows a command's flags; hearth --version the version.\n";
  for (const char* word : {"--help", "-h", "help"}) {
    const Outcome outcome = run({word});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, help);
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_EQ(run({"help", "act"}).out, run({"act", "--help"}).out);
  EXPECT_TRUE(
      run({"act", "--help"}).out.starts_with("hearth act: do something\n\nusage: hearth act [flags]\n\nflags:\n"));
  expect_error({}, 2, help);  // asked for nothing: the help is the error text
}

TEST(Commands, version) { EXPECT_EQ(run({"--version"}).out, "hearth 1.2.3\n"); }

// Runs words in a child whose stdout is fd; returns its wait status and what it wrote to stderr.
int run_child(const std::vector<const char*>& words, int out_fd, std::string* err) {
  int err_pipe[2];
  if (pipe(err_pipe) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGPIPE, SIG_IGN);  // as some parents leave it
    dup2(out_fd, 1);
    dup2(err_pipe[1], 2);
    std::vector<const char*> argv = words;
    argv.insert(argv.begin(), "hearth");
    _exit(run_program(test_program(), static_cast<int>(argv.size()), argv.data()));
  }
  close(err_pipe[1]);
  int status = 0;
  char buffer[512];
  for (ssize_t n; (n = read(err_pipe[0], buffer, sizeof buffer)) > 0;) err->append(buffer, static_cast<size_t>(n));
  close(err_pipe[0]);
  waitpid(child, &status, 0);
  return status;
}

TEST(Commands, a_closed_reader_ends_it_quietly) {
  int out[2];
  ASSERT_EQ(pipe(out), 0);
  close(out[0]);
  std::string err;
  const int status = run_child({"act", "--act", "flood"}, out[1], &err);
  close(out[1]);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) << status;  // a shell shows 141
  EXPECT_EQ(err, "");
}

TEST(Commands, a_full_disk_behind_stdout_is_a_failure) {
  FILE* full = std::fopen("/dev/full", "w");
  if (!full) GTEST_SKIP() << "SKIP no /dev/full";
  std::string err;
  const int status = run_child({"act"}, fileno(full), &err);
  std::fclose(full);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
  EXPECT_EQ(err, "error: act: cannot write to standard output: No space left on device\n");
}

}  // namespace
}  // namespace hearth
