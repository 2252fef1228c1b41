// SPDX-License-Identifier: Apache-2.0
// AtomicFile, AtomicFolder, and the removal of what killed writers left behind.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace hearth {
namespace {

constexpr std::string_view kMark = ".tmp-";
constexpr size_t kDigits = 8;
constexpr int kAttempts = 100;

std::string temporary_name(const std::string& path) {
  static std::atomic<uint64_t> counter{0};
  const auto now = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  uint64_t mixed = (now ^ (uint64_t(::getpid()) << 32)) + ++counter * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(mixed >> 32));
  return path + std::string(kMark) + digits;
}

// Locks what was just created, so that remove_leftovers() of another process leaves it alone. False if that process was
// quicker and removed it already: then the caller makes another one.
bool lock_new(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return errno != EWOULDBLOCK;  // no locks on this file system: go on without
  struct stat info;
  return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  if (fd < 0) fail_file("cannot open folder", folder, errno);
  const int error = ::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  ::close(fd);
  if (error) fail_file("cannot sync folder", folder, error);
}

void sync_tree(const std::string& folder) {
  for (const std::string& name : list_folder(folder)) {
    const std::string path = join_path(folder, name);
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0) fail_file("cannot sync", path, errno);
    if (S_ISDIR(info.st_mode)) sync_tree(path);
    if (!S_ISREG(info.st_mode)) continue;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const int error = fd < 0 || ::fsync(fd) != 0 ? errno : 0;
    if (fd >= 0) ::close(fd);
    if (error) fail_file("cannot sync", path, error);
  }
  sync_folder(folder);
}

// Exchanges two names in one step. False where the system or the file system cannot.
bool exchange(const std::string& a, const std::string& b) {
#if defined(__linux__) && defined(RENAME_EXCHANGE)
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
#elif defined(__APPLE__)
  return ::renamex_np(a.c_str(), b.c_str(), RENAME_SWAP) == 0;
#else
  return a.empty() && b.empty();
#endif
}

void remove_quietly(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  struct stat info;  // renaming onto a device or pipe would destroy it
  HEARTH_CHECK(::lstat(path_.c_str(), &info) != 0 || S_ISREG(info.st_mode) || S_ISLNK(info.st_mode), file,
               "cannot write '", path_, "': ", S_ISDIR(info.st_mode) ? "it is a folder" : "it is no regular file");
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary_ = temporary_name(path_);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0 && errno == EEXIST) continue;
    if (fd_ < 0) fail_file("cannot write", path_, errno);
    if (lock_new(fd_)) return;
    ::close(fd_);
    fd_ = -1;
  }
  fail_file("cannot write", path_, EEXIST);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (fd_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(fd_);
  fd_ = -1;
}

constexpr size_t kMostAtOnce = size_t(1) << 30;  // Linux and macOS refuse or cut single writes of 2 GiB and more

void AtomicFile::write(std::span<const std::byte> bytes) {
  HEARTH_CHECK(fd_ >= 0, bug, "AtomicFile::write('", path_, "') after it was committed or had failed");
  while (!bytes.empty()) {
    const ssize_t done = ::write(fd_, bytes.data(), std::min(bytes.size(), kMostAtOnce));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      const int error = errno;
      discard();
      fail_file(cat("cannot write (after ", written_, " bytes)"), path_, error);
    }
    written_ += done;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void AtomicFile::resize(int64_t bytes) {
  HEARTH_CHECK(fd_ >= 0, bug, "AtomicFile::resize('", path_, "') after it was committed or had failed");
  if (::ftruncate(fd_, bytes) != 0) fail_file("cannot write", path_, errno);
  written_ = bytes;
}

void AtomicFile::write_at(int64_t offset, std::span<const std::byte> bytes) {
  HEARTH_CHECK(fd_ >= 0, bug, "AtomicFile::write_at('", path_, "') after it was committed or had failed");
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd_, bytes.data(), std::min(bytes.size(), kMostAtOnce), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_file(cat("cannot write (at byte ", offset, ")"), path_, errno);
#ifdef __linux__
    constexpr ssize_t kLarge = 1 << 20;  // an error here is told by the sync in the end
    if (done >= kLarge) ::sync_file_range(fd_, offset, done, SYNC_FILE_RANGE_WRITE);
#endif
    offset += done;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
}

void AtomicFile::commit(Sync sync) {
  HEARTH_CHECK(fd_ >= 0, bug, "AtomicFile::commit('", path_, "') after it was committed or had failed");
  if ((sync == Sync::now && ::fsync(fd_) != 0) || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    discard();
    fail_file("cannot write", path_, error);
  }
  ::close(fd_);
  fd_ = -1;
  if (sync == Sync::now) sync_folder(parent_folder(path_));
}

void write_file_atomic(const std::string& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

AtomicFolder::AtomicFolder(std::string path) : path_(std::move(path)) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
  ensure_folder(parent_folder(path_));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary_ = temporary_name(path_);
    if (::mkdir(temporary_.c_str(), 0777) != 0) {
      if (errno == EEXIST) continue;
      fail_file("cannot create folder", path_, errno);
    }
    fd_ = ::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd_ >= 0 && lock_new(fd_)) return;
    const int error = errno;
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    } else if (error != ENOENT) {
      remove_quietly(temporary_);
      fail_file("cannot create folder", path_, error);
    }
  }
  fail_file("cannot create folder", path_, EEXIST);
}

AtomicFolder::~AtomicFolder() { discard(); }

void AtomicFolder::discard() {
  if (fd_ < 0) return;
  remove_quietly(temporary_);
  ::close(fd_);
  fd_ = -1;
}

void AtomicFolder::commit(Existing existing) {
  HEARTH_CHECK(fd_ >= 0, bug, "AtomicFolder::commit('", path_, "') after it was committed");
  sync_tree(temporary_);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    const bool occupied = error == ENOTEMPTY || error == EEXIST;
    HEARTH_CHECK(!occupied || existing == Existing::replace, file, "cannot write folder '", path_,
                 "': a folder of that name exists and is not empty\n  hint: remove it or choose another name");
    if (!occupied) fail_file("cannot write folder", path_, error);
    if (!exchange(temporary_, path_)) {  // a moment without the folder, but never a half one
      const std::string old = temporary_name(path_);
      if (::rename(path_.c_str(), old.c_str()) != 0) fail_file("cannot replace folder", path_, errno);
      if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        const int second_error = errno;
        if (::rename(old.c_str(), path_.c_str()) != 0) fail_file("cannot restore folder", path_, errno);
        fail_file("cannot replace folder", path_, second_error);
      }
      temporary_ = old;
    }
    remove_quietly(temporary_);  // by now the old content
  }
  ::close(fd_);
  fd_ = -1;
  sync_folder(parent_folder(path_));
}

bool is_temporary_name(std::string_view name) {
  if (name.size() <= kMark.size() + kDigits) return false;
  const std::string_view digits = name.substr(name.size() - kDigits);
  return name.substr(name.size() - kDigits - kMark.size(), kMark.size()) == kMark &&
         digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> remove_leftovers(const std::string& folder) {
  std::vector<std::string> removed;
  for (const std::string& name : list_folder(folder)) {
    if (!is_temporary_name(name)) continue;
    const std::string path = join_path(folder, name);
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0) continue;
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {  // its writer would hold this lock
      remove_quietly(path);
      removed.push_back(name);
    }
    ::close(fd);
  }
  return removed;
}

}  // namespace hearth
