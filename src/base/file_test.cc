// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_test_folder.h"

namespace hearth {

constexpr int64_t kMax = 1 << 20;

TEST(File, names_are_split_and_joined) {
  EXPECT_EQ(file_name("/x/model.safetensors"), "model.safetensors");
  EXPECT_EQ(file_name("run/checkpoint-1/"), "checkpoint-1");
  EXPECT_EQ(parent_folder("run/checkpoint-1/"), "run");
  EXPECT_EQ(parent_folder("/x"), "/");
  EXPECT_EQ(parent_folder("x"), ".");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

TEST(File, reads_back_what_was_written) {
  const TestFolder folder;
  const std::string bytes("a\0b\nc", 5);
  write_file_atomic(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x", 5), bytes);
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"x"});
  write_file_atomic(folder / "x", "");
  EXPECT_EQ(read_file(folder / "x", 0), "");
}

TEST(File, errors_name_path_reason_and_remedy) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "12345");
  EXPECT_EQ(error_of(Kind::file, [&] { read_file(folder / "y", kMax); }),
            "cannot open '" + folder.path() + "/y': No such file or directory\n  hint: check the spelling of the path");
  EXPECT_TEXT(error_of(Kind::file, [&] { read_file(folder / "x", 4); }), "it has 5 bytes, more than the 4");
  EXPECT_TEXT(error_of(Kind::file, [&] { read_file(folder.path(), kMax); }), "it is a folder, not a file");
  EXPECT_TEXT(error_of(Kind::file, [&] { read_file("/dev/zero", kMax); }), "it is no regular file");
  EXPECT_TEXT(error_of(Kind::file, [&] { MappedFile::open(folder.path()); }), "it is a folder, not a file");
  EXPECT_TEXT(error_of(Kind::file, [&] { list_folder(folder / "none"); }), "cannot list folder");
  EXPECT_TEXT(error_of(Kind::file, [&] { ensure_folder(folder / "x/y"); }), "cannot create folder");
}

TEST(File, a_pipe_without_writer_does_not_hang) {
  const TestFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TEXT(error_of(Kind::file, [&] { read_file(folder / "pipe", kMax); }), "no regular file");
  EXPECT_TEXT(error_of(Kind::file, [&] { MappedFile::open(folder / "pipe"); }), "no regular file");
}

TEST(File, proc_files_are_read_though_their_size_is_0) { EXPECT_TEXT(read_file("/proc/self/status", kMax), "Pid:"); }

TEST(MappedFile, shows_the_bytes_as_long_as_somebody_holds_it) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "hello");
  const auto file = MappedFile::open(folder / "x");
  remove_tree(folder / "x");
  EXPECT_EQ(file->size(), 5);
  EXPECT_EQ(std::memcmp(file->data(), "hello", 5), 0);
}

TEST(MappedFile, an_empty_file_is_fine) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "");
  const auto file = MappedFile::open(folder / "x");
  EXPECT_EQ(file->size(), 0);
  file->check_unchanged();
}

TEST(MappedFile, a_file_cut_short_reads_as_zeros_and_is_reported) {
  const TestFolder folder;
  write_file_atomic(folder / "x", std::string(100000, 'x'));
  const auto file = MappedFile::open(folder / "x");
  const auto other = MappedFile::open(folder / "x");
  file->check_unchanged();
  ASSERT_EQ(::truncate((folder / "x").c_str(), 10), 0);
  EXPECT_EQ(file->data()[5], std::byte('x'));
  EXPECT_EQ(file->data()[99999], std::byte(0));  // would raise SIGBUS without the guard
  EXPECT_EQ(file->data()[50000], std::byte(0));
  EXPECT_TEXT(error_of(Kind::file, [&] { file->check_unchanged(); }), "/x' was cut short while Hearth was using it");
  EXPECT_TEXT(error_of(Kind::file, [&] { other->check_unchanged(); }), "it had 100000 bytes, now 10");
}

TEST(MappedFile, a_file_written_to_is_reported) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "hello");
  const auto file = MappedFile::open(folder / "x");
  const timespec times[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder / "x").c_str(), times, 0), 0);
  EXPECT_TEXT(error_of(Kind::file, [&] { file->check_unchanged(); }), "was written to");
}

TEST(MappedFile, a_file_replaced_by_a_new_one_stays_as_it_was) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "old");
  const auto file = MappedFile::open(folder / "x");
  write_file_atomic(folder / "x", "new!");
  file->check_unchanged();  // the mapping belongs to the old file, which lives on without a name
  EXPECT_EQ(std::memcmp(file->data(), "old", 3), 0);
}

TEST(AtomicFile, without_commit_the_old_file_stays_and_nothing_is_left) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new");
    EXPECT_EQ(list_folder(folder.path()).size(), 2u);
  }
  EXPECT_EQ(read_file(folder / "x", kMax), "old");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
}

TEST(AtomicFile, a_folder_that_cannot_be_written_is_named) {
  const TestFolder folder;
  EXPECT_TEXT(error_of(Kind::file, [&] { write_file_atomic(folder / "none/x", "1"); }), "/none/x': No such file");
  EXPECT_TEXT(error_of(Kind::file, [] { write_file_atomic("/proc/x", "1"); }), "cannot write '/proc/x'");
  EXPECT_TEXT(error_of(Kind::file, [&] { write_file_atomic(folder.path(), "1"); }), "it is a folder");
  EXPECT_TEXT(error_of(Kind::file, [] { write_file_atomic("/dev/full", "1"); }), "it is no regular file");
}

