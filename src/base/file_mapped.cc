// SPDX-License-Identifier: Apache-2.0
// MappedFile, and the guard that keeps a file cut short by somebody else from killing the process.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

// Reading a mapped page that the file no longer has raises SIGBUS. The handler puts zero pages there, notes the loss
// and lets the read go on; check_unchanged() then throws on an ordinary path. wl_shm of Wayland does the same. The
// table is plain atomics because a signal handler may take no lock.
struct GuardedRange {
  std::atomic<bool> used{false}, lost{false};
  std::atomic<uintptr_t> begin{0}, end{0};
};
constexpr int kGuards = 4096;
GuardedRange guards[kGuards];
struct sigaction previous_action;

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (GuardedRange& guard : guards) {
    if (!guard.used.load() || address < guard.begin.load() || address >= guard.end.load()) continue;
    const uintptr_t page = address & ~(static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE)) - 1);
    void* zeros = ::mmap(reinterpret_cast<void*>(page), guard.end.load() - page, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    guard.lost.store(true);
    return;
  }
  if (previous_action.sa_flags & SA_SIGINFO) return previous_action.sa_sigaction(signal, info, context);
  if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN) {
    return previous_action.sa_handler(signal);
  }
  ::signal(SIGBUS, SIG_DFL);  // not ours: the read repeats and ends the process as it would have
}

int add_guard(const void* data, int64_t size) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    struct sigaction action = {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    ::sigaction(SIGBUS, &action, &previous_action);
  });
  for (int i = 0; i < kGuards; ++i) {
    bool free = false;
    if (!guards[i].used.compare_exchange_strong(free, true)) continue;
    guards[i].lost.store(false);
    guards[i].begin.store(reinterpret_cast<uintptr_t>(data));
    guards[i].end.store(reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(size));
    return i;
  }
  return -1;  // more than kGuards files at once: those beyond are not guarded
}

void remove_guard(int index) {
  if (index < 0) return;
  guards[index].begin.store(0);
  guards[index].end.store(0);
  guards[index].used.store(false);
}

int64_t changed_ns(const struct stat& info) {
#ifdef __APPLE__
  return int64_t(info.st_mtimespec.tv_sec) * 1000000000 + info.st_mtimespec.tv_nsec;
#else
  return int64_t(info.st_mtim.tv_sec) * 1000000000 + info.st_mtim.tv_nsec;
#endif
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  file->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file->fd_ < 0) fail_file("cannot open", path, errno);
  struct stat info;
  if (::fstat(file->fd_, &info) != 0) fail_file("cannot open", path, errno);
  HEARTH_CHECK(!S_ISDIR(info.st_mode), file, "cannot open '", path, "': it is a folder, not a file");
  HEARTH_CHECK(S_ISREG(info.st_mode), file, "cannot open '", path, "': it is no regular file");
  file->size_ = info.st_size;
  file->mtime_ns_ = changed_ns(info);
  if (file->size_ == 0) return file;
  void* data = ::mmap(nullptr, static_cast<size_t>(file->size_), PROT_READ, MAP_SHARED, file->fd_, 0);
  if (data == MAP_FAILED) fail_file("cannot map", path, errno);
  file->data_ = static_cast<const std::byte*>(data);
  file->guard_ = add_guard(data, file->size_);
  return file;
}

MappedFile::~MappedFile() {
  remove_guard(guard_);
  if (data_) ::munmap(const_cast<std::byte*>(data_), static_cast<size_t>(size_));
  if (fd_ >= 0) ::close(fd_);
}

void MappedFile::check_unchanged() const {
  HEARTH_CHECK(guard_ < 0 || !guards[guard_].lost.load(), file, "'", path_,
               "' was cut short while Hearth was using it; what was computed from it is wrong"
               "\n  hint: restore the file and start again");
  struct stat info;
  if (::fstat(fd_, &info) != 0) fail_file("cannot check", path_, errno);
  HEARTH_CHECK(info.st_size == size_, file, "'", path_, "' changed while Hearth was using it: it had ", size_,
               " bytes, now ", info.st_size, "\n  hint: restore the file and start again");
  HEARTH_CHECK(changed_ns(info) == mtime_ns_, file, "'", path_,
               "' was written to while Hearth was using it\n  hint: restore the file and start again");
}

}  // namespace hearth
