// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace hearth {

static const char* hint_for(int error) {
  switch (error) {
    case ENOENT: return "\n  hint: check the spelling of the path";
    case ENOSPC:
    case EDQUOT:
      return "\n  hint: free some space on that disk or choose another folder; what was there before is unchanged";
    case EROFS: return "\n  hint: that disk is read-only; choose another folder";
    case EACCES:
    case EPERM: return "\n  hint: check the permissions of the path, or choose another folder";
    case ENOTDIR: return "\n  hint: a part of that path is a file, not a folder";
    case EMFILE:
    case ENFILE: return "\n  hint: too many files are open; raise the limit (ulimit -n)";
    default: return "";
  }
}

void fail_file(const std::string& what, const std::string& path, int error) {
  HEARTH_FAIL(file, what, " '", path, "': ", std::strerror(error), hint_for(error));
}

bool exists(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

bool is_folder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat x, y;
  return ::stat(a.c_str(), &x) == 0 && ::stat(b.c_str(), &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

std::string join_path(const std::string& folder, const std::string& name) {
  if (folder.empty()) return name;
  return folder.back() == '/' ? folder + name : folder + "/" + name;
}

static std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string file_name(const std::string& path) {
  const std::string clean = without_trailing_slashes(path);
  const size_t slash = clean.rfind('/');
  return slash == std::string::npos || clean == "/" ? clean : clean.substr(slash + 1);
}

std::string parent_folder(const std::string& path) {
  const std::string clean = without_trailing_slashes(path);
  const size_t slash = clean.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : clean.substr(0, slash);
}

std::vector<std::string> list_folder(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator it(path, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) fail_file("cannot list folder", path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

void ensure_folder(const std::string& path) {
  if (is_folder(path)) return;
  std::error_code error;
  std::filesystem::create_directories(without_trailing_slashes(path), error);
  if (error) fail_file("cannot create folder", path, error.value());
  if (!is_folder(path)) fail_file("cannot create folder", path, ENOTDIR);
}

void remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) fail_file("cannot remove", path, error.value());
}

std::string read_file(const std::string& path, int64_t max_bytes) {
  // O_NONBLOCK: opening a named pipe would wait for its writer otherwise.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_file("cannot open", path, errno);
  const std::unique_ptr<const int, void (*)(const int*)> closer(&fd, [](const int* f) { ::close(*f); });
  struct stat info;
  if (::fstat(fd, &info) != 0) fail_file("cannot read", path, errno);
  HEARTH_CHECK(!S_ISDIR(info.st_mode), file, "cannot read '", path, "': it is a folder, not a file");
  HEARTH_CHECK(S_ISREG(info.st_mode), file, "cannot read '", path, "': it is no regular file");
  HEARTH_CHECK(info.st_size <= max_bytes, file, "cannot read '", path, "': it has ", info.st_size,
               " bytes, more than the ", max_bytes, " that a file of this kind may have");
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t used = 0;
  for (;;) {  // the size is only a guess: the file may grow or shrink meanwhile, and /proc says 0
    if (used == bytes.size()) bytes.resize(std::min<size_t>(used + 4096, static_cast<size_t>(max_bytes) + 1));
    const ssize_t got = ::read(fd, bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_file("cannot read", path, errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    HEARTH_CHECK(static_cast<int64_t>(used) <= max_bytes, file, "cannot read '", path, "': it has more than ",
                 max_bytes, " bytes");
  }
  bytes.resize(used);
  return bytes;
}

}  // namespace hearth
