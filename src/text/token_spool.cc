// SPDX-License-Identifier: Apache-2.0
#include "text/token_spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"

namespace hearth {

static constexpr size_t kUnwritten = 1 << 20;  // tokens gathered for one write

TokenSpool::TokenSpool(std::string folder, int64_t in_memory) : folder_(std::move(folder)), in_memory_(in_memory) {}
TokenSpool::~TokenSpool() {
  if (fd_ >= 0) ::close(fd_);
}

static int open_nameless(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = join_path(folder, "tokens.tmp-XXXXXX");  // file systems without O_TMPFILE
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) fail_file("cannot make a file for tokens in", folder, errno);
  ::unlink(name.c_str());
  return named;
}

void TokenSpool::flush() {
  const char* bytes = reinterpret_cast<const char*>(memory_.data());
  const size_t size = memory_.size() * sizeof(int32_t);
  for (size_t done = 0; done < size;) {
    const ssize_t n = ::pwrite(fd_, bytes + done, size - done, written_ * int64_t{sizeof(int32_t)} + int64_t(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_file("cannot write tokens to a file in", folder_, n == 0 ? ENOSPC : errno);
    done += static_cast<size_t>(n);
  }
  written_ += static_cast<int64_t>(memory_.size());
  memory_.clear();
}

void TokenSpool::append(std::span<const int32_t> tokens) {
  memory_.insert(memory_.end(), tokens.begin(), tokens.end());
  size_ += static_cast<int64_t>(tokens.size());
  if (fd_ < 0 && size_ > in_memory_) fd_ = open_nameless(folder_);
  if (fd_ >= 0 && memory_.size() > kUnwritten) flush();
}

void TokenSpool::read(int64_t begin, std::span<int32_t> out) const {
  HEARTH_CHECK(begin >= 0 && begin + static_cast<int64_t>(out.size()) <= size_, bug, "tokens ", begin, " and ",
               out.size(), " more of ", size_);
  const int64_t on_disk = std::clamp<int64_t>(written_ - begin, 0, static_cast<int64_t>(out.size()));
  char* bytes = reinterpret_cast<char*>(out.data());
  const size_t size = static_cast<size_t>(on_disk) * sizeof(int32_t);
  for (size_t done = 0; done < size;) {
    const ssize_t n = ::pread(fd_, bytes + done, size - done, begin * int64_t{sizeof(int32_t)} + int64_t(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail_file("cannot read tokens from a file in", folder_, n == 0 ? EIO : errno);
    done += static_cast<size_t>(n);
  }
  const auto from = memory_.begin() + (begin + on_disk - written_);
  if (on_disk < static_cast<int64_t>(out.size()))
    std::copy(from, from + (static_cast<int64_t>(out.size()) - on_disk), out.begin() + on_disk);
}

std::string temporary_folder() {
  const char* named = std::getenv("TMPDIR");
  return named && *named && is_folder(named) ? named : "/tmp";
}

FileReader::FileReader(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) fail_file("cannot open", path, errno);
  struct stat info {};
  if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd_);
    HEARTH_FAIL(file, "'", path, "' is ", is_folder(path) ? "a folder" : "no regular file", "; name a file");
  }
  size_ = info.st_size;
}
FileReader::~FileReader() { ::close(fd_); }

bool FileReader::append(std::string& out, size_t most) {
  const size_t before = out.size();
  out.resize(before + most);
  ssize_t n = 0;
  do n = ::read(fd_, out.data() + before, most);
  while (n < 0 && errno == EINTR);
  if (n < 0) fail_file("cannot read", path_, errno);
  out.resize(before + static_cast<size_t>(n));
  return n > 0;
}

}  // namespace hearth
