// SPDX-License-Identifier: Apache-2.0
#include "train/metrics/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "base/error.h"

namespace hearth {
namespace {

constexpr int64_t kMiB = 1 << 20;

// Empty, or what the two functions say wrongly of 64 MiB that are taken, touched and given back.
std::string touch_and_free() {
  const int64_t before = peak_resident_bytes(), size = 64 * kMiB + before - resident_bytes();
  if (before <= kMiB / 4) return cat("peak of only ", before, " bytes at the start");
  {
    std::unique_ptr<char[]> block(new char[static_cast<size_t>(size)]);
    std::memset(block.get(), 1, static_cast<size_t>(size));
    const int64_t touched = resident_bytes();
    if (touched < before + 32 * kMiB) return cat("resident ", touched, " after touching ", size, " above ", before);
    if (block[5] != 1) return "the block is not what was written";  // so that it is written
  }
  const int64_t now = resident_bytes(), peak = peak_resident_bytes();  // in this order: a page may come between the two
  if (peak < before + 32 * kMiB) return cat("peak ", peak, " after touching ", size, " above ", before);
  return now <= peak ? "" : cat("resident ", now, " above the peak ", peak);
}

// In a process of its own: that of a long test run is large, and the system may take pages of it back meanwhile.
TEST(MemoryDeathTest, peak_follows_what_is_touched_and_stays) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto in_a_new_process = [] {
    const std::string wrong = touch_and_free();
    std::fputs(wrong.c_str(), stderr);
    std::_Exit(wrong.empty() ? 0 : 1);
  };
  EXPECT_EXIT(in_a_new_process(), testing::ExitedWithCode(0), "^$");
}

TEST(Memory, this_machine) {
  const MachineMemory memory = machine_memory();
  EXPECT_GT(memory.total_bytes, 64 * kMiB);
  EXPECT_GT(memory.available_bytes, 0);
  EXPECT_LE(memory.available_bytes, memory.total_bytes);
  EXPECT_GE(memory.total_bytes, resident_bytes());
}

// A root folder with 8 GiB of memory, 6 free, and whatever control groups the test adds.
class FakeRoot {
 public:
  FakeRoot() : root_(std::filesystem::temp_directory_path() / cat("hearth_memory_", getpid())) {
    write("proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n");
  }
  ~FakeRoot() { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  MachineMemory read() const { return machine_memory(root_.string() + "/"); }

 private:
  std::filesystem::path root_;
};

TEST(Memory, without_groups_the_machine_counts) {
  FakeRoot root;
  EXPECT_EQ(root.read().total_bytes, 8192 * kMiB);
  EXPECT_EQ(root.read().available_bytes, 6144 * kMiB);
}

TEST(Memory, version_2_group_limits) {
  FakeRoot root;
  root.write("proc/self/cgroup", "0::/user/job\n");
  root.write("sys/fs/cgroup/user/job/memory.max", "max\n");
  EXPECT_EQ(root.read().total_bytes, 8192 * kMiB);
  root.write("sys/fs/cgroup/user/memory.max", cat(1024 * kMiB));  // a limit of the parent
  root.write("sys/fs/cgroup/user/memory.current", cat(700 * kMiB));
  root.write("sys/fs/cgroup/user/memory.stat", cat("anon 1\ninactive_file ", 100 * kMiB, "\n"));
  EXPECT_EQ(root.read().total_bytes, 1024 * kMiB);
  EXPECT_EQ(root.read().available_bytes, 424 * kMiB);  // 1024 - (700 - 100)
}

TEST(Memory, a_group_over_its_limit_has_nothing_left) {
  FakeRoot root;
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/memory.max", cat(100 * kMiB));
  root.write("sys/fs/cgroup/memory.current", cat(200 * kMiB));
  EXPECT_EQ(root.read().available_bytes, 0);
}

TEST(Memory, version_1_group_limits) {
  FakeRoot root;
  root.write("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/abc\n0::/\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(root.read().total_bytes, 8192 * kMiB);
  root.write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", cat(2048 * kMiB));
  root.write("sys/fs/cgroup/memory/docker/abc/memory.usage_in_bytes", cat(48 * kMiB));
  EXPECT_EQ(root.read().total_bytes, 2048 * kMiB);
  EXPECT_EQ(root.read().available_bytes, 2000 * kMiB);
}

TEST(Memory, damaged_files_are_ignored) {
  FakeRoot root;
  for (const char* text : {"", "::::", "0:", "0::relative", "0::/../../..", "nonsense\n\n"}) {
    root.write("proc/self/cgroup", text);
    root.write("sys/fs/cgroup/memory.max", "-5 what");
    EXPECT_EQ(root.read().total_bytes, 8192 * kMiB) << text;
  }
  root.write("proc/meminfo", "MemTotal: many\n");
  EXPECT_GT(root.read().total_bytes, 0);  // asks the system instead
}

}  // namespace
}  // namespace hearth