TEST(AtomicFile, a_write_error_keeps_the_old_file) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "old");
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string text = error_of(Kind::file, [&] { write_file_atomic(folder / "x", std::string(100000, 'n')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_TEXT(text, "cannot write (after 4096 bytes) '" + folder.path() + "/x': File too large");
  EXPECT_EQ(read_file(folder / "x", kMax), "old");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
}

#ifdef __linux__
// Mounts a file system of 64 KiB; false where that is not allowed.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    ensure_folder(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  void make_read_only() { mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0; }
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST(AtomicFile, a_full_or_read_only_disk_keeps_what_was_there) {
  const TestFolder folder;
  SmallDisk disk(folder / "disk");
  if (!disk.mounted()) GTEST_SKIP() << "SKIP mounting a file system is not allowed here";
  write_file_atomic(folder / "disk/x", "old");
  const std::string full =
      error_of(Kind::file, [&] { write_file_atomic(folder / "disk/x", std::string(100000, 'n')); });
  EXPECT_TEXT(full, "/disk/x': No space left on device\n  hint: free some space");
  EXPECT_EQ(list_folder(folder / "disk").size(), 1u);
  disk.make_read_only();
  const std::string text = error_of(Kind::file, [&] { write_file_atomic(folder / "disk/x", "new"); });
  EXPECT_TEXT(text, "/disk/x': Read-only file system\n  hint: that disk is read-only");
  EXPECT_TEXT(error_of(Kind::file, [&] { AtomicFolder target(folder / "disk/run"); }), "Read-only file system");
  EXPECT_EQ(read_file(folder / "disk/x", kMax), "old");
}
#endif

// Runs `body` in a child that kills itself afterwards, as kill -9 or a power cut would.
template <class Body>
static void run_and_kill(const Body& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

TEST(AtomicFile, killed_before_the_rename_leaves_a_removable_temporary) {
  const TestFolder folder;
  write_file_atomic(folder / "x", "old");
  run_and_kill([&] {
    AtomicFile file(folder / "x");
    file.write("half of the n");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(read_file(folder / "x", kMax), "old");
  ASSERT_EQ(list_folder(folder.path()).size(), 2u);
  const std::vector<std::string> removed = remove_leftovers(folder.path());
  ASSERT_EQ(removed.size(), 1u);
  EXPECT_TRUE(is_temporary_name(removed[0]));
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"x"});
}

TEST(AtomicFile, leftovers_of_a_living_writer_are_not_touched) {
  const TestFolder folder;
  AtomicFile file(folder / "x");
  AtomicFolder run(folder / "run");
  write_file_atomic(folder / "notes.tmp-12", "the user's own file");
  EXPECT_TRUE(remove_leftovers(folder.path()).empty());
  file.commit();
  run.commit();
  EXPECT_EQ(list_folder(folder.path()), (std::vector<std::string>{"notes.tmp-12", "run", "x"}));
}

TEST(AtomicFile, temporary_names_are_recognised) {
  EXPECT_TRUE(is_temporary_name("checkpoint-12.tmp-0123abcd"));
  EXPECT_FALSE(is_temporary_name("checkpoint-12"));
  EXPECT_FALSE(is_temporary_name("checkpoint-12.tmp-0123abc"));
  EXPECT_FALSE(is_temporary_name("checkpoint-12.tmp-0123abcX"));
  EXPECT_FALSE(is_temporary_name(".tmp-0123abcd"));
}

TEST(AtomicFolder, appears_whole_or_not_at_all) {
  const TestFolder folder;
  {
    AtomicFolder run(folder / "a/checkpoint-1/");
    write_file_atomic(join_path(run.temporary(), "state"), "1");
    ensure_folder(join_path(run.temporary(), "sub"));
    write_file_atomic(join_path(run.temporary(), "sub/state"), "2");
    EXPECT_FALSE(exists(folder / "a/checkpoint-1"));
    run.commit();
  }
  EXPECT_EQ(read_file(folder / "a/checkpoint-1/sub/state", kMax), "2");
  { AtomicFolder dropped(folder / "a/checkpoint-2"); }
  EXPECT_EQ(list_folder(folder / "a"), std::vector<std::string>{"checkpoint-1"});
}

TEST(AtomicFolder, replaces_only_when_asked) {
  const TestFolder folder;
  ensure_folder(folder / "run");
  write_file_atomic(folder / "run/old", "1");
  AtomicFolder run(folder / "run");
  write_file_atomic(join_path(run.temporary(), "new"), "2");
  EXPECT_TEXT(error_of(Kind::file, [&] { run.commit(); }), "a folder of that name exists and is not empty");
  EXPECT_EQ(list_folder(folder / "run"), std::vector<std::string>{"old"});
  run.commit(AtomicFolder::Existing::replace);
  EXPECT_EQ(list_folder(folder / "run"), std::vector<std::string>{"new"});
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"run"});
}

TEST(AtomicFolder, killed_before_the_rename_leaves_the_old_folder) {
  const TestFolder folder;
  ensure_folder(folder / "run");
  write_file_atomic(folder / "run/old", "1");
  run_and_kill([&] {
    AtomicFolder run(folder / "run");
    write_file_atomic(join_path(run.temporary(), "new"), "2");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(list_folder(folder / "run"), std::vector<std::string>{"old"});
  EXPECT_EQ(remove_leftovers(folder.path()).size(), 1u);
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"run"});
}

}  // namespace hearth
