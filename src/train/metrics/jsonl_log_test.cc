// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/jsonl_log.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/file_test_folder.h"

namespace hearth {
namespace {

class JsonlLogTest : public testing::Test {
 protected:
  JsonlLogTest() : path_((std::filesystem::temp_directory_path() / cat("hearth_log_", getpid(), ".jsonl")).string()) {}
  ~JsonlLogTest() override { std::filesystem::remove(path_); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path_).rdbuf();
    return out.str();
  }
  void set_text(const std::string& text) const { std::ofstream(path_) << text; }
  std::string path_;
};

TEST_F(JsonlLogTest, golden_lines) {
  JsonlLog log = JsonlLog::create(path_);
  log.write({.step = 1,
             .loss = 3.25,
             .grad_norm = 0.1,
             .learning_rate = 2e-4,
             .tokens_per_second = 1893,
             .memory_bytes = 5368709120});
  log.write({.step = 2, .loss = std::nan(""), .grad_norm = INFINITY, .extra = {{"eval_loss", 1e-7}, {"a\"b", -1e20}}});
  log.write(2, {{"eval_loss", 0.1 + 0.2}});
  EXPECT_EQ(
      text(),
      "{\"step\":1,\"loss\":3.25,\"grad_norm\":0.1,\"learning_rate\":0.0002,\"tokens_per_second\":1893,"
      "\"memory_bytes\":5368709120}\n"
      "{\"step\":2,\"loss\":null,\"grad_norm\":null,\"learning_rate\":0,\"tokens_per_second\":0,\"memory_bytes\":0,"
      "\"eval_loss\":1e-07,\"a\\\"b\":-1e+20}\n"
      "{\"step\":2,\"eval_loss\":0.30000000000000004}\n");
}

TEST_F(JsonlLogTest, reads_back_what_it_wrote) {
  JsonlLog log = JsonlLog::create(path_);
  for (int step = 1; step <= 5; ++step) log.write({.step = step, .loss = 1.0 / step});
  log.write({.step = 6, .loss = std::nan("")});
  const std::vector<LogLine> lines = read_jsonl_log(path_);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[2].step, 3);
  EXPECT_EQ(lines[2].find("loss"), 1.0 / 3);
  EXPECT_TRUE(std::isnan(lines[5].find("loss").value()));
  EXPECT_FALSE(lines[2].find("eval_loss").has_value());
  EXPECT_EQ(read_jsonl_log(path_, 4).size(), 4u);
  EXPECT_TRUE(read_jsonl_log(path_ + ".absent").empty());
}

TEST_F(JsonlLogTest, resume_drops_later_steps) {
  {
    JsonlLog log = JsonlLog::create(path_);
    for (int step = 1; step <= 5; ++step) log.write(step, {{"loss", step}});
  }
  {
    JsonlLog log = JsonlLog::resume(path_, 3);
    log.write(4, {{"loss", 40}});
  }
  EXPECT_EQ(text(),
            "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n{\"step\":3,\"loss\":3}\n{\"step\":4,\"loss\":40}\n");
  JsonlLog::resume(path_, 0);
  EXPECT_EQ(text(), "");
}

TEST_F(JsonlLogTest, resume_drops_a_torn_or_damaged_tail) {
  for (const char* tail :
       {"{\"step\":3,\"lo", "{\"step\":3}", "garbage\n{\"step\":3}\n", "[1]\n", "{\"step\":\"3\"}\n", "\n"}) {
    set_text(std::string("{\"step\":1}\n{\"step\":2}\n") + tail);
    JsonlLog::resume(path_, 3);
    EXPECT_EQ(text(), "{\"step\":1}\n{\"step\":2}\n") << tail;
  }
}

TEST_F(JsonlLogTest, resume_of_a_missing_file_starts_anew) {
  JsonlLog log = JsonlLog::resume(path_, 7);
  log.write(8, {});
  EXPECT_EQ(text(), "{\"step\":8}\n");
}

TEST_F(JsonlLogTest, create_empties_an_old_log) {
  set_text("{\"step\":1}\n");
  JsonlLog::create(path_);
  EXPECT_EQ(text(), "");
}

TEST_F(JsonlLogTest, a_killed_writer_loses_nothing_it_wrote) {
  const pid_t child = fork();
  if (child == 0) {
    JsonlLog log = JsonlLog::create(path_);
    for (int step = 1; step <= 1000; ++step) log.write(step, {{"loss", step}});
    raise(SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(read_jsonl_log(path_).size(), 1000u);
}

TEST_F(JsonlLogTest, moving_hands_over_the_file) {
  JsonlLog a = JsonlLog::create(path_);
  JsonlLog b = std::move(a);
  b.write(1, {});
  a = std::move(b);
  a.write(2, {});
  EXPECT_EQ(read_jsonl_log(path_).size(), 2u);
}

std::string failure(const std::string& path) {
  return error_of(Kind::file, [&] { JsonlLog::create(path).write(1, {}); });
}

TEST_F(JsonlLogTest, errors_name_path_and_reason) {
  EXPECT_EQ(failure("/no/such/folder/log.jsonl"),
            "log: cannot write /no/such/folder/log.jsonl: No such file or directory");
  EXPECT_EQ(failure("/"), "log: cannot write /: Is a directory");
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "SKIP no /dev/full";
  EXPECT_EQ(failure("/dev/full"), "log: cannot write /dev/full: No space left on device");
}

}  // namespace
}  // namespace hearth
